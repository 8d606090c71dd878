package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// A program whose token is known goes on while Redis is away, for as long as staleFor says, and again once it is back.
func TestAPITokensWithoutRedis(t *testing.T) {
	t.Parallel()
	const staleFor = 4 * time.Second
	// It comes back with what it was told.
	lasting := harness.RedisOptions{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}}
	redis, err := harness.StartRedis(t.Context(), lasting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Stop)
	f := startFleet(t, fleetPlan{store: "cookie", alone: true, settings: func(s harness.Settings) harness.Settings {
		return s.With("redis", "addresses", []string{redis.Address}).
			With("redis", "timeout", "500ms").With("redis", "staleFor", staleFor.String())
	}})
	p := f.login(0, "alice")
	known, ended, unknown := f.create(0, p, "known"), f.create(0, p, "ended"), f.create(0, p, "unknown")
	f.judges(known, http.StatusOK, "a token")
	f.judges(ended, http.StatusOK, "a token")
	f.revokeToken(0, p, ended)
	for i := range f.Traefiks {
		f.deadAfter(time.Now(), i, ended)
	}

	redis.Kill()
	began := time.Now()
	f.judges(known, http.StatusOK, "a token that is known, without Redis")
	f.judges(ended, http.StatusUnauthorized, "a revoked token, without Redis")
	f.outOfReach(1, unknown, "a token that this replica has never seen")
	for i := range f.Traefiks {
		f.within(staleFor+4*time.Second, "503", func() error {
			if status := f.verdict(i, known); status != http.StatusServiceUnavailable {
				return fmt.Errorf("status %d", status)
			}
			return nil
		})
		if lasted := time.Since(began); lasted < staleFor-time.Second {
			t.Errorf("503 at replica %d after %v, want %v of going on", i, lasted, staleFor)
		}
		f.outOfReach(i, known, "a token that is known, after staleFor")
	}
	if a, err := f.send(t.Context(), 0, http.MethodPost, "/oauth2/api/tokens", `{"note":"made without Redis"}`,
		"Cookie", p.cookie, "Content-Type", "application/json"); err != nil || a.status != http.StatusServiceUnavailable {
		t.Errorf("a token was asked for without Redis: status %d, error %v, want 503", a.status, err)
	}

	if err := redis.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range f.Traefiks {
		for _, token := range []apiToken{known, unknown} {
			f.within(normalAfter, "200", func() error {
				if status := f.verdict(i, token); status != http.StatusOK {
					return fmt.Errorf("status %d", status)
				}
				return nil
			})
		}
	}
	f.judges(ended, http.StatusUnauthorized, "a token that was revoked before Redis went")
	again := f.create(1, p, "made after Redis' return")
	f.judges(again, http.StatusOK, "a token made after Redis' return")
}

// outOfReach checks that a replica asks to be asked later about a token.
func (f *fleet) outOfReach(replica int, t apiToken, whose string) {
	f.t.Helper()
	a, err := f.send(f.t.Context(), replica, http.MethodGet, "/token", "", "Authorization", "Bearer "+t.credential)
	if err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		f.t.Errorf("%s at replica %d: status %d, Retry-After %q, error %v, want 503 with one",
			whose, replica, a.status, a.header.Get("Retry-After"), err)
	}
}

// A Redis that forgets everything does not bring back a token that was revoked.
func TestAPITokensRedisForgets(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "cookie"})
	p := f.login(0, "alice")
	revoked, rotated, stays := f.create(0, p, "revoked"), f.create(0, p, "rotated"), f.create(1, p, "stays")
	for _, token := range []apiToken{revoked, rotated, stays} {
		f.judges(token, http.StatusOK, "a token")
	}
	f.revokeToken(0, p, revoked)
	next := f.rotate(1, p, rotated)
	f.judges(next, http.StatusOK, "the new secret")
	for i := range f.Traefiks {
		f.deadAfter(time.Now(), i, revoked)
		f.deadAfter(time.Now(), i, rotated)
	}
	if err := f.Redis.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Bad tokens are remembered for 5 s: it has to hold for longer, too.
	ends := time.Now().Add(6 * time.Second)
	f.within(20*time.Second, "some time to pass", func() error {
		f.judges(revoked, http.StatusUnauthorized, "the revoked token after FLUSHALL")
		f.judges(rotated, http.StatusUnauthorized, "the rotated secret after FLUSHALL")
		if left := time.Until(ends); left > 0 && !t.Failed() {
			return fmt.Errorf("%v left", left)
		}
		return nil
	})
	f.judges(stays, http.StatusOK, "a token that nothing happened to, while it is remembered")
	f.judges(next, http.StatusOK, "the new secret, while it is remembered")
	again := f.create(0, p, "made after FLUSHALL")
	f.judges(again, http.StatusOK, "a token made after FLUSHALL")
}
