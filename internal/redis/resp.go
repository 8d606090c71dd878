package redis

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The bounds of a reply; what is larger ends the connection.
const (
	maxLine   = 4096 // a simple string, an error, a number
	maxBulk   = 1 << 20
	maxItems  = 100000
	maxDepth  = 8
	maxReply  = 16 << 20 // altogether
	firstRoom = 32       // items
	itemSize  = 64       // what an item counts for, besides its text
)

// Kind says what a Reply is.
type Kind int

// The kinds of replies. An error reply has the kind Nil, and Err.
const (
	Nil  Kind = iota // no such key, no such item
	Text             // a simple or a bulk string
	Integer
	List
)

// Reply is the server's answer to one command.
type Reply struct {
	Kind  Kind
	Text  string
	Int   int64
	Items []Reply // of a List
	Err   error   // the command was refused: wraps ErrCommand; Text holds the server's words
}

// appendCommand appends a command as a list of bulk strings, in which any byte
// may stand.
func appendCommand(b []byte, args []string) []byte {
	b = fmt.Appendf(b, "*%d\r\n", len(args))
	for _, arg := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b
}

// reader reads replies.
type reader struct {
	in       *bufio.Reader
	password string // to be kept out of error texts
	started  bool   // some of the reply has come
	left     int    // of maxReply
}

func newReader(in io.Reader) *reader {
	return &reader{in: bufio.NewReaderSize(in, maxLine)}
}

// read reads one reply. Each error but those of the connection itself wraps
// errProtocol; after any, the connection is to be closed.
func (r *reader) read() (Reply, error) {
	r.started = false
	r.left = maxReply
	return r.value(0)
}

func (r *reader) value(depth int) (Reply, error) {
	line, err := r.line()
	if err != nil {
		return Reply{}, err
	}
	body := string(line[1 : len(line)-2])
	switch line[0] {
	case '$':
		return r.bulk(body)
	case ':':
		return integer(body)
	case '+':
		return Reply{Kind: Text, Text: body}, nil
	case '-':
		return r.refusal(body), nil
	case '*':
		return r.list(body, depth)
	}
	return Reply{}, protocolError("a reply of type", string(line[:1]))
}

// line reads up to CR LF, of which there is at least a type before it. The
// slice is good until the next read.
func (r *reader) line() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if len(line) > 0 {
		r.started = true
	}
	if err != nil {
		return nil, lineError(err)
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return nil, protocolError("a line", string(line))
	}
	return line, nil
}

func lineError(err error) error {
	if errors.Is(err, bufio.ErrBufferFull) {
		return protocolError("a line longer than", maxLine)
	}
	return err
}

func integer(body string) (Reply, error) {
	n, err := strconv.ParseInt(body, 10, 64)
	if err != nil {
		return Reply{}, protocolError("a number", body)
	}
	return Reply{Kind: Integer, Int: n}, nil
}

// refusal is a reply, and no error of the connection: the next one can be read.
func (r *reader) refusal(body string) Reply {
	text := printable(body, r.password)
	return Reply{Text: text, Err: fmt.Errorf("%w: %s", ErrCommand, text)}
}

func (r *reader) bulk(body string) (Reply, error) {
	n, err := strconv.Atoi(body)
	if err != nil || n > maxBulk || n < -1 {
		return Reply{}, protocolError("a string's length", body)
	}
	if n == -1 {
		return Reply{}, nil
	}
	if err := r.take(n); err != nil {
		return Reply{}, err
	}
	text := make([]byte, n+2)
	if _, err := io.ReadFull(r.in, text); err != nil {
		return Reply{}, err
	}
	if text[n] != '\r' || text[n+1] != '\n' {
		return Reply{}, protocolError("a string's end", string(text[n:]))
	}
	return Reply{Kind: Text, Text: string(text[:n])}, nil
}

func (r *reader) list(body string, depth int) (Reply, error) {
	n, err := strconv.Atoi(body)
	if err != nil || n > maxItems || n < -1 {
		return Reply{}, protocolError("a list's length", body)
	}
	if n == -1 {
		return Reply{}, nil
	}
	if depth >= maxDepth {
		return Reply{}, protocolError("a list deeper than", maxDepth)
	}
	if err := r.take(n * itemSize); err != nil {
		return Reply{}, err
	}
	items, err := r.items(n, depth+1)
	if err != nil {
		return Reply{}, err
	}
	return Reply{Kind: List, Items: items}, nil
}

// items makes room as the items come, not as they are announced. append would
// copy all of them each time when interpreted.
func (r *reader) items(n, depth int) ([]Reply, error) {
	items := make([]Reply, smaller(n, firstRoom))
	for i := 0; i < n; i++ {
		item, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		if i == len(items) {
			more := make([]Reply, smaller(n, 2*i))
			copy(more, items)
			items = more
		}
		items[i] = item
	}
	return items, nil
}

func smaller(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// take counts n bytes, before there is room for them.
func (r *reader) take(n int) error {
	r.left -= n
	if r.left < 0 {
		return protocolError("a reply longer than", maxReply)
	}
	return nil
}
