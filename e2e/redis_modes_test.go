package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// Sessions survive the end of the master that they were written to.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	s, err := harness.StartSentinels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	f := startFleet(t, fleetPlan{store: "redis", alone: true, settings: func(settings harness.Settings) harness.Settings {
		return settings.With("redis", "mode", "sentinel").
			With("redis", "masterName", harness.MasterName).
			With("redis", "addresses", s.Addresses())
	}})
	p, ended := f.login(0, "alice"), f.login(1, "alice")
	f.answers(p.cookie, http.StatusOK, "alice")
	f.logout(0, ended.cookie)
	if err := s.Failover(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.answers(p.cookie, http.StatusOK, "alice after the failover")
	f.worksAgain(15 * time.Second)
	f.forgotten(p, ended)
}

// worksAgain waits until logins are good everywhere, and logouts too.
func (f *fleet) worksAgain(within time.Duration) {
	f.t.Helper()
	f.within(within, "a login and a logout", func() error {
		p, err := f.tryLogin(0, "bob")
		if err != nil {
			return err
		}
		if status := f.status(1, p.cookie); status != http.StatusOK {
			return fmt.Errorf("the other replica: status %d", status)
		}
		f.logout(0, p.cookie)
		return nil
	})
}

// forgotten restarts the replicas, so that they know only what is in Redis.
func (f *fleet) forgotten(stays, ended *person) {
	f.t.Helper()
	for _, traefik := range f.Traefiks {
		if err := traefik.Restart(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
	}
	f.answers(stays.cookie, http.StatusOK, "a session after a restart")
	f.answers(ended.cookie, http.StatusUnauthorized, "a session that was ended before the restart")
}

// Sessions survive the move of their slot to another node, and are found while it moves.
func TestClusterSlotMoves(t *testing.T) {
	t.Parallel()
	c, err := harness.StartCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	f := startFleet(t, fleetPlan{store: "redis", alone: true, settings: func(settings harness.Settings) harness.Settings {
		return settings.With("redis", "mode", "cluster").With("redis", "addresses", c.Addresses()[:1])
	}})
	p, ended := f.login(0, "alice"), f.login(1, "alice")
	f.answers(p.cookie, http.StatusOK, "alice")
	f.logout(0, ended.cookie)
	f.soon(ended.cookie, http.StatusUnauthorized)

	keys, err := c.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	moved := map[string]int{}
	for key, node := range keys {
		if !strings.Contains(key, "session:") && !strings.Contains(key, "revocations") {
			continue
		}
		moved[key] = (node + 1) % len(c.Nodes)
		if err := c.BeginMove(t.Context(), key, node, moved[key]); err != nil {
			t.Fatal(err)
		}
	}
	if len(moved) < 2 {
		t.Fatalf("keys %v, want a session and the log of revocations among them", keys)
	}
	f.forgotten(p, ended) // ASK
	for key, to := range moved {
		if err := c.EndMove(t.Context(), key, to); err != nil {
			t.Fatal(err)
		}
	}
	f.worksAgain(15 * time.Second)
	f.forgotten(p, ended) // MOVED
}
