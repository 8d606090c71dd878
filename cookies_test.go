package latchkey

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// RFC 6265bis, section 4.1.3.2: a browser drops a cookie that has the prefix
// otherwise.
func TestHostPrefix(t *testing.T) {
	for _, c := range []struct {
		cookie http.Cookie
		want   string
	}{
		{http.Cookie{Secure: true, Path: "/"}, "__Host-"},
		{http.Cookie{Secure: false, Path: "/"}, ""},
		{http.Cookie{Secure: true, Path: "/app"}, ""},
		{http.Cookie{Secure: true, Path: "/", Domain: "example.com"}, ""},
	} {
		if got := hostPrefix(&c.cookie); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.cookie, got, c.want)
		}
	}
}

// A cookie that cannot be of one host alone may at least be kept from plain http.
func TestSecurePrefix(t *testing.T) {
	for _, c := range []struct {
		name   string
		cookie CookieConfig
		want   bool
	}{
		{"__Secure-x", CookieConfig{Domain: "example.com", Path: "/", Secure: true}, true},
		{"__Secure-x", CookieConfig{Path: "/oauth2", Secure: true}, true},
		{"__Secure-x", CookieConfig{Path: "/", Secure: true}, false},
		{"__Secure-x", CookieConfig{Domain: "example.com", Path: "/"}, false},
		{"__Host-x", CookieConfig{Domain: "example.com", Path: "/", Secure: true}, false},
		{"__Http-x", CookieConfig{Domain: "example.com", Path: "/", Secure: true}, false},
	} {
		config := validConfig()
		c.cookie.Name, c.cookie.SameSite = c.name, "lax"
		config.Session.Cookie = c.cookie
		_, err := New(testContext(t), http.NotFoundHandler(), config, "test")
		if (err == nil) != c.want || err != nil && !strings.Contains(err.Error(), "session.cookie.name: ") {
			t.Errorf("%s, %+v: got %v", c.name, c.cookie, err)
		}
	}
	g := newRig(t, func(c *Config) {
		c.Session.Cookie.Domain = "example.com"
		c.Session.Cookie.Name = "__Secure-x"
	})
	g.login("/app", nil)
	g.expectStatus("a session", g.do(fetch(t, "/app")), http.StatusOK)
	if g.jar["__Secure-x"] == "" || g.upstream.Header["Cookie"] != nil {
		t.Errorf("the jar has %v, the upstream got %q", g.sessionCookies(), g.upstream.Header["Cookie"])
	}
}

// Browsers keep 4,096 bytes of a cookie, name and attributes included (RFC 6265,
// section 6.1), and what does not fit at all is no session.
func TestCookiesFitBrowsers(t *testing.T) {
	for size, want := range map[int]int{100: http.StatusFound, 9000: http.StatusFound, 40000: http.StatusBadRequest} {
		g := newRig(t, func(c *Config) {
			c.Provider.UserInfo = true
			c.Session.Cookie.Name = strings.Repeat("n", 40)
			c.Session.Cookie.Domain = "a.rather.long.domain.of.some.company.example.com"
			c.Session.Cookie.Path = "/oauth2"
		})
		g.provider.Set(func(b *oidctest.Behavior) { b.UserInfo = map[string]interface{}{"large": noise(size)} })
		response := g.do(navigate(t, g.begin("/app", nil)))
		if response.StatusCode != want {
			t.Errorf("%d bytes: got status %d, want %d", size, response.StatusCode, want)
		}
		for _, line := range response.Header["Set-Cookie"] {
			if len(line) > 4096 {
				t.Errorf("%d bytes: a cookie of %d", size, len(line))
			}
		}
		if made := len(g.sessionCookies()) > 0; made != (want == http.StatusFound) {
			t.Errorf("%d bytes: made a session: %v", size, made)
		}
	}
}

// A session of another cookie, client or provider is not one here, though the
// secret is the same and whoever sends it names it as it should be.
func TestSessionOfAnotherMiddleware(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	sealed := g.l.cookieValue(g.withJar(navigate(t, "/")))
	if _, err := g.l.openSession(testContext(t), sealed); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"another cookie": func(c *Config) { c.Session.Cookie.Name = "other" },
		"another client": func(c *Config) { c.Provider.ClientID = "other" },
		"another issuer": func(c *Config) { c.Provider.Issuer = "https://other.example.com" },
		"another secret": func(c *Config) { c.Secret = []string{testSecret + "!"} },
	} {
		if _, err := g.router(change).openSession(testContext(t), sealed); err == nil {
			t.Errorf("%s: it was opened", name)
		}
	}
}

// An access token is handed on until its end, and not for the rest of the
// verdict's minute.
func TestAccessTokenEndsInTheCache(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Forward.AccessTokenHeader = "X-Token" })
	g.login("/app", nil) // for 300 seconds
	for after, want := range map[time.Duration]bool{290 * time.Second: true} {
		g.clock.advance(after)
		g.expectStatus("before", g.do(fetch(t, "/app")), http.StatusOK)
		if got := g.upstream.Header.Get("X-Token"); (got != "") != want {
			t.Errorf("after %s the upstream got %q", after, got)
		}
	}
	g.clock.advance(10 * time.Second)
	g.expectStatus("at its end", g.do(fetch(t, "/app")), http.StatusOK)
	if got := g.upstream.Header.Get("X-Token"); got != "" {
		t.Error("the upstream got an access token after its end")
	}
}

