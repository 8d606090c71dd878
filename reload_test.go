package latchkey

import (
	"context"
	"net/http"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// A reload makes every middleware anew and ends the context of the old ones, which
// go on serving what is under way: with all that they share until the grace period
// is over, and after it for as long as the next configuration has the same.
func TestReplacedMiddlewareGoesOn(t *testing.T) {
	for _, store := range []string{"cookie", "memory", "redis"} {
		address := ""
		if store == "redis" {
			address = redistest.Start(t).Addr()
		}
		file := t.TempDir() + "/tokens.json"
		change := func(c *Config) {
			c.Session.Store = store
			c.APITokens.File = file
			c.Public = []string{"/open"}
			c.Unauthenticated = "auto"
			if address != "" {
				c.Redis.Addresses = []string{address}
				c.Redis.Timeout = "10s"
			}
		}
		g := newRig(t, change) // its middleware stands for another router, which stays
		grace := newGrace()
		resources = &registry{after: grace.after}
		g.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })

		ctx, replace := context.WithCancel(context.Background())
		g.l = g.routerUntil(ctx, change)
		uses := resources.held()
		key := g.apiToken()
		g.login("/app", nil)
		g.served(store+": in force", g.l, key)
		replace()
		grace.wait(t, uses)
		g.served(store+": replaced, the next not there yet", g.l, key)
		next := g.router(change)
		g.served(store+": replaced", g.l, key)
		g.served(store+": the next", next, key)
		grace.run()
		g.clock.advance(300e9) // the session's tokens have to be renewed
		g.served(store+": long replaced", g.l, key)
		g.served(store+": the next, by itself", next, key)
		if resources.held() != uses {
			t.Errorf("%s: %d resources are held, want %d", store, resources.held(), uses)
		}
	}
}

func (g *rig) apiToken() string {
	g.t.Helper()
	_, credential := g.give(nil)
	return credential
}

// served sends one request of each kind. The bearer token is a new one each time,
// so that the middleware cannot but ask what it shares.
func (g *rig) served(when string, l *Latchkey, key string) {
	g.t.Helper()
	for what, c := range map[string]struct {
		request *http.Request
		status  int
	}{
		"a session":         {fetch(g.t, "/app"), http.StatusOK},
		"a bearer token":    {bearer(g.t, "/app", g.provider.AccessToken(nil)), http.StatusOK},
		"an API token":      {withKey(g.t, "/app", key), http.StatusOK},
		"a bad token":       {bearer(g.t, "/app", "a.b.c"), http.StatusUnauthorized},
		"a public path":     {fetch(g.t, "/open"), http.StatusOK},
		"nobody, scripted":  {fetch(g.t, "/app"), http.StatusUnauthorized},
		"nobody, navigates": {navigate(g.t, "/app"), http.StatusFound},
	} {
		jar := g.jar
		if what != "a session" {
			g.jar = map[string]string{}
		}
		g.expectStatus(when+": "+what, g.doAt(l, c.request), c.status)
		g.jar = jar
	}
}
