package latchkey

import (
	"fmt"
	"log"
	"log/slog"
	"strconv"
	"strings"
)

// logs are where the middleware says what happens. Traefik logs a plugin's
// standard output at DEBUG and its standard error at ERROR, so what an operator
// must see goes to the latter.
//
// Nothing that is a secret is ever an argument: no token, code, cookie or key.
type logs struct {
	out, err *slog.Logger
}

// stdout is the plugin's standard output as the interpreter has it, which is
// Traefik's log; os.Stdout would go past it.
type stdout struct{}

// Write implements io.Writer.
func (stdout) Write(p []byte) (int, error) { return fmt.Print(string(p)) }

func newLogs(level slog.Level, args ...interface{}) *logs {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: logged}
	return &logs{
		out: slog.New(slog.NewTextHandler(stdout{}, options)).With(args...),
		err: slog.New(slog.NewTextHandler(log.Writer(), options)).With(args...),
	}
}

// maxLogged bounds each text of a line, in bytes. A cause may quote what a client
// or a provider sent, at whatever length.
const maxLogged = 300

// logged drops the time, which Traefik adds, and the rest of what is too long.
// What is not printable is escaped by the handler, so a line stays one line.
func logged(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	if a.Value.Kind() == slog.KindString && len(a.Value.String()) > maxLogged {
		return slog.String(a.Key, cut(a.Value.String()))
	}
	return a
}

// cut keeps the beginning of a text, and says how much there was.
func cut(s string) string {
	return strings.ToValidUTF8(s[:maxLogged], "") + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

func (l *logs) debug(message string, args ...interface{}) { l.out.Debug(message, args...) }
func (l *logs) info(message string, args ...interface{})  { l.out.Info(message, args...) }
func (l *logs) warn(message string, args ...interface{})  { l.err.Warn(message, args...) }
