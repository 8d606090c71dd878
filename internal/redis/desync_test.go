package redis

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBadRepliesEndTheConnection: the next command has a new one, and its own
// answer. After each of these replies the server would go on as if it had been
// good.
func TestBadRepliesEndTheConnection(t *testing.T) {
	former := bulkOf("former")
	cases := []struct{ name, bytes, why string }{
		{"another type", "%1\r\n+a\r\n+b\r\n", "protocol"},
		{"no type at all", "former\r\n", "protocol"},
		{"a string over the bound", "$" + strconv.Itoa(maxBulk+1) + "\r\n", "protocol"},
		{"a string longer than it says", "$3\r\nformer\r\n", "protocol"},
		{"a list over the bound", "*" + strconv.Itoa(maxItems+1) + "\r\n", "protocol"},
		{"a list too deep", strings.Repeat("*1\r\n", maxDepth+1) + ":1\r\n", "protocol"},
		{"a line over the bound", "+" + strings.Repeat("x", maxLine) + "\r\n", "protocol"},
		{"a second reply", former + former, "protocol"},
		{"bytes after the reply", former + "$", "protocol"},
	}
	for _, test := range cases {
		reply := test.bytes
		s := startScripted(t, func(conn net.Conn) { say(conn, reply) })
		c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
		get(t, test.name+", before", c, "warm")
		_, err := c.Do(background, "GET", "former")
		expectError(t, test.name, err, ErrUnavailable, test.why)
		get(t, test.name+", after", c, "own")
		s.expectSecondConnection(t, test.name)
	}
}

// TestTruncatedReplies: the server ends in the middle of one. That is no idle
// connection that was closed: the command may have been carried out, and is not
// sent again.
func TestTruncatedReplies(t *testing.T) {
	cases := map[string]string{
		"a line": "+for", "a type": "$", "a length": "$6\r\n", "a string": "$6\r\nfor", "its end": "$6\r\nformer",
		"half its end": "$6\r\nformer\r", "a list": "*2\r\n$6\r\nformer\r\n",
	}
	for name, bytes := range cases {
		reply := bytes
		s := startScripted(t, func(conn net.Conn) {
			say(conn, reply)
			_ = conn.Close()
		})
		c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
		get(t, name+", before", c, "warm")
		_, err := c.Do(background, "GET", "former")
		expectError(t, name, err, ErrUnavailable, "EOF")
		get(t, name+", after", c, "own")
		s.expectSecondConnection(t, name)
	}
}

// TestOneOfSeveralRepliesIsMissing: there is none of them, and none is sent
// again.
func TestOneOfSeveralRepliesIsMissing(t *testing.T) {
	s := startScripted(t, func(conn net.Conn) { _ = conn.Close() })
	c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
	get(t, "before", c, "warm")
	replies, err := c.DoAll(background, [][]string{{"GET", "one"}, {"GET", "former"}, {"GET", "three"}})
	expectError(t, "the second is missing", err, ErrUnavailable)
	if len(replies) != 0 {
		t.Errorf("%d replies beside an error", len(replies))
	}
	get(t, "after", c, "own")
	s.expectSecondConnection(t, "the second is missing")
}

// TestClosedBeforeAnAnswer: an idle connection turned out to be closed. The
// command is sent again, once, on another.
func TestClosedBeforeAnAnswer(t *testing.T) {
	cases := []struct {
		name                   string
		warm                   bool // the connection was used before
		closes, asked, accepts int  // how often
		answered               bool
	}{
		{"once", true, 1, 2, 2, true},
		{"each time", true, 9, 2, 2, false},
		{"a connection that is new", false, 1, 1, 1, false},
	}
	for _, test := range cases {
		var mu sync.Mutex
		closes := test.closes
		s := startScripted(t, func(conn net.Conn) {
			mu.Lock()
			closes--
			again := closes >= 0
			mu.Unlock()
			if again {
				_ = conn.Close()
				return
			}
			say(conn, bulkOf("former"))
		})
		c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
		if test.warm {
			get(t, test.name+", before", c, "warm")
		}
		_, err := c.Do(background, "GET", "former")
		if (err == nil) != test.answered {
			t.Errorf("%s: got %v, want an answer: %v", test.name, err, test.answered)
		}
		if accepted, _, asked := s.counts(); accepted != test.accepts || asked != test.asked {
			t.Errorf("%s: asked %d times on %d connections, want %d on %d", test.name, asked, accepted, test.asked, test.accepts)
		}
	}
}

