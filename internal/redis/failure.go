package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrUnavailable says that there is no answer that can be used: the network,
	// a time-out, a reply that is none, an open breaker, or a server that is not
	// ready or does not let us in.
	ErrUnavailable = errors.New("redis unavailable")
	// ErrCommand says that the server refused the command; its words follow.
	ErrCommand = errors.New("redis refused the command")

	errProtocol = errors.New("protocol error")
)

// unusable are the codes of error replies that tell of the server's state, and
// not of the command. True: the connection is of no more use, either.
var unusable = map[string]bool{
	"LOADING": true, "MASTERDOWN": true, "READONLY": true, "NOAUTH": true, "WRONGPASS": true, "UNBLOCKED": true,
	"CLUSTERDOWN": false, "TRYAGAIN": false, "MOVED": false, "ASK": false,
	"OOM": false, "MISCONF": false, "NOREPLICAS": false, "BUSY": false,
}

// failure is why there is no answer. It is no error type, which the interpreter
// would not recognize again.
type failure struct {
	code    string // for people, and for Health
	err     error  // what happened; nil: the code says it all
	timeout bool
	lost    bool   // a connection that was idle turned out to be closed: nothing was answered
	caller  bool   // the caller left, or had left
	spared  bool   // does not count for the breaker: the server is there, or was not asked
	barred  bool   // the server did not let a new connection in: its password may be about to change
	command string // that was refused; "": none was
}

func (f *failure) text() string {
	if f.err == nil {
		return f.code
	}
	return f.code + ": " + f.err.Error()
}

// broken is an I/O or protocol error.
func broken(ctx context.Context, err error) *failure {
	if left := leftBy(ctx); left != nil {
		return &failure{code: "canceled", err: left, caller: true, spared: true}
	}
	if errors.Is(err, errProtocol) {
		return &failure{code: "protocol", err: err}
	}
	// A kernel's time-out, too, says so only by this method.
	if os.IsTimeout(err) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return &failure{code: "timeout", err: err, timeout: true}
	}
	return &failure{code: network(err), err: err}
}

// leftBy says why the caller has left. Dialing looks at the context's deadline by
// itself, and may find it passed before the context does.
func leftBy(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if end, limited := ctx.Deadline(); limited && !time.Now().Before(end) {
		return context.DeadlineExceeded
	}
	return nil
}

// network names the kinds of network errors. syscall, with their numbers, is
// not there in the interpreter.
func network(err error) string {
	var call *os.SyscallError
	var name *net.DNSError
	if errors.As(err, &call) {
		return strings.TrimPrefix(call.Err.Error(), "connection ")
	}
	if errors.As(err, &name) {
		return "name"
	}
	if isClosed(err) {
		return "closed"
	}
	return "network"
}

// isClosed says that the connection is gone, and was not closed by us.
func isClosed(err error) bool {
	var call *os.SyscallError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &call)
}

// verdict finds the first reply that tells of the server's state. Redirections
// do not, where they are followed.
func verdict(commands [][]string, replies []Reply, follow bool) *failure {
	for i := range replies {
		if replies[i].Err == nil {
			continue
		}
		code := errorCode(replies[i].Text)
		_, found := unusable[code]
		if !found || (follow && isRedirection(code)) {
			continue
		}
		f := refused(replies[i])
		f.spared = true
		f.command = commands[i][0]
		return f
	}
	return nil
}

func isRedirection(code string) bool { return code == "MOVED" || code == "ASK" }

// refused is the failure that an error reply tells of.
func refused(r Reply) *failure {
	code := errorCode(r.Text)
	return &failure{code: code, err: errors.New(r.Text)}
}

// errorCode is the first word of an error reply, such as WRONGTYPE.
func errorCode(text string) string {
	word, _, _ := strings.Cut(text, " ")
	if word == "" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "ERR"
	}
	return word
}

const maxErrorText = 200

// printable is a server's error text, for logs: bounded, in ASCII, and without
// the password, should the server repeat it.
func printable(text, password string) string {
	if password != "" {
		text = strings.ReplaceAll(text, password, "***")
	}
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	quoted := strconv.QuoteToASCII(text)
	quoted = quoted[1 : len(quoted)-1]
	if len(quoted) > maxErrorText {
		quoted = quoted[:maxErrorText]
	}
	return quoted
}

func protocolError(what string, found interface{}) error {
	return fmt.Errorf("read reply: %s %.40q: %w", what, fmt.Sprint(found), errProtocol)
}
