package redis

import (
	"net"
	"strconv"
	"sync"
	"testing"
)

// scripted is a server that answers as it is told: no real one says what is
// tested here. It answers PING, and GET of a key with that key; "former" is the
// key whose answer the script has.
type scripted struct {
	listener net.Listener
	former   func(conn net.Conn)
	warm     func(conn net.Conn) // after the answer to GET warm; nil: nothing
	ping     func(conn net.Conn) // instead of the answer to PING; nil: PONG

	mu       sync.Mutex
	accepted int // connections
	left     int // of these, closed by the client
	asked    int // for the former
}

func startScripted(t *testing.T, former func(conn net.Conn)) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{listener: listener, former: former}
	t.Cleanup(func() { _ = listener.Close() })
	go s.accept()
	return s
}

func (s *scripted) accept() {
	defer func() { _ = recover() }()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.count(&s.accepted)
		go s.serve(conn)
	}
}

// serve reads commands with the client's own reader: they are lists of strings.
func (s *scripted) serve(conn net.Conn) {
	defer func() { _ = recover() }()
	defer conn.Close()
	in := newReader(conn)
	for {
		command, err := in.read()
		if err != nil {
			s.count(&s.left)
			return
		}
		s.answer(conn, command)
	}
}

func (s *scripted) answer(conn net.Conn, command Reply) {
	if command.Items[0].Text == "PING" && s.ping != nil {
		s.ping(conn)
		return
	}
	if command.Items[0].Text == "PING" {
		say(conn, "+PONG\r\n")
		return
	}
	key := command.Items[1].Text
	if key == "former" {
		s.count(&s.asked)
		s.former(conn)
		return
	}
	say(conn, bulkOf(key))
	if key == "warm" && s.warm != nil {
		s.warm(conn)
	}
}

func (s *scripted) count(what *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what++
}

func (s *scripted) counts() (accepted, left, asked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted, s.left, s.asked
}

func say(conn net.Conn, bytes string) { _, _ = conn.Write([]byte(bytes)) }

func bulkOf(text string) string { return "$" + strconv.Itoa(len(text)) + "\r\n" + text + "\r\n" }

// get wants the key's own answer.
func get(t *testing.T, what string, c *Client, key string) {
	t.Helper()
	reply, err := c.Do(background, "GET", key)
	if err != nil || reply.Text != key {
		t.Errorf("%s: GET %s: got %s, %v", what, key, show(reply), err)
	}
}

// expectSecondConnection wants that the former's connection was closed, a
// second one opened, and the former never asked for again.
func (s *scripted) expectSecondConnection(t *testing.T, what string) {
	t.Helper()
	s.expectConnections(t, what, 2)
}

// expectConnections wants so many, of which all but the last were closed.
func (s *scripted) expectConnections(t *testing.T, what string, want int) {
	t.Helper()
	accepted, _, asked := s.counts()
	if accepted != want || asked != 1 {
		t.Fatalf("%s: %d connections, and the former asked for %d times; want %d and once", what, accepted, asked, want)
	}
	waitFor(t, what+": the connections to be closed", func() bool {
		_, left, _ := s.counts()
		return left == want-1
	})
}
