package latchkey

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// Endpoints that moved are found again: nobody is logged out, and nobody gets 503.
func TestEndpointsThatMoved(t *testing.T) {
	g := inStore(t, "cookie", func(c *Config) { c.Provider.UserInfo = true })
	g.login("/app", nil)
	g.clock.advance(240 * time.Second)
	asked := g.provider.Hits(oidctest.Discovery)
	g.provider.Set(func(b *oidctest.Behavior) { b.Moved = "/v2" })
	g.expectStatus("a refresh", g.do(fetch(t, "/app")), http.StatusOK)
	if n := g.provider.Grants(); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}
	if n := g.provider.Hits(oidctest.Discovery) - asked; n != 1 {
		t.Errorf("discovery was asked %d times, want 1", n)
	}
	g.clock.advance(time.Minute)
	callback := func() string {
		g.swap(nil)
		return g.begin("/app", nil)
	}
	good := callback()
	g.clock.advance(10 * time.Second)
	g.provider.Set(func(b *oidctest.Behavior) { b.Moved = "/v3" })
	if to := location(t, g.do(navigate(t, good))); to != "/app" {
		t.Errorf("a login ended at %q", to)
	}
	g.clock.advance(time.Minute)
	g.provider.Set(func(b *oidctest.Behavior) { b.Moved = "/v4" })
	g.do(navigate(t, "/oauth2/logout"))
	eventually(t, "the refresh token is given back", func() bool { return g.provider.Hits("/v4"+oidctest.Revocation) == 1 })
}

// A userinfo endpoint by itself.
func TestUserInfoThatMoved(t *testing.T) {
	for name, gone := range map[string]func(http.ResponseWriter, *http.Request){
		"404": http.NotFound,
		"405": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) },
		"410": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"404 with an OAuth error": func(w http.ResponseWriter, _ *http.Request) {
			oidctest.WriteJSON(w, http.StatusNotFound, map[string]string{"error": "not_found"})
		},
	} {
		g := newRig(t, func(c *Config) { c.Provider.UserInfo = true })
		g.provider.Set(func(b *oidctest.Behavior) {
			b.Discovery = map[string]interface{}{"userinfo_endpoint": g.provider.Issuer() + "/old"}
		})
		g.provider.Handle("/old", gone)
		callback := g.begin("/app", nil)
		g.provider.Set(func(b *oidctest.Behavior) { b.Discovery = nil })
		g.clock.advance(10 * time.Second)
		g.provider.Set(func(b *oidctest.Behavior) { b.Now = g.clock.now })
		if to := location(t, g.do(navigate(t, callback))); to != "/app" {
			t.Errorf("%s: a login ended at %q", name, to)
		}
	}
}

// A token endpoint where nobody listens any more.
func TestTokenEndpointWhereNobodyListens(t *testing.T) {
	g := newRig(t, nil)
	old := httptest.NewServer(http.NotFoundHandler())
	g.provider.Set(func(b *oidctest.Behavior) { b.Discovery = map[string]interface{}{"token_endpoint": old.URL} })
	callback := g.begin("/app", nil)
	old.Close()
	g.provider.Set(func(b *oidctest.Behavior) { b.Discovery = nil })
	g.clock.advance(10 * time.Second)
	if to := location(t, g.do(navigate(t, callback))); to != "/app" {
		t.Errorf("a login ended at %q", to)
	}
}

// Endpoints that are nowhere cost the provider one question in the pause.
func TestEndpointsThatAreNowhere(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	g.clock.advance(300 * time.Second)
	g.provider.Handle(oidctest.Token, http.NotFound)
	asked := g.provider.Hits(oidctest.Discovery)
	for i := 0; i < 9; i++ {
		g.expectStatus("nowhere", g.do(fetch(t, "/app")), http.StatusServiceUnavailable)
		g.clock.advance(time.Second)
	}
	if n := g.provider.Hits(oidctest.Discovery) - asked; n != 1 {
		t.Errorf("discovery was asked %d times, want 1", n)
	}
	g.provider.Handle(oidctest.Token, nil)
	g.clock.advance(lastBackOff)
	g.expectStatus("back", g.do(fetch(t, "/app")), http.StatusOK)
}

// Codes are redeemed maxCodes at once; one more is told to try again, at once.
func TestCodesAtOnce(t *testing.T) {
	g := newRig(t, nil)
	var requests []*http.Request
	for i := 0; i < maxCodes+2; i++ {
		g.swap(nil)
		requests = append(requests, g.withJar(navigate(t, g.begin("/app", nil))))
	}
	arrived, release := g.provider.Hold(oidctest.Token)
	statuses := make(chan int, maxCodes)
	for i := 0; i < maxCodes; i++ {
		r := requests[i]
		go func() {
			w := httptest.NewRecorder()
			g.l.ServeHTTP(w, r)
			statuses <- w.Code
		}()
	}
	for i := 0; i < maxCodes; i++ {
		<-arrived
	}
	w := httptest.NewRecorder()
	g.l.ServeHTTP(w, requests[maxCodes])
	if w.Code != http.StatusServiceUnavailable || g.provider.Hits(oidctest.Token) != maxCodes {
		t.Errorf("one too many got %d, and the provider %d requests", w.Code, g.provider.Hits(oidctest.Token))
	}
	release()
	for i := 0; i < maxCodes; i++ {
		if status := <-statuses; status != http.StatusFound {
			t.Errorf("one of as many as may be got %d", status)
		}
	}
	w = httptest.NewRecorder()
	g.l.ServeHTTP(w, requests[maxCodes+1])
	if w.Code != http.StatusFound {
		t.Errorf("one afterwards got %d", w.Code)
	}
}
