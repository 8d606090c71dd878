package redis

import (
	"fmt"
	"net"
	"sort"
	"strings"
	"testing"
)

// Replies of every kind, and the letters of those commands that each may answer.
var kindsOfReplies = []struct{ bytes, letters string }{
	{"+OK\r\n", "o t"}, {"+QUEUED\r\n", "t"}, {bulkOf("x"), "t"}, {bulkOf(""), "t"}, {":0\r\n", "i"}, {":-7\r\n", "i"},
	{"$-1\r\n", "n"}, {"*-1\r\n", "n"},
	{"*0\r\n", "l"}, {"*1\r\n" + bulkOf("x"), "l:t"}, {"*1\r\n:1\r\n", "l:i"}, {"*1\r\n$-1\r\n", "l:n"}, {"*1\r\n*0\r\n", "l:l"},
	{"*1\r\n-ERR x\r\n", "l:e"},
}

// mayAnswer is written apart from what it is about: by the letters of the table.
func mayAnswer(answers, letters string) bool {
	own, items, limited := strings.Cut(answers, ":")
	if strings.HasPrefix(letters, "l:") {
		return strings.Contains(own, "l") && (!limited || strings.Contains(items, letters[2:]))
	}
	for _, letter := range strings.Fields(letters) {
		if strings.Contains(own, letter) {
			return true
		}
	}
	return false
}

// Each command that is known gets each kind of reply, and a server that answers
// with another than may be is not believed: an error, and the end of that
// connection.
func TestRepliesOfAnotherKind(t *testing.T) {
	var names []string
	for name := range commands {
		if name != "PING" { // which each connection begins with
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		for _, reply := range kindsOfReplies {
			what := fmt.Sprintf("%s answered by %q", name, reply.bytes)
			bytes := reply.bytes
			s := startScripted(t, func(conn net.Conn) { say(conn, bytes) })
			c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
			_, err := c.Do(background, name, "former")
			if mayAnswer(commands[name].answers, reply.letters) {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
				c.Close()
				continue
			}
			expectError(t, what, err, ErrUnavailable, "protocol")
			if n := c.Health().Connections; n != 0 {
				t.Errorf("%s: the connection is kept", what)
			}
			c.Close()
		}
	}
}

// What a server must not make of the commands that others depend on: a log that
// seems empty, an entry that seems written, a lease or a session that seems there.
func TestAnswersOfTheCommandsWeSend(t *testing.T) {
	items := func(kind Kind) Reply { return Reply{Kind: List, Items: []Reply{{Kind: kind}}} }
	ok, text, integer, none, list := Reply{Kind: Text, Text: "OK"}, Reply{Kind: Text, Text: "x"}, Reply{Kind: Integer}, Reply{}, Reply{Kind: List}
	for name, wrong := range map[string][]Reply{
		"XREAD": {ok, text, integer, items(Text), items(Integer), items(Nil)}, "XREVRANGE": {ok, integer, none, items(Text)}, "XRANGE": {ok, none},
		"XADD": {integer, none, list}, "SET": {text, integer, list}, "GET": {integer, list}, "PTTL": {ok, none, list},
		"DEL": {ok, none, list}, "EXISTS": {ok, none}, "ZADD": {ok, none}, "ZREM": {ok, none}, "PEXPIREAT": {ok, none},
		"ZRANGE": {ok, none, integer, items(Integer), items(Nil)}, "ZRANGEBYSCORE": {ok, none, items(Integer)}, "ZSCAN": {ok, none, items(Integer)},
		"TIME": {ok, none, items(Integer)}, "AUTH": {none, integer, text}, "SELECT": {none, integer}, "PING": {none, integer, list},
	} {
		for _, r := range wrong {
			if r.fits(commands[name].answers) {
				t.Errorf("%s may be answered with %s %q %v", name, r.kindName(), r.Text, r.Items)
			}
		}
	}
}

// One reply among several is enough.
func TestOneReplyOfAnotherKind(t *testing.T) {
	s := startScripted(t, func(conn net.Conn) { say(conn, ":1\r\n") })
	c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
	_, err := c.DoAll(background, [][]string{{"GET", "one"}, {"get", "former"}, {"GET", "three"}})
	expectError(t, "an integer for a text", err, ErrUnavailable, "protocol", "an integer")
}

// What opens a connection is looked at in the same way.
func TestGreetingsOfAnotherKind(t *testing.T) {
	for _, reply := range []string{":1\r\n", "$-1\r\n", "*0\r\n", "+QUEUED\r\n"} {
		bytes := reply
		s := startScripted(t, func(conn net.Conn) { say(conn, bytes) })
		c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous, Username: "former", Password: password("p")})
		_, err := c.Do(background, "GET", "k")
		expectError(t, reply, err, ErrUnavailable, "protocol")
	}
}