// Of a list of secrets the first seals, so that the others can be dropped.
func TestFirstSecretSeals(t *testing.T) {
	const current, old = "another secret for tests of 32 bytes", testSecret
	g := newRig(t, func(c *Config) { c.Secret = []string{current, old} })
	g.login("/app", nil)
	only := g.router(func(c *Config) { c.Secret = []string{current} })
	g.expectStatus("the old secret dropped", g.doAt(only, fetch(t, "/app")), http.StatusOK)
}

// A neighbouring host can set a cookie without a name whose value reads like one
// of ours with a space before the equals sign. It counts as the second of that
// name, and does not get to the app.
func TestTossedCookieInAnotherSpelling(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.Cookie.Domain = "example.com" })
	name := g.l.set.cookie.Name
	g.login("/app", nil)
	mine := g.jar[name]
	g.jar = map[string]string{}
	g.login("/app", nil)
	tossed := g.jar[name]
	g.jar = map[string]string{}
	for _, space := range []string{" ", "\t", "  "} {
		for what, cookies := range map[string]string{
			"before": name + space + "=" + tossed + "; " + name + "=" + mine,
			"after":  name + "=" + mine + "; " + name + space + "=" + tossed,
		} {
			r := fetch(t, "/app")
			r.Header.Set("Cookie", cookies)
			g.expectStatus(what, g.do(r), http.StatusUnauthorized)
		}
		r := bearer(t, "/app", g.accessToken(nil))
		r.Header.Set("Cookie", "a=1; "+name+space+"="+tossed+"; b=2;"+name+"-flow-x"+space+"=1")
		g.expectStatus("beside a token", g.do(r), http.StatusOK)
		if got := g.upstream.Header.Get("Cookie"); got != "a=1; b=2" {
			t.Errorf("the upstream got cookies %q", got)
		}
	}
}

// Sizes are bounded before work: what no browser sends is not read, and gets no
// long answer.
func TestCookiesWithoutEnd(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/healthz"} })
	g.login("/app", nil)
	name := g.l.set.cookie.Name
	good := name + "=" + g.jar[name]
	g.jar = map[string]string{}
	other := "; a=" + strings.Repeat("b", 96) // 100 bytes
	send := func(r *http.Request, cookies string) *http.Response {
		r.Header.Set("Cookie", cookies)
		return g.do(r)
	}
	g.expectStatus("as many as are read", send(fetch(t, "/app"), good+strings.Repeat(other, 600)), http.StatusOK)
	g.expectStatus("more", send(fetch(t, "/app"), good+strings.Repeat(other, 700)), http.StatusUnauthorized)
	flows := strings.Repeat("; "+name+"-flow-a=b", 2000)
	for _, cookies := range []string{flows, flows + strings.Repeat(other, 700)} {
		g.jar = map[string]string{}
		if n := len(send(navigate(t, "/app"), cookies).Header["Set-Cookie"]); n > 2*maxFlows+1 {
			t.Errorf("%d bytes of flows were answered with %d cookies", len(cookies), n)
		}
	}
	g.jar = map[string]string{}
	g.expectStatus("ours by the thousand", send(fetch(t, "/healthz"), "a=1"+flows), http.StatusOK)
	if got := g.upstream.Header["Cookie"]; got != nil {
		t.Errorf("the upstream got %d bytes of cookies", len(got[0]))
	}
}

// The old cookie of a renewed session ends when it said it would, and not with
// the verdict's minute.
func TestVerdictEndsWithTheOldCookie(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.IdleTimeout = "80m" })
	g.login("/app", nil)
	old := g.jar[g.l.set.cookie.Name]
	g.clock.advance(80*time.Minute - time.Second)
	g.expectStatus("a second before", g.do(fetch(t, "/app")), http.StatusOK)
	g.expectStatus("with the new cookie", g.do(fetch(t, "/app")), http.StatusOK)
	g.clock.advance(time.Second)
	g.jar[g.l.set.cookie.Name] = old
	g.expectStatus("at its end", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// A session that would not come back from its cookies is not made.
func TestSessionThatInflates(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Provider.UserInfo = true })
	g.provider.Set(func(b *oidctest.Behavior) {
		b.UserInfo = map[string]interface{}{"large": strings.Repeat("x", maxRecord)}
	})
	g.expectStatus("a callback", g.do(navigate(t, g.begin("/app", nil))), http.StatusBadRequest)
	if len(g.sessionCookies()) != 0 {
		t.Error("a session was made that cannot be read")
	}
}

func TestEmptyAuthorization(t *testing.T) {
	g := newRig(t, nil)
	r := fetch(t, "/app")
	r.Header["Authorization"] = []string{}
	g.expectStatus("nobody", g.do(r), http.StatusUnauthorized)
	g.login("/app", nil)
	r = fetch(t, "/app")
	r.Header["Authorization"] = []string{}
	g.expectStatus("a session", g.do(r), http.StatusOK)
}

// More cookies than are read are not searched for login flows either.
func TestFlowsAmongTooManyCookies(t *testing.T) {
	g := newRig(t, nil)
	r := navigate(t, "/app")
	r.Header.Set("Cookie", g.l.flowPrefix()+"a.b=x")
	if n := len(g.l.flowStates(r)); n != 1 {
		t.Fatalf("found %d flows, want the one", n)
	}
	r.Header.Add("Cookie", "filler="+strings.Repeat("x", maxCookies))
	if n := len(g.l.flowStates(r)); n != 0 {
		t.Errorf("found %d flows beyond the bound", n)
	}
}
