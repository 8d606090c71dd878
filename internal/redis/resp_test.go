package redis

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

func TestCommandsAreBulkStrings(t *testing.T) {
	cases := []struct {
		args []string
		want string
	}{
		{[]string{"PING"}, "*1\r\n$4\r\nPING\r\n"},
		{[]string{"SET", "k", ""}, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"},
		{[]string{"GET", "a\r\nFLUSHALL\r\n"}, "*2\r\n$3\r\nGET\r\n$13\r\na\r\nFLUSHALL\r\n\r\n"},
		{[]string{"GET", "\x00\xff%d"}, "*2\r\n$3\r\nGET\r\n$4\r\n\x00\xff%d\r\n"},
	}
	for _, c := range cases {
		if got := string(appendCommand(nil, c.args)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.args, got, c.want)
		}
	}
}

// show writes a reply in short.
func show(r Reply) string {
	switch {
	case r.Err != nil:
		return "!" + r.Text
	case r.Kind == Text:
		return strconv.Quote(r.Text)
	case r.Kind == Integer:
		return strconv.FormatInt(r.Int, 10)
	case r.Kind == List:
		var items []string
		for _, item := range r.Items {
			items = append(items, show(item))
		}
		return "[" + strings.Join(items, " ") + "]"
	}
	return "nil"
}

func TestReplies(t *testing.T) {
	cases := []struct{ bytes, want string }{
		{"+OK\r\n", `"OK"`},
		{"+\r\n", `""`},
		{":0\r\n", "0"},
		{":-9223372036854775808\r\n", "-9223372036854775808"},
		{"$0\r\n\r\n", `""`},
		{"$4\r\n\r\n\x00\xff\r\n", `"\r\n\x00\xff"`},
		{"$-1\r\n", "nil"},
		{"*-1\r\n", "nil"},
		{"*0\r\n", "[]"},
		{"*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n+b\r\n", `["a" [1 nil] "b"]`},
		{"-ERR no\r\n", "!ERR no"},
		{"-WRONGTYPE Operation\r\n", "!WRONGTYPE Operation"},
		{"*2\r\n-ERR one\r\n:2\r\n", "[!ERR one 2]"},
	}
	for _, c := range cases {
		r := newReader(iotest.OneByteReader(strings.NewReader(c.bytes)))
		reply, err := r.read()
		if err != nil {
			t.Errorf("%q: %v", c.bytes, err)
			continue
		}
		if got := show(reply); got != c.want {
			t.Errorf("%q: got %s, want %s", c.bytes, got, c.want)
		}
		if reply.Err != nil && !errors.Is(reply.Err, ErrCommand) {
			t.Errorf("%q: the error %v is no ErrCommand", c.bytes, reply.Err)
		}
		if _, err := r.in.ReadByte(); err != io.EOF {
			t.Errorf("%q: not read to its end", c.bytes)
		}
	}
}

