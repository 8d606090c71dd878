package latchkey

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSessionLifetime(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.Lifetime = "1h" })
	g.login("/app", nil)
	g.clock.advance(time.Hour - time.Second)
	g.expectStatus("just before the end", g.do(navigate(t, "/app")), http.StatusOK)
	g.clock.advance(time.Second)
	g.expectStatus("at the end", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	location(t, g.do(navigate(t, "/app")))
}

func TestIdleTimeout(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.Lifetime, c.Session.IdleTimeout = "10h", "1h" })
	g.login("/app", nil)
	for i := 0; i < 8; i++ {
		g.clock.advance(50 * time.Minute)
		g.expectStatus("in use", g.do(navigate(t, "/app")), http.StatusOK)
	}
	g.clock.advance(61 * time.Minute)
	g.expectStatus("idle for too long", g.do(fetch(t, "/app")), http.StatusUnauthorized)

	g.login("/app", nil)
	for i := 0; i < 12; i++ {
		g.clock.advance(50 * time.Minute)
		g.do(fetch(t, "/app"))
	}
	g.expectStatus("in use beyond the lifetime", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// The cookie is set anew once in a while, not at every request.
func TestIdleTimeoutRenewsSeldom(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.IdleTimeout = "80m" })
	g.login("/app", nil)
	set := 0
	for i := 0; i < 80; i++ {
		g.clock.advance(time.Minute)
		set += len(g.do(navigate(t, "/app")).Cookies())
	}
	if set < 6 || set > 10 {
		t.Errorf("the cookie was set %d times in 80 minutes, want about 8", set)
	}
}

// Whatever comes as a cookie, the answer is a login, never an error.
func TestBadCookies(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", map[string]interface{}{"large": noise(6000)})
	chunks := len(g.jar)
	if chunks < 2 {
		t.Fatalf("the session fits into %d cookies", chunks)
	}
	name := g.l.set.cookie.Name
	first, second := g.jar[name], g.jar[name+"-1"]
	other := newRig(t, nil)
	other.login("/app", nil)
	foreign := other.jar[name]
	for what, cookies := range map[string]string{
		"empty":                  name + "=",
		"garbage":                name + "=garbage",
		"the first chunk alone":  name + "=" + first,
		"the second chunk alone": name + "-1=" + second,
		"swapped chunks":         name + "=" + second + "; " + name + "-1=" + first,
		"a chunk twice":          name + "=" + first + "; " + name + "-1=" + first,
		"a mixed chunk":          name + "=" + first + "; " + name + "-1=" + foreign,
		"truncated":              name + "=" + first[:100] + "; " + name + "-1=" + second,
		"two of one name":        name + "=" + first + "; " + name + "-1=" + second + "; " + name + "=" + first,
		"a count of a million":   name + "=1000000" + first,
		"a count of nine":        name + "=9" + first,
		"of another provider":    name + "=" + foreign,
		"32 KiB":                 name + "=1" + strings.Repeat("A", 32768),
	} {
		r := fetch(t, "/app")
		r.Header.Set("Cookie", cookies)
		g.jar = map[string]string{}
		g.expectStatus(what, g.do(r), http.StatusUnauthorized)
	}
}

func TestSecretRotation(t *testing.T) {
	old, current := testSecret, "another secret for tests of 32 bytes"
	g := newRig(t, nil)
	g.login("/app", nil)
	g.expectStatus("sealed by the only secret", g.do(navigate(t, "/app")), http.StatusOK)
	both := g.router(func(c *Config) { c.Secret = []string{current, old} })
	g.expectStatus("the old one still listed", g.doAt(both, navigate(t, "/app")), http.StatusOK)
	removed := g.router(func(c *Config) { c.Secret = []string{current} })
	g.expectStatus("the old one removed", g.doAt(removed, fetch(t, "/app")), http.StatusUnauthorized)
}

// Routers with rules of their own share one login.
func TestOneSessionManyRouters(t *testing.T) {
	g := newRig(t, nil)
	ops := g.router(func(c *Config) { c.Authorize = "OneOf(`groups`, `ops`)" })
	hr := g.router(func(c *Config) { c.Authorize = "OneOf(`groups`, `hr`)" })
	g.login("/app", map[string]interface{}{"groups": []string{"ops"}})
	for i := 0; i < 2; i++ { // the second time from the cache
		g.expectStatus("no rule", g.do(fetch(t, "/app")), http.StatusOK)
		g.expectStatus("its rule", g.doAt(ops, fetch(t, "/app")), http.StatusOK)
		g.expectStatus("another's rule", g.doAt(hr, fetch(t, "/app")), http.StatusForbidden)
	}
	if n := g.l.counters.verifications.Load(); n != 1 {
		t.Errorf("three routers verified one session %d times", n)
	}
}

func TestAccessTokenHeader(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Forward.AccessTokenHeader = "Authorization"
		c.Forward.IDTokenHeader = "X-Id-Token"
	})
	g.login("/app", nil)
	g.expectStatus("with a session", g.do(navigate(t, "/app")), http.StatusOK)
	if got := g.upstream.Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer ey") {
		t.Errorf("Authorization: got %q", got)
	}
	if got := g.upstream.Header.Get("X-Id-Token"); !strings.HasPrefix(got, "ey") {
		t.Errorf("X-Id-Token: got %q", got)
	}
	g.clock.advance(2 * time.Hour) // beyond the access token's end
	g.expectStatus("later", g.do(navigate(t, "/app")), http.StatusOK)
	if got := g.upstream.Header.Get("Authorization"); got != "" {
		t.Errorf("an expired access token was handed on: %q", got)
	}
}

func TestAccessTokenClaimsInRules(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Authorize = "Equals(`access_token.sub`, `alice`)" })
	g.login("/app", nil)
	g.expectStatus("by the access token", g.do(fetch(t, "/app")), http.StatusOK)
}

func TestWarmSessionNeedsNoProvider(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.provider.Down(true)
	for i := 0; i < 5; i++ {
		g.clock.advance(time.Hour)
		g.expectStatus("with the provider down", g.do(navigate(t, "/app")), http.StatusOK)
	}
	g.jar = map[string]string{}
	response := g.do(navigate(t, "/app"))
	g.expectStatus("a new login", response, http.StatusServiceUnavailable)
	if response.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}
