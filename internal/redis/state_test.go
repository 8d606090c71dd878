package redis

import (
	"context"
	"errors"
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