func TestAs(t *testing.T) {
	text, none := Reply{Kind: Text, Text: "x"}, Reply{}
	number, list := Reply{Kind: Integer, Int: 7}, Reply{Kind: List, Items: []Reply{text}}
	refused := Reply{Text: "ERR x", Err: fmt.Errorf("%w: x", ErrCommand)}
	if got, found, err := text.AsText(); got != "x" || !found || err != nil {
		t.Errorf("a text: %q, %v, %v", got, found, err)
	}
	if _, found, err := none.AsText(); found || err != nil {
		t.Errorf("nil as a text: %v, %v", found, err)
	}
	if got, err := number.AsInteger(); got != 7 || err != nil {
		t.Errorf("an integer: %d, %v", got, err)
	}
	if got, err := list.AsList(); len(got) != 1 || err != nil {
		t.Errorf("a list: %d items, %v", len(got), err)
	}
	if got, err := none.AsList(); len(got) != 0 || err != nil {
		t.Errorf("nil as a list: %d items, %v", len(got), err)
	}
	for _, r := range []Reply{number, list} {
		_, _, err := r.AsText()
		expectError(t, r.kindName()+" as a text", err, ErrUnavailable)
	}
	for _, r := range []Reply{none, text, list} {
		_, err := r.AsInteger()
		expectError(t, r.kindName()+" as an integer", err, ErrUnavailable)
	}
	for _, r := range []Reply{text, number} {
		_, err := r.AsList()
		expectError(t, r.kindName()+" as a list", err, ErrUnavailable)
	}
	_, _, asText := refused.AsText()
	_, asInteger := refused.AsInteger()
	_, asList := refused.AsList()
	for _, err := range []error{asText, asInteger, asList} {
		expectError(t, "a refusal", err, ErrCommand)
	}
}

func TestRepeatable(t *testing.T) {
	for line, want := range map[string]bool{
		"GET k": true, "get k": true, "SET k v": true, "SET k v PX 5": true, "SET k v PX 5 XX": true, "SET k NX": true,
		"SET k v NX": false, "set k v px 5 nx": false, "SET k v NX PX 5": false,
		"ZADD z 1 m": true, "DEL k": true, "XREAD STREAMS s 0": true,
		"XADD s * f v": false, "INCR n": false, "EVAL s 0": false, "UNHEARD k": false,
		"GET k;SET k v": true, "GET k;XADD s * f v": false,
	} {
		var list [][]string
		for _, each := range strings.Split(line, ";") {
			list = append(list, strings.Fields(each))
		}
		if got := repeatable(list); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
}

// A server that carries out a command and is gone before its answer: what is not
// to be done twice is done once.
func TestNothingIsDoneTwice(t *testing.T) {
	for line, want := range map[string]int{"GET former": 2, "SET former v": 2, "SET former v NX": 1, "XADD former * f v": 1, "EVAL former 0": 1} {
		s := startScripted(t, func(conn net.Conn) { _ = conn.Close() })
		c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
		get(t, "before", c, "warm")
		_, err := c.Do(background, strings.Fields(line)...)
		expectError(t, line, err, ErrUnavailable)
		if _, _, done := s.counts(); done != want {
			t.Errorf("%s: done %d times, want %d", line, done, want)
		}
	}
}

// A connection that the server has closed meanwhile is noticed before such a
// command is sent on it.
func TestClosedIsNoticed(t *testing.T) {
	closed := make(chan struct{})
	s := startScripted(t, func(conn net.Conn) { say(conn, bulkOf("1-1")) })
	s.warm = func(conn net.Conn) {
		_ = conn.Close()
		close(closed)
	}
	c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
	get(t, "before", c, "warm")
	<-closed
	if _, err := c.Do(background, "XADD", "former", "*", "f", "v"); err != nil {
		t.Errorf("an idle connection that was closed: %v", err)
	}
}
