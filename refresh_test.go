package latchkey

import (
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// withAccessToken has the upstream see which access token the session has.
func withAccessToken(c *Config) { c.Forward.AccessTokenHeader = "X-Token" }

func (g *rig) token() string {
	g.t.Helper()
	if g.upstream == nil {
		g.t.Fatal("the upstream got no request")
	}
	return g.upstream.Header.Get("X-Token")
}

// inStore makes a refreshing rig with sessions in that store; its access tokens
// go to the upstream.
func inStore(t *testing.T, store string, change func(*Config)) *rig {
	t.Helper()
	settings := func(c *Config) {
		withAccessToken(c)
		c.Session.Store = store
		if change != nil {
			change(c)
		}
	}
	if store == "redis" {
		return newPair(t, settings).rig
	}
	return refreshing(t, settings)
}

var stores = []string{"cookie", "memory", "redis"}

// A session is refreshed a minute before its access token ends, and once.
func TestRefreshBeforeTheEnd(t *testing.T) {
	for _, store := range stores {
		g := inStore(t, store, nil)
		g.login("/app", nil)
		cookie := g.jar[g.l.set.cookie.Name]
		g.clock.advance(239 * time.Second)
		g.expectStatus(store+": before it is due", g.do(fetch(t, "/app")), http.StatusOK)
		first := g.token()
		if n := g.provider.Grants(); n != 0 {
			t.Errorf("%s: %d grants before it is due", store, n)
		}
		g.clock.advance(time.Second)
		for i := 0; i < 3; i++ {
			g.expectStatus(store+": when it is due", g.do(fetch(t, "/app")), http.StatusOK)
			if got := g.token(); got == first || got == "" {
				t.Errorf("%s: request %d got the old access token, or none", store, i)
			}
		}
		if n := g.provider.Grants(); n != 1 {
			t.Errorf("%s: %d grants, want 1", store, n)
		}
		if changed := g.jar[g.l.set.cookie.Name] != cookie; changed != (store == "cookie") {
			t.Errorf("%s: a new cookie: %v", store, changed)
		}
		// And again, with the refresh token that came with it.
		g.clock.advance(240 * time.Second)
		g.expectStatus(store+": when it is due again", g.do(fetch(t, "/app")), http.StatusOK)
		if n := g.provider.Grants(); n != 2 {
			t.Errorf("%s: %d grants, want 2", store, n)
		}
	}
}

// An access token that lives shorter than twice refresh.before is refreshed in
// the middle of its life, not all the time.
func TestRefreshOfShortTokens(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.provider.Set(func(b *oidctest.Behavior) { b.ExpiresIn = 60 })
	g.login("/app", nil)
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{29, 0}, {1, 1}, {29, 1}, {1, 2}} {
		g.clock.advance(step.after * time.Second)
		g.expectStatus("a short token", g.do(fetch(t, "/app")), http.StatusOK)
		if n := g.provider.Grants(); n != step.want {
			t.Errorf("%d grants, want %d", n, step.want)
		}
	}
}

// A browser that never got the new cookie comes with the old one, and gets the
// new one again.
func TestLostCookie(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	old := g.swap(g.jar)
	g.clock.advance(240 * time.Second)
	g.expectStatus("the refresh", g.do(fetch(t, "/app")), http.StatusOK)
	token := g.token()
	for i := 0; i < 3; i++ {
		g.clock.advance(9 * time.Second)
		g.swap(old)
		response := g.do(fetch(t, "/app"))
		g.expectStatus("with the old cookie", response, http.StatusOK)
		if len(response.Cookies()) == 0 || g.token() != token {
			t.Errorf("request %d: %d cookies; the new access token: %v", i, len(response.Cookies()), g.token() == token)
		}
	}
	before := g.jar[g.l.set.cookie.Name]
	response := g.do(fetch(t, "/app"))
	g.expectStatus("with the cookie that came again", response, http.StatusOK)
	if g.token() != token || g.jar[g.l.set.cookie.Name] != before {
		t.Error("the new cookie is not taken as it is")
	}
	if n := g.provider.Grants(); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}
	for _, c := range response.Cookies() {
		t.Errorf("cookie %s is set again", c.Name)
	}
}

// What the old cookie leads to is no way round a revocation.
func TestLostCookieOfAnEndedSession(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	old := g.swap(g.jar)
	g.clock.advance(240 * time.Second)
	g.do(fetch(t, "/app"))
	current := g.swap(old)
	g.expectStatus("the old cookie", g.do(fetch(t, "/app")), http.StatusOK)
	g.swap(current)
	g.do(navigate(t, "/oauth2/logout"))
	g.swap(old)
	g.expectStatus("the old cookie after a logout", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	g.swap(current)
	g.expectStatus("the new cookie after a logout", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// Fifty panels wake up with one expired token: one grant, and nobody is logged out.
func TestManyRequestsOneGrant(t *testing.T) {
	for _, store := range stores {
		g := inStore(t, store, nil)
		g.login("/app", nil)
		g.clock.advance(301 * time.Second)
		quiet(g.l)
		arrived, release := g.provider.Hold(oidctest.Token)
		answers := statuses(t, g.l, 50, g.jar)
		take(t, "the grant", arrived)
		eventually(t, "all to wait", func() bool { return g.l.refreshes.followers.Load() == 49 })
		release()
		if got := <-answers; got[http.StatusOK] != 50 {
			t.Errorf("%s: got %v", store, got)
		}
		if n := g.provider.Grants(); n != 1 || g.provider.Hits(oidctest.Token) != 2 {
			t.Errorf("%s: %d grants, %d requests at the token endpoint", store, n, g.provider.Hits(oidctest.Token))
		}
	}
}

// A request does not wait long for a refresh that it could do without.
func TestRefreshInTheBackground(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	g.clock.advance(240 * time.Second)
	arrived, release := g.provider.Hold(oidctest.Token)
	g.expectStatus("while the provider thinks", g.do(fetch(t, "/app")), http.StatusOK)
	take(t, "the grant", arrived)
	release()
	eventually(t, "the grant", func() bool { return g.provider.Grants() == 1 && len(g.l.refreshes.slots) == 0 })
	g.clock.advance(retryRefresh * time.Second)
	if response := g.do(fetch(t, "/app")); len(response.Cookies()) == 0 || g.provider.Grants() != 1 {
		t.Errorf("the result came to nothing: %d cookies, %d grants", len(response.Cookies()), g.provider.Grants())
	}
}

// A reload in the middle of a grant: the next middleware takes it over.
func TestReloadDuringARefresh(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	g.clock.advance(301 * time.Second)
	quiet(g.l)
	arrived, release := g.provider.Hold(oidctest.Token)
	before := statuses(t, g.l, 1, g.jar)
	take(t, "the grant", arrived)
	next := g.router(func(c *Config) { withAccessToken(c) })
	quiet(next)
	after := statuses(t, next, 5, g.jar)
	eventually(t, "the new middleware's requests to wait", func() bool { return next.refreshes.followers.Load() == 5 })
	release()
	if b, a := <-before, <-after; b[http.StatusOK] != 1 || a[http.StatusOK] != 5 {
		t.Errorf("got %v and %v", b, a)
	}
	if n := g.provider.Grants(); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}
}
