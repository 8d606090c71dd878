package latchkey

import (
	"context"
	"net/http"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// payments are a router's settings that ask for a scope at login, and hand on a
// token with it.
func payments(c *Config) {
	c.Provider.Scopes = []string{"openid", "payments"}
	c.Delegate.Kind, c.Delegate.Service, c.Delegate.Scopes = "internal", "bank", []string{"openid", "payments"}
}

// A session has the scopes of its own login, and not those that the router would
// have asked for that looks at it.
func TestScopesAreTheLogins(t *testing.T) {
	for _, store := range []string{"cookie", "memory"} {
		for what, c := range map[string]struct {
			asked, said []string // at the login, and in the provider's answer
			begunAtBank bool     // the login, which the other router finishes
			want        string
		}{
			"openid asked, none said":         {asked: []string{"openid"}, want: "openid"},
			"openid asked, openid said":       {asked: []string{"openid"}, said: []string{"openid"}, want: "openid"},
			"payments asked, none said":       {asked: []string{"openid", "payments"}, want: "openid payments"},
			"payments asked, openid said":     {asked: []string{"openid", "payments"}, said: []string{"openid"}, want: "openid"},
			"payments said":                   {asked: []string{"openid"}, said: []string{"openid payments"}, want: "openid payments"},
			"begun at one, finished at other": {asked: []string{"openid"}, begunAtBank: true, want: "openid payments"},
		} {
			stored := func(c *Config) { c.Session.Store = store }
			g := newRig(t, func(config *Config) { stored(config); config.Provider.Scopes = c.asked })
			bank := g.router(func(config *Config) { stored(config); payments(config) })
			if c.said != nil {
				g.provider.Set(func(b *oidctest.Behavior) { b.TokenResponse = map[string]interface{}{"scope": c.said[0]} })
			}
			begin := g.l
			if c.begunAtBank {
				begin = bank
			}
			callback := pathOf(t, g.provider.Authorize(t, location(t, g.doAt(begin, navigate(t, "/app"))), nil))
			location(t, g.do(navigate(t, callback)))
			for i := 0; i < 2; i++ {
				g.expectStatus(what, g.doAt(bank, fetch(t, "/app")), http.StatusOK)
				if g.upstream == nil {
					continue
				}
				if got := claimsIn(t, g.upstream.Header.Get(delegatedHeader))["scope"]; got != c.want {
					t.Errorf("%s, store %s: the token has scope %q, want %q", what, store, got, c.want)
				}
			}
		}
	}
}

// A session of a version that did not keep what it asked for goes on, with the one
// scope that every login has.
func TestScopesOfAnOldSession(t *testing.T) {
	g := newRig(t, payments)
	g.login("/app", nil)
	s, err := g.l.openSession(context.Background(), g.l.cookieValue(g.withJar(fetch(t, "/app"))))
	if err != nil {
		t.Fatal(err)
	}
	s.Scope = ""
	chunks, err := g.l.sealSession(s)
	if err != nil {
		t.Fatal(err)
	}
	for n, chunk := range chunks {
		g.jar[g.l.chunkName(n)] = chunk
	}
	g.expectStatus("an old session", g.do(fetch(t, "/app")), http.StatusOK)
	if got := claimsIn(t, g.upstream.Header.Get(delegatedHeader))["scope"]; got != "openid" {
		t.Errorf("the token has scope %q, want openid only", got)
	}
}

// A provider that says nothing of scopes at a refresh has granted the same ones
// (RFC 6749, 5.1); one that does has granted those.
func TestScopesAfterARefresh(t *testing.T) {
	s := &session{Scope: "openid email"}
	for said, want := range map[string]string{"": "openid email", "openid": "openid"} {
		if got := s.with(&granted{AccessToken: "new", Scope: said}); got.Scope != want || got.AccessToken != "new" {
			t.Errorf("%q: the session has %+v", said, got)
		}
	}
}
