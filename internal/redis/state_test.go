package redis

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// A server that cannot serve says so of itself, not of the command: the caller
// gets what it gets while the server is away, and the breaker stays closed, for
// the server is there.
func TestServerThatCannotServe(t *testing.T) {
	for code, states := range map[string][2][]string{
		"OOM":      {{"CONFIG", "SET", "maxmemory", "1"}, {"CONFIG", "SET", "maxmemory", "0"}},
		"READONLY": {{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}},
	} {
		server := redistest.Start(t)
		c := New(Config{Addresses: []string{server.Addr()}, Timeout: 10 * time.Second})
		ctx := context.Background()
		if _, err := c.Do(ctx, "SET", "k", "v"); err != nil {
			t.Fatal(err)
		}
		server.Command(states[0]...)
		for i := 0; i < 2*failuresToOpen; i++ {
			if _, err := c.Do(ctx, "SET", "k", "v"); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrCommand) {
				t.Errorf("%s: got %v, want %v", code, err, ErrUnavailable)
			}
		}
		if h := c.Health(); h.Breaker != "closed" || h.LastError != code {
			t.Errorf("%s: the breaker is %s, the last error %q", code, h.Breaker, h.LastError)
		}
		server.Command(states[1]...)
		if _, err := c.Do(ctx, "SET", "k", "v"); err != nil {
			t.Errorf("%s, over: %v", code, err)
		}
		c.Close()
	}
}

// A server that does not know us any more says so of itself, too: the connection
// is of no more use.
func TestServerThatKnowsUsNoMore(t *testing.T) {
	for code, kept := range map[string]bool{
		"WRONGPASS": false, "NOAUTH": false, "LOADING": false, "MASTERDOWN": false, "READONLY": false, "UNBLOCKED": false,
		"CLUSTERDOWN": true, "TRYAGAIN": true, "MOVED": true, "ASK": true, "OOM": true, "MISCONF": true, "NOREPLICAS": true, "BUSY": true,
	} {
		s := startScripted(t, func(conn net.Conn) { say(conn, "-"+code+" says the server\r\n") })
		c := New(Config{Addresses: []string{s.listener.Addr().String()}, Timeout: 10 * time.Second})
		_, err := c.Do(background, "GET", "former")
		expectError(t, code, err, ErrUnavailable)
		if errors.Is(err, ErrCommand) {
			t.Errorf("%s: it is said of the command: %v", code, err)
		}
		if open := c.Health().Connections; (open > 0) != kept {
			t.Errorf("%s: %d connections are kept", code, open)
		}
		c.Close()
	}
}

// While a password changes, new connections may be refused. Those that were let in
// go on, and nobody takes the server for being away.
func TestPasswordThatDoesNotFitYet(t *testing.T) {
	for code, change := range map[string][]string{
		"WRONGPASS": {"ACL", "SETUSER", "u", "resetpass", ">second"},
		"NOAUTH":    {"ACL", "SETUSER", "default", "resetpass", ">second"},
	} {
		server := redistest.Start(t)
		server.Command("ACL", "SETUSER", "u", "on", ">first", "~*", "+@all")
		password, clock := "first", newHandClock()
		config := Config{Addresses: []string{server.Addr()}, Username: "u", Password: func() string { return password }, Timeout: generous, Now: func() time.Time { return clock.now() }}
		if code == "NOAUTH" {
			config.Username, password = "", ""
		}
		c := open1(t, config)
		do(t, c, "SET", "k", "v")
		held, f := c.node.pool.get(background, true)
		if f != nil {
			t.Fatal(f.text())
		}
		server.Command(change...)
		for i := 0; i < 2*failuresToOpen; i++ {
			_, err := c.Do(background, "GET", "k")
			expectError(t, code, err, ErrUnavailable)
		}
		if h := c.Health(); h.Breaker != "closed" || h.LastError != code {
			t.Errorf("%s: the breaker is %s, the last error %q", code, h.Breaker, h.LastError)
		}
		c.node.pool.put(held, true)
		expect(t, code+", on a connection of before", do(t, c, "GET", "k"), `"v"`)
		c.node.pool.flush()
		for i := 0; i < failuresToOpen; i++ {
			_, err := c.Do(background, "GET", "k")
			expectError(t, code, err, ErrUnavailable)
		}
		expect(t, code+", and no connection is left: the breaker", c.Health().Breaker, "open")
		password = "second"
		clock.advance(probeEvery)
		expect(t, code+", the new password", do(t, c, "GET", "k"), `"v"`)
	}
}
