package latchkey

import (
	"net/http"
	"testing"
)

// lookAlikes are spellings that some upstream folds to ours.
var lookAlikes = []string{
	"X-Auth-Request-User", "x-auth-request-user", "X_Auth_Request_User", "X.Auth.Request.User", "x_AUTH-request.user", "X-Auth-Request-Groups",
}

func withLookAlikes(r *http.Request) *http.Request {
	for _, name := range lookAlikes {
		r.Header[name] = []string{"mallory"}
	}
	r.Header.Set("Connection", "keep-alive, X-Auth-Request-User")
	return r
}

func (g *rig) expectClean(what string) {
	g.t.Helper()
	if g.upstream == nil {
		g.t.Errorf("%s: did not reach the upstream", what)
		return
	}
	for name, values := range g.upstream.Header {
		for _, value := range values {
			if value == "mallory" {
				g.t.Errorf("%s: the upstream got %s: mallory", what, name)
			}
		}
	}
	if got := g.upstream.Header.Get("Connection"); got != "keep-alive" {
		g.t.Errorf("%s: Connection: %q", what, got)
	}
}

func TestLookAlikesAreStrippedEverywhere(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/healthz"} })
	g.do(withLookAlikes(request(t, "GET", "/healthz")))
	g.expectClean("a public path")
	g.do(withLookAlikes(request(t, "OPTIONS", "/healthz")))
	g.expectClean("a public preflight")
	g.do(withLookAlikes(bearer(t, "/app", g.accessToken(nil))))
	g.expectClean("a bearer token")
	g.login("/app", nil)
	g.do(withLookAlikes(fetch(t, "/app")))
	g.expectClean("a session")
	if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "alice" {
		t.Errorf("the upstream got user %q", got)
	}
	if got := g.upstream.Header.Get("X-Auth-Request-Groups"); got != "" {
		t.Errorf("the upstream got groups %q", got)
	}
	anonymous := g.router(func(c *Config) { c.Unauthenticated = "pass" })
	g.jar = map[string]string{}
	g.doAt(anonymous, withLookAlikes(fetch(t, "/app")))
	g.expectClean("an anonymous request")
}

func TestOwnCookiesStayHere(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/healthz"} })
	g.login("/app", nil)
	session := g.l.set.cookie.Name + "=" + g.jar[g.l.set.cookie.Name]
	for sent, want := range map[string]string{
		"":                               "",
		"a=1":                            "a=1",
		"a=1; b=\"2\"":                   "a=1; b=\"2\"",
		session:                          "",
		"a=1; " + session:                "a=1",
		session + "; a=1":                "a=1",
		"a=1; " + session + "; b=2":      "a=1; b=2",
		session + "-flow-x=1":            "",
		"__Host-latchkey-1=x; c=3":       "c=3",
		"__Host-latchkey-flow-a.b=x;c=3": "c=3",
		"x__Host-latchkey=1":             "x__Host-latchkey=1",
	} {
		for _, path := range []string{"/app", "/healthz"} {
			r := bearer(t, path, g.accessToken(nil))
			if sent != "" {
				r.Header.Set("Cookie", sent)
			}
			g.jar = map[string]string{}
			g.expectStatus(path, g.do(r), http.StatusOK)
			if got := g.upstream.Header.Get("Cookie"); got != want {
				t.Errorf("%s: of %q the upstream got %q, want %q", path, sent, got, want)
			}
		}
	}
	r := bearer(t, "/app", g.accessToken(nil))
	r.Header["Cookie"] = []string{"a=1", session, "b=2"}
	g.do(r)
	if got := g.upstream.Header["Cookie"]; len(got) != 1 || got[0] != "a=1; b=2" {
		t.Errorf("of three Cookie lines the upstream got %q", got)
	}
}

func TestClaimHeaders(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Forward.Headers = map[string]string{
			"X-Sub": "sub", "X-Roles": "realm_access.roles", "X-Verified": "email_verified", "X-Age": "age", "X-None": "nothing",
		}
	})
	claims := map[string]interface{}{
		"realm_access": map[string]interface{}{"roles": []string{"a", "b,c"}}, "email_verified": true, "age": 42,
	}
	g.do(bearer(t, "/app", g.accessToken(claims)))
	for name, want := range map[string]string{"X-Sub": "alice", "X-Roles": "a,b%2Cc", "X-Verified": "true", "X-Age": "42", "X-None": ""} {
		if got := g.upstream.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if g.upstream.Header.Get("X-Auth-Request-User") != "" {
		t.Error("a default header was set though others were chosen")
	}
	for _, value := range []string{"a\r\nX-Admin: yes", "a\x00b"} {
		response := g.do(bearer(t, "/app", g.accessToken(map[string]interface{}{"age": value})))
		g.expectStatus("an unprintable claim", response, http.StatusForbidden)
	}
}