// TestLateReplies come when their caller has left. Nobody gets them.
func TestLateReplies(t *testing.T) {
	cases := []struct {
		name        string
		timeout     time.Duration
		leave       bool // by the context
		connections int
	}{
		// The probe after a time-out has a connection of its own, and is answered.
		{"after the time-out", 500 * time.Millisecond, false, 3},
		{"after the caller's context", generous, true, 2},
	}
	for _, test := range cases {
		asked := make(chan struct{}, 1)
		late := make(chan struct{})
		s := startScripted(t, func(conn net.Conn) {
			asked <- struct{}{}
			<-late
			say(conn, bulkOf("former"))
		})
		c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: test.timeout})
		get(t, test.name+", before", c, "warm")
		ctx, cancel := context.WithCancel(background)
		failed := make(chan error, 1)
		go func() {
			_, err := c.Do(ctx, "GET", "former")
			failed <- err
		}()
		<-asked
		if test.leave {
			cancel()
		}
		err := <-failed
		cancel()
		expectError(t, test.name, err, ErrUnavailable)
		if test.leave {
			expectError(t, test.name, err, context.Canceled)
		} else {
			expectError(t, test.name, err, ErrUnavailable, "timeout")
		}
		expect(t, test.name+": the breaker", c.Health().Breaker, "closed")
		if n := c.Health().Connections; n != 0 {
			t.Errorf("%s: %d connections, want none", test.name, n)
		}
		close(late)
		get(t, test.name+", after", c, "own")
		get(t, test.name+", and again", c, "another")
		s.expectConnections(t, test.name, test.connections)
	}
}

// TestOthersAreGivenUp: after a bad reply, a connection on which another caller
// waits for its answer is not used again once it has come.
func TestOthersAreGivenUp(t *testing.T) {
	asked := make(chan struct{}, 2)
	later := make(chan struct{})
	var nth atomic.Int64
	s := startScripted(t, func(conn net.Conn) {
		n := nth.Add(1)
		asked <- struct{}{}
		if n > 1 {
			say(conn, "%1\r\n")
			return
		}
		<-later
		say(conn, bulkOf("former"))
	})
	c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
	answered := make(chan string, 1)
	go func() {
		reply, _ := c.Do(background, "GET", "former")
		answered <- reply.Text
	}()
	<-asked
	_, err := c.Do(background, "GET", "former")
	expectError(t, "a bad reply", err, ErrUnavailable, "protocol")
	close(later)
	expect(t, "the other caller", <-answered, "former")
	get(t, "after", c, "own")
	if accepted, _, _ := s.counts(); accepted != 3 {
		t.Errorf("%d connections, want 3: the third for what comes after", accepted)
	}
}

// TestUnaskedBytes come while a connection is idle. It is not used again.
func TestUnaskedBytes(t *testing.T) {
	said := make(chan struct{}, 1)
	more := make(chan struct{})
	s := startScripted(t, func(conn net.Conn) {
		say(conn, bulkOf("former"))
		<-more
		say(conn, bulkOf("former"))
		said <- struct{}{}
	})
	clock := newHandClock()
	c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous, Now: func() time.Time { return clock.now() }})
	get(t, "before", c, "former")
	close(more)
	<-said
	clock.advance(checkAfter)
	get(t, "after", c, "own")
	s.expectSecondConnection(t, "unasked bytes")
}
