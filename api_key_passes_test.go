package latchkey

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// A warm key is let in by its header alone, and by nothing that may be beside it.
func TestWarmKeyAndNothingElse(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Public = []string{"/open/"} })
	_, credential := g.give(nil)
	_, second := g.give(func(n *NewToken) { n.Owner = "bob" })
	for i := 0; i < 3; i++ {
		g.expectStatus("warm", g.do(withKey(t, "/app", credential)), http.StatusOK)
	}
	g.expectStatus("the key twice", g.do(withKey(t, "/app", credential, credential)), http.StatusUnauthorized)
	g.expectStatus("another key behind it", g.do(withKey(t, "/app", credential, second)), http.StatusUnauthorized)

	g.expectStatus("a public path", g.do(withKey(t, "/open/x", credential)), http.StatusOK)
	if h := g.upstream.Header; h.Get("X-Auth-Request-User") != "" || h.Get("X-Api-Key") != "" {
		t.Errorf("on a public path the upstream got %v", h)
	}
	if got := g.do(withKey(t, "/oauth2/status", credential)); got.StatusCode != http.StatusOK || g.upstream != nil {
		t.Errorf("an endpoint: status %d, reached the upstream: %v", got.StatusCode, g.upstream != nil)
	}

	r := withKey(t, "/app", credential)
	r.Header["X_auth_request_user"] = []string{"root"}
	g.expectStatus("a header of ours", g.do(r), http.StatusOK)
	if got := g.upstream.Header["X_auth_request_user"]; len(got) > 0 {
		t.Errorf("the upstream got %v", got)
	}
	r = withKey(t, "/app", credential)
	r.Trailer = http.Header{"X-Auth-Request-User": {"root"}}
	g.expectStatus("a trailer of ours", g.do(r), http.StatusOK)
	if got := g.upstream.Trailer.Get("X-Auth-Request-User"); got != "" {
		t.Errorf("the upstream got %q in a trailer", got)
	}
}

// Where another credential decided, nothing is kept for the key beside it.
func TestKeyBesideWhatDecided(t *testing.T) {
	g := tokenRig(t, nil)
	_, credential := g.give(nil)
	access := g.accessToken(map[string]interface{}{"sub": "bob"})
	for i := 0; i < 3; i++ {
		r := bearer(t, "/app", access)
		r.Header.Set("X-API-Key", credential)
		g.expectStatus("both", g.do(r), http.StatusOK)
		if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "bob" {
			t.Errorf("both: the upstream got %q", got)
		}
		g.expectStatus("the key", g.do(withKey(t, "/app", credential)), http.StatusOK)
		if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "alice" {
			t.Errorf("the key: the upstream got %q", got)
		}
	}
}

// A warm key ends with its token, and so does its stream.
func TestWarmKeyEndsWithItsToken(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.APITokens.CheckEvery = "1h" })
	id, credential := g.give(func(n *NewToken) { n.Expires = g.clock.now().Add(30 * time.Second) })
	for i := 0; i < 3; i++ {
		g.expectStatus("warm", g.do(withKey(t, "/app", credential)), http.StatusOK)
	}
	ended, _ := g.start(g.l, asStream(withKey(t, "/app", credential), eventStream))
	_, next, err := g.l.rotateToken(context.Background(), "", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	take(t, "its stream to end", ended)
	g.expectStatus("rotated", g.do(withKey(t, "/app", credential)), http.StatusUnauthorized)
	for i := 0; i < 3; i++ {
		g.expectStatus("the new secret", g.do(withKey(t, "/app", next)), http.StatusOK)
	}
	g.clock.advance(29 * time.Second)
	g.expectStatus("before its end", g.do(withKey(t, "/app", next)), http.StatusOK)
	g.clock.advance(time.Second)
	g.expectStatus("at its end", g.do(withKey(t, "/app", next)), http.StatusUnauthorized)
}
