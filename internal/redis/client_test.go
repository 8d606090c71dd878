package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

var background = context.Background()

// generous is for tests in which the server is there: a busy machine must not
// fail them.
const generous = 10 * time.Second

func open1(t *testing.T, c Config) *Client {
	t.Helper()
	client := New(c)
	t.Cleanup(func() { client.Close() })
	return client
}

func do(t *testing.T, c *Client, args ...string) string {
	t.Helper()
	reply, err := c.Do(background, args...)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return show(reply)
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func expectError(t *testing.T, what string, err, want error, texts ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %q does not say %q", what, err, text)
		}
	}
}

func TestCommands(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	expect(t, "a key never set", do(t, c, "GET", "a"), "nil")
	expect(t, "set", do(t, c, "SET", "a", "1\r\n\x00\xff"), `"OK"`)
	expect(t, "its value", do(t, c, "GET", "a"), `"1\r\n\x00\xff"`)
	expect(t, "an integer", do(t, c, "INCR", "n"), "1")
	expect(t, "a list", do(t, c, "MGET", "a", "none", "n"), `["1\r\n\x00\xff" nil "1"]`)
	expect(t, "a stream", do(t, c, "XADD", "s", "1-1", "f", "v"), `"1-1"`)
	expect(t, "lists in lists", do(t, c, "XRANGE", "s", "-", "+"), `[["1-1" ["f" "v"]]]`)
	large := strings.Repeat("x", maxBulk)
	do(t, c, "SET", "large", large)
	if do(t, c, "GET", "large") != `"`+large+`"` {
		t.Error("a value of 1 MiB came back changed")
	}
	_, err := c.Do(background, "INCR", "a")
	expectError(t, "INCR of a text", err, ErrCommand, "not an integer")
	_, err = c.Do(background)
	expectError(t, "no command", err, ErrCommand)
	if h := c.Health(); h.Connections != 1 || h.Failures != 0 || h.Breaker != "closed" || h.LastError != "" || h.Commands < 9 {
		t.Errorf("health: %+v", h)
	}
}

func TestDoAll(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	replies, err := c.DoAll(background, [][]string{{"SET", "a", "x"}, {"INCR", "a"}, {"GET", "a"}})
	if err != nil || len(replies) != 3 {
		t.Fatalf("got %d replies, %v", len(replies), err)
	}
	expect(t, "the first", show(replies[0]), `"OK"`)
	expectError(t, "the second", replies[1].Err, ErrCommand, "not an integer")
	expect(t, "the third", show(replies[2]), `"x"`)

	replies, err = c.DoAll(background, nil)
	if len(replies) != 0 || err != nil {
		t.Errorf("no commands: got %d replies, %v", len(replies), err)
	}
	_, err = c.DoAll(background, [][]string{{"PING"}, nil})
	expectError(t, "an empty command", err, ErrCommand)

	var many [][]string
	for i := 0; i < 5000; i++ {
		many = append(many, []string{"ECHO", strings.Repeat("x", i%500)})
	}
	replies, err = c.DoAll(background, many)
	if err != nil {
		t.Fatal(err)
	}
	for i := range replies {
		if replies[i].Text != many[i][1] {
			t.Fatalf("reply %d is another's", i)
		}
	}
}

func TestBlock(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	reply, err := c.Block(background, time.Second, "XREAD", "BLOCK", "20", "STREAMS", "s", "$")
	if err != nil || reply.Kind != Nil {
		t.Fatalf("nothing came: got %s, %v", show(reply), err)
	}
	answered := make(chan string, 1)
	go func() {
		reply, err := c.Block(background, generous, "BLPOP", "queue", "10")
		if err != nil {
			answered <- err.Error()
			return
		}
		answered <- show(reply)
	}()
	waitFor(t, "the server to have a blocked client", func() bool {
		return strings.Contains(s.Command("INFO", "clients"), "blocked_clients:1")
	})
	expect(t, "meanwhile", do(t, c, "RPUSH", "queue", "v"), "1")
	expect(t, "the blocked", <-answered, `["queue" "v"]`)
	if h := c.Health(); h.Connections != 2 {
		t.Errorf("%d connections, want one for Do and one for Block", h.Connections)
	}
}

