package latchkey

import (
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// replica makes a middleware as another process would have it.
func (g *rig) replica(change func(*Config)) *Latchkey {
	g.t.Helper()
	own := resources
	resources = &registry{after: own.after}
	defer func() { resources = own }()
	return g.router(change)
}

// In every store, a session is refreshed, and its end is known to all replicas.
func TestSessionAcrossReplicas(t *testing.T) {
	server := redistest.Start(t)
	for _, store := range []string{"cookie", "redis"} {
		settings := func(c *Config) {
			c.Redis.Addresses = []string{server.Addr()}
			c.Redis.Prefix = store + ":"
			c.Session.Store = store
			c.Forward.AccessTokenHeader = "X-Access-Token"
		}
		g := newRig(t, settings)
		g.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })
		other := g.replica(settings)
		g.login("/app", nil)
		g.expectStatus(store+": here", g.do(fetch(t, "/app")), http.StatusOK)
		first := g.upstream.Header.Get("X-Access-Token")
		g.expectStatus(store+": there", g.doAt(other, fetch(t, "/app")), http.StatusOK)
		g.clock.advance(300e9)
		g.expectStatus(store+": refreshed", g.do(fetch(t, "/app")), http.StatusOK)
		second := g.upstream.Header.Get("X-Access-Token")
		g.expectStatus(store+": refreshed, there", g.doAt(other, fetch(t, "/app")), http.StatusOK)
		if third := g.upstream.Header.Get("X-Access-Token"); second == first || third != second || g.provider.Grants() != 1 {
			t.Errorf("%s: access tokens differ as %v and %v, after %d grants", store, second != first, third != second, g.provider.Grants())
		}
		cookies := map[string]string{}
		for name, value := range g.jar {
			cookies[name] = value
		}
		g.do(navigate(t, "/oauth2/logout"))
		g.jar = cookies
		g.expectStatus(store+": logged out", g.do(fetch(t, "/app")), http.StatusUnauthorized)
		eventually(t, "the other replica to know", func() bool {
			return g.doAt(other, fetch(t, "/app")).StatusCode == http.StatusUnauthorized
		})
	}
}

// eventually waits for the condition, for half a minute at most.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s: not within 30 s", what)
}
