package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// A Redis that forgets does not bring back what was revoked, and what is revoked afterwards is heard of.
func TestRedisForgets(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "cookie"})
	ended, later, stays := f.login(0, "alice"), f.login(1, "alice"), f.login(0, "bob")
	for _, p := range []*person{ended, later, stays} {
		f.answers(p.cookie, http.StatusOK, p.user)
	}
	f.logout(0, ended.cookie)
	f.soon(ended.cookie, http.StatusUnauthorized)
	forget := map[string]func() error{
		"FLUSHALL": func() error { return f.Redis.Flush(t.Context()) },
		"a restart with nothing": func() error {
			f.Redis.Kill()
			return f.Redis.Restart(t.Context())
		},
	}
	for _, how := range []string{"FLUSHALL", "a restart with nothing"} {
		if err := forget[how](); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			f.answers(ended.cookie, http.StatusUnauthorized, "the ended session after "+how)
			f.answers(stays.cookie, http.StatusOK, "another session after "+how)
		}
		f.within(normalAfter, "a login", func() error {
			_, err := f.tryLogin(0, "bob")
			return err
		})
		f.within(normalAfter, "the log of revocations to be written again", func() error {
			fresh, err := f.tryLogin(0, "alice")
			if err != nil {
				return err
			}
			f.logout(0, fresh.cookie)
			if f.status(1, fresh.cookie) != http.StatusUnauthorized {
				return errors.New("the other replica has not heard")
			}
			return nil
		})
	}
	f.logout(1, later.cookie)
	f.soon(later.cookie, http.StatusUnauthorized)
	f.answers(ended.cookie, http.StatusUnauthorized, "the session that ended first")
}

// A logout while Redis is away counts at once where it was made, and everywhere as soon as Redis is back.
func TestLogoutWithoutRedis(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "cookie", settings: func(s harness.Settings) harness.Settings {
		return s.With("redis", "timeout", "500ms")
	}})
	p, stays := f.login(0, "alice"), f.login(0, "bob")
	f.answers(p.cookie, http.StatusOK, "alice")
	f.answers(stays.cookie, http.StatusOK, "bob")
	f.Redis.Kill()
	f.logout(0, p.cookie)
	if status := f.status(0, p.cookie); status != http.StatusUnauthorized {
		t.Errorf("status %d where the logout was, want 401", status)
	}
	if a := f.backchannel(1, f.logoutToken("bob", "")); a.status == http.StatusOK {
		t.Error("a logout token was taken while the other replica could not be told; want the provider to try again")
	}
	if err := f.Redis.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.within(normalAfter, "401 at the other replica", func() error {
		if status := f.status(1, p.cookie); status != http.StatusUnauthorized {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
}

// Redis stands still for a moment just when a refresh token has been used up. The session outlives that.
func TestRedisStumblesAfterGrant(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"cookie", "redis"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, fleetPlan{store: store, settings: func(s harness.Settings) harness.Settings {
				return s.With("redis", "timeout", "500ms").With("refresh", "shareFor", "2s")
			}})
			f.Provider.SetAccessTokenLifetime(shortLife)
			p := f.login(0, "alice")
			f.outlast(shortLife, p)
			f.Provider.SetAccessTokenLifetime(2 * shortLife)
			f.Provider.AfterGrant(func() { _ = f.Redis.Pause() })
			a, err := f.ask(t.Context(), 0, "/page", p.cookie)
			f.Provider.MendTokens()
			if err := f.Redis.Resume(); err != nil {
				t.Fatal(err)
			}
			if err != nil || a.status != http.StatusOK {
				t.Errorf("status %d, error %v, want 200: the provider has given new tokens\n%s", a.status, err, a.body)
			}
			cookie := renewed(p.cookie, a.header)
			f.within(normalAfter, "the session to go on at both replicas", func() error {
				for i := range f.Traefiks {
					if status := f.status(i, cookie); status != http.StatusOK {
						return fmt.Errorf("status %d at replica %d", status, i)
					}
				}
				return nil
			})
			f.outlast(2*shortLife, &person{since: time.Now()})
			f.Provider.SetAccessTokenLifetime(0)
			f.answers(cookie, http.StatusOK, "the session at its next refresh")
			if g := f.Provider.Grants(); g.Refused != 0 {
				t.Errorf("%d grants were refused, want none", g.Refused)
			}
		})
	}
}

// With whenDown deny nobody goes on without Redis, and with stale nobody does for longer than staleFor.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, whenDown string
		most           time.Duration // until 503
	}{
		{"deny", "deny", 4 * time.Second},
		{"stale for 4s", "stale", 8 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, fleetPlan{replicas: 1, store: "cookie", settings: func(s harness.Settings) harness.Settings {
				return s.With("redis", "whenDown", test.whenDown).With("redis", "staleFor", "4s").With("redis", "timeout", "500ms")
			}})
			p := f.login(0, "alice")
			f.answers(p.cookie, http.StatusOK, "alice")
			f.Redis.Kill()
			began := time.Now()
			f.within(test.most, "503", func() error {
				status := f.status(0, p.cookie)
				if status != http.StatusServiceUnavailable {
					return fmt.Errorf("status %d", status)
				}
				return nil
			})
			if lasted := time.Since(began); test.whenDown == "stale" && lasted < 3*time.Second {
				t.Errorf("503 after %v, want 4 s of going on", lasted)
			}
			a, err := f.ask(t.Context(), 0, "/page", p.cookie)
			if err != nil || a.header.Get("Retry-After") == "" {
				t.Errorf("status %d, Retry-After %q, error %v, want 503 with one", a.status, a.header.Get("Retry-After"), err)
			}
			if err := f.Redis.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.within(normalAfter, "the session to go on", func() error {
				if status := f.status(0, p.cookie); status != http.StatusOK {
					return fmt.Errorf("status %d", status)
				}
				return nil
			})
		})
	}
}
