package latchkey

import (
	"context"
	"net/http"
	"testing"
)

// A warm API token in its own header costs one look, too, and only while that
// header alone decides.
func TestWarmKey(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Public = []string{"/open"} })
	id, credential := g.give(nil)
	for i := 0; i < 3; i++ {
		g.expectStatus("to get warm", g.do(withKey(t, "/app", credential)), http.StatusOK)
	}
	g.l.tokens = newTokenCache(0)
	before := g.l.counters.verifications.Load()
	for what, c := range map[string]struct {
		change func(r *http.Request)
		cold   int64 // verifications, since nothing else is remembered
	}{
		"as it was":              {func(*http.Request) {}, 0},
		"with other headers":     {func(r *http.Request) { r.Header.Set("Accept-Language", "en") }, 0},
		"beside a cookie":        {func(r *http.Request) { r.Header.Set("Cookie", "a=b") }, 1},
		"beside Authorization":   {func(r *http.Request) { r.SetBasicAuth("app", "own") }, 1},
		"beside a look-alike":    {func(r *http.Request) { r.Header.Set("X_Auth_Request_User", "admin") }, 1},
		"twice":                  {func(r *http.Request) { r.Header.Add("X-API-Key", "x") }, 0},
		"for a stream":           {func(r *http.Request) { r.Header.Set("Accept", eventStream) }, 1},
		"to switch protocols":    {func(r *http.Request) { asStream(r, "Upgrade") }, 1},
		"for an endpoint":        {func(r *http.Request) { r.URL.Path = "/oauth2/userinfo" }, 1},
		"for a public path":      {func(r *http.Request) { r.URL.Path = "/open" }, 0},
		"with a trailer to come": {func(r *http.Request) { r.Trailer = http.Header{"X-Auth-Request-User": nil} }, 1},
	} {
		r := withKey(t, "/app", credential)
		c.change(r)
		g.do(r)
		if n := g.l.counters.verifications.Load() - before; n != c.cold {
			t.Errorf("%s: %d verifications, want %d", what, n, c.cold)
		}
		before = g.l.counters.verifications.Load()
		if g.upstream == nil {
			continue
		}
		for _, name := range []string{"X-Api-Key", "X_auth_request_user"} {
			if len(g.upstream.Header[name]) > 0 {
				t.Errorf("%s: the upstream got %s", what, name)
			}
		}
		want := "alice"
		if r.URL.Path == "/open" {
			want = ""
		}
		if got := g.upstream.Header.Get("X-Auth-Request-User"); got != want {
			t.Errorf("%s: the upstream is told of %q", what, got)
		}
	}
	if err := g.l.revokeToken(context.Background(), "", id); err != nil {
		t.Fatal(err)
	}
	g.expectStatus("revoked", g.do(withKey(t, "/app", credential)), http.StatusUnauthorized)
}
