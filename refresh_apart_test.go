package latchkey

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// What is granted to one session is for nobody else, though both are due at once.
func TestSessionsAreRefreshedApart(t *testing.T) {
	for _, store := range stores {
		g := inStore(t, store, nil)
		g.login("/app", nil)
		alice := g.swap(nil)
		g.login("/app", map[string]interface{}{"sub": "bob"})
		bob := g.swap(nil)
		g.clock.advance(240 * time.Second)
		tokens := map[string]bool{}
		for user, jar := range map[string]map[string]string{"alice": alice, "bob": bob} {
			g.swap(jar)
			g.expectStatus(store+": "+user, g.do(fetch(t, "/app")), http.StatusOK)
			if got := g.upstream.Header.Get("X-Auth-Request-User"); got != user {
				t.Errorf("%s: %s is %q after the refresh", store, user, got)
			}
			tokens[g.token()] = true
		}
		if len(tokens) != 2 || g.provider.Grants() != 2 {
			t.Errorf("%s: %d access tokens after %d grants, want 2", store, len(tokens), g.provider.Grants())
		}
	}
}

// Who keeps trying to write tokens gives way to newer ones.
func TestKeptTokensGiveWay(t *testing.T) {
	g := inStore(t, "memory", nil)
	g.login("/app", nil)
	credential := g.jar[g.l.set.cookie.Name]
	s, err := g.l.openSession(context.Background(), credential)
	if err != nil {
		t.Fatal(err)
	}
	g.l.keepGranted(context.Background(), s.with(&granted{RefreshToken: "newer", At: s.Granted + 2}), credential)
	g.l.keepTrying(s.with(&granted{RefreshToken: "older", At: s.Granted + 1}), credential)
	stored, _, err := g.l.sessions.reload(context.Background(), credential)
	if err != nil || stored.RefreshToken != "newer" {
		t.Errorf("got %v, %v", stored, err)
	}
}
