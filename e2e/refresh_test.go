package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	// stormSize is how many requests wake up with one expired access token.
	stormSize = 1000
	// slowProvider is how long the token endpoint takes meanwhile.
	slowProvider = 2 * time.Second
	// shortLife is that of access tokens that shall end soon.
	shortLife = 3 * time.Second
	// together is how many sessions expire at once. A login takes some 20 ms of one core, or it would be 1,000.
	together = 1000
	// maxGrants is how many refresh grants a replica has in flight at most.
	maxGrants = 32
)

// However many requests come with an expired access token, whichever replica they come to, and whatever happens
// meanwhile: its refresh token is used once, and nobody notices. It takes all there is of the machine, so nothing runs
// beside it.
func TestRefreshStorm(t *testing.T) {
	for _, store := range []string{"cookie", "redis"} {
		t.Run(store, func(t *testing.T) {
			f := startFleet(t, fleetPlan{store: store})
			for _, test := range []struct {
				name    string
				disturb func(f *fleet, cookie string) (finish func())
			}{
				{"undisturbed", func(*fleet, string) func() { return func() {} }},
				{"the first client hangs up", (*fleet).hangUp},
				{"a reload in the middle", (*fleet).reloadInGrant},
			} {
				t.Run(test.name, func(t *testing.T) { f.with(t).refreshStorm(test.disturb) })
			}
		})
	}
}

func (f *fleet) refreshStorm(disturb func(f *fleet, cookie string) (finish func())) {
	f.t.Helper()
	p := f.expired()
	f.Provider.SlowTokens(slowProvider)
	defer f.Provider.MendTokens()
	finish := disturb(f, p.cookie)
	began := time.Now()
	answers := f.storm(f.t.Context(), slices.Repeat([]string{p.cookie}, stormSize))
	f.t.Logf("%d requests were answered in %v", stormSize, time.Since(began).Round(10*time.Millisecond))
	finish()
	f.isAll(answers, http.StatusOK)
	f.granted(1, 0)

	// A client that never saw the answer still comes with the old cookie; one that did has the new one.
	f.answers(p.cookie, http.StatusOK, "the old cookie")
	for i, a := range answers {
		if cookie := renewed(p.cookie, a.header); cookie != p.cookie && i < 10 {
			f.answers(cookie, http.StatusOK, "the new cookie")
		}
	}
	f.granted(1, 0)
}

// expired is somebody whose access token has ended, and whose next one will live long.
func (f *fleet) expired() *person {
	f.t.Helper()
	f.Provider.SetAccessTokenLifetime(shortLife)
	p := f.login(0, "alice")
	f.answers(p.cookie, http.StatusOK, "the new session")
	f.outlast(shortLife, p)
	f.Provider.SetAccessTokenLifetime(0)
	f.Provider.ResetGrants()
	return p
}

// renewed is the Cookie header after an answer.
func renewed(cookie string, header http.Header) string {
	old, err := http.ParseCookie(cookie)
	if err != nil {
		return cookie
	}
	values := map[string]string{}
	for _, c := range old {
		values[c.Name] = c.Value
	}
	for _, line := range header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.MaxAge >= 0 {
			values[c.Name] = c.Value
		}
	}
	header = http.Header{}
	r := http.Request{Header: header}
	for _, c := range old {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: values[c.Name]})
	}
	return header.Get("Cookie")
}

// leader sends a request to the first replica and waits until its grant is under way.
func (f *fleet) leader(ctx context.Context, cookie string) (done chan int) {
	f.t.Helper()
	done = make(chan int, 1)
	go func() {
		a, _ := f.ask(ctx, 0, "/leader", cookie)
		done <- a.status
	}()
	f.within(20*time.Second, "the grant", func() error {
		if g := f.Provider.Grants(); g.InFlight == 0 && g.Succeeded == 0 {
			return errors.New("none is under way")
		}
		return nil
	})
	return done
}

func (f *fleet) hangUp(cookie string) (finish func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	done := f.leader(ctx, cookie)
	cancel()
	if status := <-done; status != 0 {
		f.t.Errorf("the first client was answered, with status %d, before it hung up", status)
	}
	return func() {}
}

func (f *fleet) reloadInGrant(cookie string) (finish func()) {
	done := f.leader(f.t.Context(), cookie)
	reloaded := make(chan error, 1)
	go func() { reloaded <- f.reload(0) }()
	return func() {
		if err := <-reloaded; err != nil {
			f.t.Error(err)
		}
		if status := <-done; status != http.StatusOK {
			f.t.Errorf("the first request: status %d, want 200", status)
		}
	}
}

// A replica is killed when its grant has used up the refresh token. What it got is lost, so the one session may need a
// login, once, as soon as the lease has run out.
func TestLeaseHolderKilled(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"cookie", "redis"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, fleetPlan{store: store, settings: func(s harness.Settings) harness.Settings {
				return s.With("refresh", "timeout", "3s")
			}})
			f.killHolder()
		})
	}
}

func (f *fleet) killHolder() {
	p, other := f.expired(), f.login(1, "bob")
	f.Provider.AfterGrant(f.Traefiks[0].Kill)
	defer f.Provider.MendTokens()
	if status := <-f.leader(f.t.Context(), p.cookie); status != 0 {
		f.t.Errorf("status %d from a replica that was killed", status)
	}
	f.Provider.MendTokens()
	survivor := f.survivor()
	for status := range tally(survivor.storm(f.t.Context(), slices.Repeat([]string{p.cookie}, stormSize/10))) {
		if !slices.Contains([]int{http.StatusOK, http.StatusUnauthorized, http.StatusServiceUnavailable}, status) {
			f.t.Errorf("status %d, want 200, 401 or 503", status)
		}
	}
	survivor.within(30*time.Second, "the session to go on, or to end", func() error {
		if status := survivor.status(0, p.cookie); status != http.StatusOK && status != http.StatusUnauthorized {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	if survivor.status(0, p.cookie) != http.StatusOK {
		p = survivor.login(0, "alice")
	}
	for range 10 {
		survivor.answers(p.cookie, http.StatusOK, "the session after one login")
	}
	survivor.answers(other.cookie, http.StatusOK, "another session")
}

// survivor is the fleet without the first replica.
func (f *fleet) survivor() *fleet {
	left := f.with(f.t)
	left.Traefiks = f.Traefiks[1:]
	return left
}

// Many sessions that expire together are refreshed once each, and the provider is not run down.
func TestManySessionsExpireTogether(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "redis"})
	f.Provider.SetAccessTokenLifetime(shortLife)
	people := f.logins(together, numbered)
	f.outlast(shortLife, people...)
	f.Provider.SetAccessTokenLifetime(0)
	f.Provider.ResetGrants()
	f.Provider.SlowTokens(200 * time.Millisecond)
	var cookies []string
	for _, p := range people {
		cookies = append(cookies, p.cookie)
	}
	began := time.Now()
	f.isAll(f.storm(t.Context(), cookies), http.StatusOK)
	most := f.Provider.Grants().MostInFlight
	t.Logf("%d sessions were refreshed in %v, at most %d at once", together, time.Since(began).Round(10*time.Millisecond), most)
	f.granted(together, 0)
	if bound := maxGrants * len(f.Traefiks); most > bound {
		t.Errorf("%d grants were in flight at once, want %d at most", most, bound)
	}
	f.isAll(f.storm(t.Context(), cookies), http.StatusOK)
	f.granted(together, 0)
}
