package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// troubledLife is the lifetime of access tokens while the token endpoint is in trouble: half of it is left then.
const troubledLife = 8 * time.Second

// While no token can be refreshed a session is good for as long as its access token, then it is 503, and when the
// provider is back it goes on. Nobody is logged out.
func TestRefreshTrouble(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, store string
		begin, end  func(p *harness.Provider) error
	}{
		{"500", "cookie", func(p *harness.Provider) error { p.FailTokens(500); return nil }, mend},
		{"hangs", "redis", func(p *harness.Provider) error { p.HangTokens(); return nil }, mend},
		{"refuses connections", "memory", func(p *harness.Provider) error { p.Stop(); return nil }, (*harness.Provider).Start},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, fleetPlan{replicas: 1, store: test.store, alone: test.store == "memory", settings: func(s harness.Settings) harness.Settings {
				return s.With("refresh", "timeout", "1s")
			}})
			f.Provider.SetAccessTokenLifetime(troubledLife)
			p := f.login(0, "alice")
			if err := test.begin(f.Provider); err != nil {
				t.Fatal(err)
			}
			// Whole seconds count, and the provider counted from a moment after p.since.
			good := p.since.Add(troubledLife - 2*time.Second)
			asked := 0
			f.within(2*troubledLife, "the access token to end", func() error {
				status := f.status(0, p.cookie)
				asked++
				if now := time.Now(); now.Before(good) {
					if status != http.StatusOK {
						t.Errorf("status %d, %v before the access token ends, want 200", status, good.Sub(now))
					}
					return fmt.Errorf("%v left", good.Sub(now))
				}
				if status == http.StatusUnauthorized {
					t.Fatal("the session has ended")
				}
				if status != http.StatusServiceUnavailable {
					return fmt.Errorf("status %d", status)
				}
				return nil
			})
			t.Logf("asked %d times", asked)
			a, err := f.ask(t.Context(), 0, "/page", p.cookie)
			if err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
				t.Errorf("status %d, Retry-After %q, error %v, want 503 with one", a.status, a.header.Get("Retry-After"), err)
			}
			f.Provider.SetAccessTokenLifetime(0)
			if err := test.end(f.Provider); err != nil {
				t.Fatal(err)
			}
			f.within(40*time.Second, "the session to go on", func() error {
				if status := f.status(0, p.cookie); status != http.StatusOK {
					return fmt.Errorf("status %d", status)
				}
				return nil
			})
			f.granted(1, 0)
		})
	}
}

func mend(p *harness.Provider) error { p.MendTokens(); return nil }

// A refresh token that the provider has forgotten ends its session, on every replica, and no other one.
func TestRefreshTokenForgotten(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"cookie", "redis"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, fleetPlan{store: store})
			f.Provider.SetAccessTokenLifetime(shortLife)
			p, other := f.login(0, "alice"), f.login(0, "alice")
			f.Provider.Forget(f.sid(p))
			f.outlast(shortLife, p, other)
			f.Provider.SetAccessTokenLifetime(0)
			f.Provider.ResetGrants()
			f.isAll(f.storm(t.Context(), slices.Repeat([]string{p.cookie}, 50)), http.StatusUnauthorized)
			if g := f.Provider.Grants(); g.Refused < 1 || g.Refused > len(f.Traefiks) {
				t.Errorf("the provider refused %d grants, want one, and at most one for each replica", g.Refused)
			}
			f.answers(p.cookie, http.StatusUnauthorized, "the ended session")
			if a := f.navigate(p.client, f.Traefiks[1].URL+"/page"); a.status != http.StatusFound {
				t.Errorf("the ended session's next page: status %d, want 302 to a login", a.status)
			}
			f.answers(other.cookie, http.StatusOK, "the other session")
			if g := f.Provider.Grants(); g.Succeeded != 1 || g.Refused > len(f.Traefiks) {
				t.Errorf("grants are %+v, want 1 for the other session and no more refused ones", g)
			}
		})
	}
}

// A refresh token older than maxTokenAge is not tried.
func TestRefreshTokenTooOld(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{replicas: 1, store: "cookie", alone: true, settings: func(s harness.Settings) harness.Settings {
		return s.With("refresh", "maxTokenAge", "1s")
	}})
	f.Provider.SetAccessTokenLifetime(shortLife)
	p := f.login(0, "alice")
	f.outlast(shortLife, p)
	f.answers(p.cookie, http.StatusUnauthorized, "a session whose refresh token is too old")
	if a := f.navigate(p.client, f.Traefiks[0].URL+"/page"); a.status != http.StatusFound {
		t.Errorf("its next page: status %d, want 302 to a login", a.status)
	}
	f.granted(0, 0)
}
