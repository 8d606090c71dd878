package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	// logoutTries is how many sessions are ended in each way, at one replica, and asked for at the other.
	logoutTries = 200
	// heardOf is how long the other replica may take to know.
	heardOf = time.Second
)

// TestLogoutIsHeardOf does not run beside others: it measures time.
func TestLogoutIsHeardOf(t *testing.T) {
	f := startFleet(t, fleetPlan{store: "redis"})
	for _, test := range []struct {
		name string
		end  func(f *fleet, replica int, p *person, sid string)
	}{
		{"logout", func(f *fleet, replica int, p *person, _ string) { f.logout(replica, p.cookie) }},
		{"back channel by sid", func(f *fleet, replica int, _ *person, sid string) {
			f.isTaken(replica, f.logoutToken("", sid))
		}},
		{"back channel by sub", func(f *fleet, replica int, p *person, _ string) {
			f.isTaken(replica, f.logoutToken(p.user, ""))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := f.with(t)
			var took []time.Duration
			bystander := f.login(0, "bob")
			people := f.logins(logoutTries, numbered)
			for i, p := range people {
				f.answers(p.cookie, http.StatusOK, p.user)
				sid := f.sid(p)
				here, there := i%2, 1-i%2
				began := time.Now()
				test.end(f, here, p, sid)
				took = append(took, f.refusedAfter(began, there, p.cookie))
				if status := f.status(here, p.cookie); status != http.StatusUnauthorized {
					t.Errorf("%s at the replica of the logout: status %d, want 401", p.user, status)
				}
			}
			f.answers(bystander.cookie, http.StatusOK, "somebody else")
			within(t, "401 at the other replica", took, heardOf)
		})
	}
}

// refusedAfter waits until a replica refuses the cookie and says how long after began that was.
func (f *fleet) refusedAfter(began time.Time, replica int, cookie string) time.Duration {
	f.t.Helper()
	f.within(5*time.Second, "401", func() error {
		if status := f.status(replica, cookie); status != http.StatusUnauthorized {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	return time.Since(began)
}

// soon waits until every replica answers so; how soon is measured in TestLogoutIsHeardOf.
func (f *fleet) soon(cookie string, want int) {
	f.t.Helper()
	for i := range f.Traefiks {
		f.within(5*time.Second, fmt.Sprintf("status %d", want), func() error {
			if status := f.status(i, cookie); status != want {
				return fmt.Errorf("status %d at replica %d", status, i)
			}
			return nil
		})
	}
}

// isTaken checks that a logout token was taken.
func (f *fleet) isTaken(replica int, token string) {
	f.t.Helper()
	a := f.backchannel(replica, token)
	if a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
		f.t.Errorf("logout token: status %d, Cache-Control %q, want 200, no-store\n%s", a.status, a.header.Get("Cache-Control"), a.body)
	}
}

// within checks that 99 of 100 took no longer than most.
func within(t *testing.T, what string, took []time.Duration, most time.Duration) {
	t.Helper()
	if len(took) == 0 {
		t.Fatalf("%s: none", what)
	}
	took = slices.Sorted(slices.Values(took))
	at := func(part float64) time.Duration {
		return took[min(len(took)-1, int(part*float64(len(took))))].Round(100 * time.Microsecond)
	}
	t.Logf("%s, %d times: p50 %v, p99 %v, at most %v", what, len(took), at(0.5), at(0.99), at(1))
	if at(0.99) > most {
		t.Errorf("%s: p99 %v, want %v at most", what, at(0.99), most)
	}
}

// A logout token counts once, on whatever replica, and what is not one ends nothing.
func TestLogoutTokens(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "cookie"})
	p := f.login(0, "alice")
	f.answers(p.cookie, http.StatusOK, "alice")
	sid := f.sid(p)
	tokens, err := f.Provider.Tokens(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"an ID token": tokens.IDToken, "an access token": tokens.AccessToken, "nothing": "", "neither sub nor sid": f.logoutToken("", ""),
	} {
		if a := f.backchannel(0, token); a.status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, a.status)
		}
	}
	f.answers(p.cookie, http.StatusOK, "alice after what is no logout token")

	token := f.logoutToken("alice", sid)
	f.isTaken(0, token)
	f.soon(p.cookie, http.StatusUnauthorized)
	for i := range f.Traefiks {
		if a := f.backchannel(i, token); a.status != http.StatusBadRequest {
			t.Errorf("replayed at replica %d: status %d, want 400", i, a.status)
		}
	}

	// A new login of the same person is not meant, though sub is that person's.
	again := f.login(1, "alice")
	f.answers(again.cookie, http.StatusOK, "alice, logged in again")
	bearer := f.bearer("alice")
	f.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+bearer)
	f.isTaken(1, f.logoutToken("alice", ""))
	f.soon(again.cookie, http.StatusUnauthorized)
	f.within(5*time.Second, "alice's access token to be refused", func() error {
		if a := f.get(harness.Client(), f.Traefik.URL+"/api", "Authorization", "Bearer "+bearer); a.status != http.StatusUnauthorized {
			return fmt.Errorf("status %d", a.status)
		}
		return nil
	})
	once := f.login(1, "alice")
	f.answers(once.cookie, http.StatusOK, "alice, logged in after the end of all sessions")
}

// The provider's page has the browser itself say that the login is over.
func TestFrontchannelLogout(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "redis"})
	p, other := f.login(0, "alice"), f.login(0, "alice")
	path := func(p *person) string {
		return "/oauth2/frontchannel-logout?" + url.Values{"iss": {f.Provider.Issuer}, "sid": {f.sid(p)}}.Encode()
	}
	if a, err := f.ask(t.Context(), 0, path(other), p.cookie); err != nil || a.status != http.StatusBadRequest {
		t.Errorf("with the sid of another session: status %d, error %v, want 400", a.status, err)
	}
	f.answers(p.cookie, http.StatusOK, "alice")
	if a, err := f.ask(t.Context(), 0, path(p), p.cookie); err != nil || a.status != http.StatusOK {
		t.Errorf("status %d, error %v, want 200", a.status, err)
	}
	f.soon(p.cookie, http.StatusUnauthorized)
	f.answers(other.cookie, http.StatusOK, "alice's other session")
}

// A logout gives the refresh token back to the provider.
func TestLogoutRevokesRefreshToken(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{replicas: 1, store: "cookie", alone: true})
	p := f.login(0, "alice")
	f.logout(0, p.cookie)
	f.within(10*time.Second, "the refresh token to be revoked", func() error {
		if f.Provider.Count(harness.RevokePath) == 0 {
			return errors.New("the provider was not asked")
		}
		return nil
	})
	f.answers(p.cookie, http.StatusUnauthorized, "the cookie of a session that ended")
}