func TestBadReplies(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("*1\r\n", depth) + ":1\r\n" }
	large := func(n int) string { return "$" + strconv.Itoa(n) + "\r\n" + strings.Repeat("x", n) + "\r\n" }
	cases := map[string]struct {
		bytes string
		want  error // nil: it is good
	}{
		"nothing":                        {"", io.EOF},
		"a truncated line":               {"+OK", io.EOF},
		"a truncated string":             {"$4\r\nab", io.ErrUnexpectedEOF},
		"a list that ends early":         {"*2\r\n:1\r\n", io.EOF},
		"no carriage return":             {"+OK\n", errProtocol},
		"an empty line":                  {"\r\n", errProtocol},
		"a line feed":                    {"\n", errProtocol},
		"a type of RESP3":                {"%1\r\n+a\r\n+b\r\n", errProtocol},
		"HTTP":                           {"HTTP/1.1 400 Bad Request\r\n", errProtocol},
		"a number with letters":          {":12a\r\n", errProtocol},
		"a number too large":             {":9223372036854775808\r\n", errProtocol},
		"a length with letters":          {"$x\r\n", errProtocol},
		"a negative length":              {"$-2\r\n", errProtocol},
		"a string's missing end":         {"$1\r\nabc\r\n", errProtocol},
		"a line as long as may be":       {"+" + strings.Repeat("x", maxLine-3) + "\r\n", nil},
		"a longer line":                  {"+" + strings.Repeat("x", maxLine-2) + "\r\n", errProtocol},
		"a string as long as may be":     {large(maxBulk), nil},
		"a longer string":                {"$" + strconv.Itoa(maxBulk+1) + "\r\n", errProtocol},
		"a huge string":                  {"$999999999999999999999\r\n", errProtocol},
		"a list as long as may be":       {"*" + strconv.Itoa(maxItems) + "\r\n" + strings.Repeat(":1\r\n", maxItems), nil},
		"a longer list":                  {"*" + strconv.Itoa(maxItems+1) + "\r\n", errProtocol},
		"a negative list":                {"*-2\r\n", errProtocol},
		"a list as deep as may be":       {nested(maxDepth), nil},
		"a deeper list":                  {nested(maxDepth + 1), errProtocol},
		"more than fits into a reply":    {"*17\r\n" + strings.Repeat(large(maxBulk), 16), errProtocol},
		"many lists, each of which fits": {"*9\r\n" + strings.Repeat("*30000\r\n"+strings.Repeat(":1\r\n", 30000), 9), errProtocol},
	}
	for name, c := range cases {
		_, err := newReader(strings.NewReader(c.bytes)).read()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// TestNoRoomIsMadeForWhatIsAnnounced: a list of lists that never come.
func TestNoRoomIsMadeForWhatIsAnnounced(t *testing.T) {
	announced := strings.Repeat("*30000\r\n", maxDepth)
	r := newReader(strings.NewReader(announced))
	allocated := testing.AllocsPerRun(1, func() { _, _ = r.read() })
	if allocated > 10000 {
		t.Errorf("%v allocations for a list of which nothing came", allocated)
	}
}

func TestErrorTexts(t *testing.T) {
	const password = "hunter2"
	long := strings.Repeat("x", 5000)
	cases := []struct{ text, want string }{
		{"ERR unknown command", "ERR unknown command"},
		{"ERR user hunter2 \x1b[2Jred\x00", `ERR user *** \x1b[2Jred\x00`},
		{"ERR ünï", `ERR \u00fcn\u00ef`},
		{long, long[:maxErrorText]},
		{strings.Repeat("\x00", 200), strings.Repeat(`\x00`, maxErrorText/4)},
		{long[:maxErrorText-3] + password, long[:maxErrorText-3] + "***"},
	}
	for _, c := range cases {
		if got := printable(c.text, password); got != c.want {
			t.Errorf("%.60q: got %q, want %q", c.text, got, c.want)
		}
	}
	if got := printable("ERR", ""); got != "ERR" {
		t.Errorf("without a password: got %q", got)
	}
}

// TestPasswordIsNotRepeated, whatever the server says.
func TestPasswordIsNotRepeated(t *testing.T) {
	r := newReader(strings.NewReader("-ERR no such password: hunter2\r\n"))
	r.password = "hunter2"
	reply, err := r.read()
	if err != nil || reply.Err == nil {
		t.Fatalf("got %s, %v", show(reply), err)
	}
	for _, text := range []string{reply.Text, reply.Err.Error()} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "no such password: ***") {
			t.Errorf("the refusal is told as %q", text)
		}
	}
}

func TestErrorCodes(t *testing.T) {
	cases := map[string]string{
		"ERR no such key": "ERR", "WRONGTYPE Operation against": "WRONGTYPE", "LOADING": "LOADING",
		"": "ERR", "Err no": "ERR", " NOAUTH": "ERR",
	}
	for text, want := range cases {
		if got := errorCode(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzReply(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "-ERR no\r\n", "$-1\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes string) {
		reply, err := newReader(strings.NewReader(bytes)).read()
		if err != nil && !errors.Is(err, errProtocol) && err != io.EOF && err != io.ErrUnexpectedEOF {
			t.Fatal(fmt.Errorf("%q: %w", bytes, err))
		}
		if err == nil && len(show(reply)) > 8*len(bytes)+16 {
			t.Fatalf("%q: a reply larger than its bytes", bytes)
		}
	})
}
