package latchkey

import (
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// A made-up kid keeps the keys from being asked for, for a while. The provider
// rotates in it: neither a session that refreshes nor a login pays for that.
func TestRotationBehindAMadeUpKid(t *testing.T) {
	for _, store := range []string{"cookie", "memory"} {
		g := inStore(t, store, nil)
		g.login("/app", nil)
		g.clock.advance(240 * time.Second)
		r := fetch(t, "/app")
		r.Header.Set("Authorization", "Bearer "+g.provider.Sign(map[string]interface{}{"typ": "at+jwt", "kid": "made-up"},
			g.provider.Claims(map[string]interface{}{"aud": oidctest.Audience})))
		jar := g.swap(nil)
		g.expectStatus("the first of a kid", g.do(r), http.StatusUnauthorized)
		g.swap(jar)
		g.provider.Rotate()
		g.provider.Set(func(b *oidctest.Behavior) { b.RefreshClaims = map[string]interface{}{"email": "alice@new.example.com"} })
		g.clock.advance(time.Second)
		g.expectStatus(store+": a refresh", g.do(fetch(t, "/app")), http.StatusOK)
		if got := g.upstream.Header.Get("X-Auth-Request-Email"); got != "alice@new.example.com" || g.provider.Grants() != 1 {
			t.Errorf("%s: the upstream got mail %q after %d grants", store, got, g.provider.Grants())
		}
		g.provider.Rotate()
		g.clock.advance(time.Second)
		g.swap(nil)
		if to := g.login("/app", nil); to != "/app" {
			t.Errorf("%s: the login ended at %q", store, to)
		}
	}
}

// What a client shows in the pause is not known to be bad: it is told to try
// again, and is good then.
func TestBearerOfANewKeyInThePause(t *testing.T) {
	g := newRig(t, nil)
	bearer := func(token string) *http.Response {
		r := fetch(t, "/app")
		r.Header.Set("Authorization", "Bearer "+token)
		return g.do(r)
	}
	g.expectStatus("good", bearer(g.provider.AccessToken(nil)), http.StatusOK)
	g.provider.Rotate()
	g.clock.advance(time.Second)
	token := g.provider.AccessToken(nil)
	for i := 0; i < 3; i++ {
		response := bearer(token)
		g.expectStatus("in the pause", response, http.StatusServiceUnavailable)
		if response.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	g.clock.advance(10 * time.Second)
	g.expectStatus("after it", bearer(token), http.StatusOK)
	if n := g.provider.Hits(oidctest.JWKS); n != 2 {
		t.Errorf("found %d key fetches, wanted 2", n)
	}
}

// expires_in says when the access token ends. Of one that has ended, nobody gets
// to see it, and it is renewed; only where nothing is said it has no end.
func TestAccessTokensThatHaveEnded(t *testing.T) {
	for name, c := range map[string]struct {
		expires interface{}
		live    bool
		grants  int // after an hour
	}{
		"not said":               {nil, true, 0},
		"zero":                   {0, false, 1},
		"less":                   {-3600, false, 1},
		"zero, as a text":        {"0", false, 1},
		"a fraction":             {0.5, false, 1},
		"no number":              {"soon", false, 1},
		"a list":                 {[]int{3600}, false, 1},
		"a text":                 {"300", true, 1},
		"more than may be":       {1e300, true, 0},
		"more, as a text":        {"99999999999999999999", true, 0},
		"the largest of 64 bits": {9223372036854775807, true, 0},
	} {
		g := inStore(t, "cookie", nil)
		g.provider.Set(func(b *oidctest.Behavior) { b.TokenResponse = map[string]interface{}{"expires_in": c.expires} })
		g.login("/app", nil)
		for i := 0; i < 5; i++ {
			g.expectStatus(name+": after the login", g.do(fetch(t, "/app")), http.StatusOK)
		}
		if live := g.token() != ""; live != c.live || g.provider.Grants() != 0 {
			t.Errorf("%s: the upstream got the access token: %v, want %v; %d grants", name, live, c.live, g.provider.Grants())
		}
		g.clock.advance(time.Hour)
		for i := 0; i < 5; i++ {
			g.expectStatus(name+": an hour later", g.do(fetch(t, "/app")), http.StatusOK)
		}
		if live := g.token() != ""; live != c.live || g.provider.Grants() != c.grants {
			t.Errorf("%s: an hour later the upstream got the access token: %v, want %v; %d grants, want %d",
				name, live, c.live, g.provider.Grants(), c.grants)
		}
	}
}
