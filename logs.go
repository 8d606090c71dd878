package latchkey

import (
	"fmt"
	"log"
	"log/slog"
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
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: withoutTime}
	return &logs{
		out: slog.New(slog.NewTextHandler(stdout{}, options)).With(args...),
		err: slog.New(slog.NewTextHandler(log.Writer(), options)).With(args...),
	}
}

// withoutTime drops the time, which Traefik adds.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	return a
}

func (l *logs) debug(message string, args ...interface{}) { l.out.Debug(message, args...) }
func (l *logs) info(message string, args ...interface{})  { l.out.Info(message, args...) }
func (l *logs) warn(message string, args ...interface{})  { l.err.Warn(message, args...) }