// TestTooManyBlocked: callers that block have a bounded number of connections,
// and do not keep others from theirs.
func TestTooManyBlocked(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}})
	ctx, cancel := context.WithCancel(background)
	var wg sync.WaitGroup
	for i := 0; i < maxBlocking; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, _ = c.Block(ctx, time.Minute, "BLPOP", "never", "0")
		}()
	}
	waitFor(t, "blocked clients", func() bool {
		return strings.Contains(s.Command("INFO", "clients"), "blocked_clients:"+strconv.Itoa(maxBlocking)+"\r")
	})
	_, err := c.Block(ctx, time.Minute, "BLPOP", "never", "1")
	expectError(t, "one too many", err, ErrUnavailable, "busy")
	expect(t, "a command that does not block", do(t, c, "PING"), `"PONG"`)
	cancel()
	wg.Wait()
	if n := c.Health().Connections; n != 1 {
		t.Errorf("%d connections after all have left, want 1", n)
	}
}

// TestBlockEnds: by its own limit, its context, or Close.
func TestBlockEnds(t *testing.T) {
	s := redistest.Start(t)
	ends := map[string]func(c *Client, cancel func()){
		"its limit":   func(c *Client, cancel func()) {},
		"its context": func(c *Client, cancel func()) { cancel() },
		"Close":       func(c *Client, cancel func()) { c.Close() },
	}
	for name, end := range ends {
		timeout := generous
		if name == "its limit" {
			timeout = 200 * time.Millisecond
		}
		c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: timeout})
		ctx, cancel := context.WithCancel(background)
		failed := make(chan error, 1)
		go func() {
			_, err := c.Block(ctx, 100*time.Millisecond, "BLPOP", "never", "0")
			failed <- err
		}()
		waitFor(t, "a blocked client", func() bool {
			return strings.Contains(s.Command("INFO", "clients"), "blocked_clients:1")
		})
		end(c, cancel)
		select {
		case err := <-failed:
			expectError(t, name, err, ErrUnavailable)
			if name == "its context" {
				expectError(t, name, err, context.Canceled)
			}
		case <-time.After(generous):
			t.Fatalf("%s does not end it", name)
		}
		cancel()
		waitFor(t, "no blocked client", func() bool {
			return strings.Contains(s.Command("INFO", "clients"), "blocked_clients:0")
		})
	}
}

func TestCloseIsTheEnd(t *testing.T) {
	s := redistest.Start(t)
	c := New(Config{Addresses: []string{s.Addr()}, Timeout: generous})
	do(t, c, "PING")
	c.Close()
	c.Close()
	_, err := c.Do(background, "PING")
	expectError(t, "after Close", err, ErrUnavailable, "closed")
	_, err = c.Block(background, 0, "PING")
	expectError(t, "after Close", err, ErrUnavailable, "closed")
	if h := c.Health(); h.Connections != 0 {
		t.Errorf("%d connections after Close", h.Connections)
	}
	waitFor(t, "the server to see it", func() bool {
		return strings.Contains(s.Command("INFO", "clients"), "connected_clients:1\r")
	})
}

// TestConcurrentCalls: each gets its own answer, on a bounded number of
// connections.
func TestConcurrentCalls(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	var wg sync.WaitGroup
	for i := 0; i < 200; i++ {
		text := strings.Repeat("x", i)
		wg.Add(1)
		go func() {
			defer wg.Done()
			for turn := 0; turn < 5; turn++ {
				reply, err := c.Do(background, "ECHO", text)
				if err != nil || reply.Text != text {
					t.Errorf("echo of %d bytes: got %d, %v", len(text), len(reply.Text), err)
				}
			}
		}()
	}
	wg.Wait()
	if h := c.Health(); h.Connections > maxConnections {
		t.Errorf("%d connections, want at most %d", h.Connections, maxConnections)
	}
}

func TestDatabase(t *testing.T) {
	s := redistest.Start(t)
	zero := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	three := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous, Database: 3})
	do(t, three, "SET", "k", "three")
	expect(t, "in database 0", do(t, zero, "GET", "k"), "nil")
	expect(t, "in database 3", do(t, three, "GET", "k"), `"three"`)
	beyond := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous, Database: 99})
	_, err := beyond.Do(background, "GET", "k")
	expectError(t, "a database that is not there", err, ErrUnavailable, "out of range")
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s: not within 20s", what)
}
