package latchkey

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

func TestLogin(t *testing.T) {
	g := newRig(t, nil)
	if to := g.login("/app?x=1", map[string]interface{}{"groups": []string{"ops", "dev"}, "email": "a@example.com"}); to != "/app?x=1" {
		t.Errorf("the login ended at %q, want /app?x=1", to)
	}
	g.expectStatus("after login", g.do(navigate(t, "/app?x=1")), http.StatusOK)
	for name, want := range map[string]string{
		"X-Auth-Request-User": oidctest.Subject, "X-Auth-Request-Email": "a@example.com", "X-Auth-Request-Groups": "ops,dev",
	} {
		if got := g.upstream.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if cookie := g.upstream.Header.Get("Cookie"); cookie != "" {
		t.Errorf("the upstream got cookies: %s", cookie)
	}
	if len(g.jar) != 1 {
		t.Errorf("%d cookies are left after login, want the session's alone", len(g.jar))
	}
}

func TestSessionCookieAttributes(t *testing.T) {
	g := newRig(t, nil)
	response := g.do(navigate(t, g.begin("/", nil)))
	for _, c := range response.Cookies() {
		if c.Name != "__Host-latchkey" {
			continue
		}
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 86400 {
			t.Errorf("got %s", c.String())
		}
		return
	}
	t.Error("no session cookie was set")
}

// The parallel tabs of one browser each end where they were going, in whatever
// order they come back.
func TestParallelTabs(t *testing.T) {
	g := newRig(t, nil)
	var callbacks []string
	paths := []string{"/a", "/b?x=1", "/c", "/d", "/e"}
	for _, path := range paths {
		callbacks = append(callbacks, g.begin(path, nil))
		g.clock.advance(time.Second)
	}
	for i := len(paths) - 1; i >= 0; i-- {
		if to := location(t, g.do(navigate(t, callbacks[i]))); to != paths[i] {
			t.Errorf("tab %d ended at %q, want %q", i, to, paths[i])
		}
	}
}

func TestAtMostFiveFlows(t *testing.T) {
	g := newRig(t, nil)
	oldest := g.begin("/oldest", nil)
	for i := 0; i < 7; i++ {
		g.clock.advance(time.Second)
		g.begin("/later", nil)
	}
	if len(g.jar) != maxFlows {
		t.Errorf("%d flow cookies, want %d", len(g.jar), maxFlows)
	}
	g.expectStatus("the oldest flow", g.do(navigate(t, oldest)), http.StatusBadRequest)
}

// Each line is a callback that must fail: no session is made, and one that
// exists stays.
func TestCallbackRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(g *rig)
		change  func(g *rig, q url.Values)
		status  int
	}{
		"no state":          {change: func(_ *rig, q url.Values) { q.Del("state") }, status: 400},
		"another state":     {change: func(_ *rig, q url.Values) { q.Set("state", "x.y") }, status: 400},
		"a malformed state": {change: func(_ *rig, q url.Values) { q.Set("state", "a;b=c") }, status: 400},
		"state twice":       {change: func(_ *rig, q url.Values) { q.Add("state", "x") }, status: 400},
		"no code":           {change: func(_ *rig, q url.Values) { q.Del("code") }, status: 400},
		"code twice":        {change: func(_ *rig, q url.Values) { q.Add("code", "x") }, status: 400},
		"an unknown code":   {change: func(_ *rig, q url.Values) { q.Set("code", "x") }, status: 400},
		"code and error":    {change: func(_ *rig, q url.Values) { q.Set("error", "access_denied") }, status: 400},
		"an error":          {change: func(_ *rig, q url.Values) { q.Del("code"); q.Set("error", "<b>denied") }, status: 400},
		"no iss":            {change: func(_ *rig, q url.Values) { q.Del("iss") }, status: 400},
		"iss twice":         {change: func(_ *rig, q url.Values) { q.Add("iss", q.Get("iss")) }, status: 400},
		"another iss":       {change: func(_ *rig, q url.Values) { q.Set("iss", "https://evil.test") }, status: 400},
		"another browser": {change: func(g *rig, _ url.Values) {
			for name := range g.jar {
				if strings.Contains(name, "-flow-") {
					delete(g.jar, name)
				}
			}
		}, status: 400},
		"a changed flow cookie": {change: func(g *rig, _ url.Values) {
			for name, value := range g.jar {
				if strings.Contains(name, "-flow-") {
					g.jar[name] = value[:len(value)-8] + "AAAAAAAA"
				}
			}
		}, status: 400},
		"a flow cookie under another state": {change: func(g *rig, q url.Values) {
			for name, value := range g.jar {
				if strings.Contains(name, "-flow-") {
					delete(g.jar, name)
					g.jar["__Host-latchkey-flow-other"] = value
				}
			}
			q.Set("state", "other")
		}, status: 400},
		"too late": {change: func(g *rig, _ url.Values) { g.clock.advance(flowLifetime) }, status: 400},
		"another nonce": {prepare: func(g *rig) {
			g.provider.Set(func(b *oidctest.Behavior) { b.IDTokenClaims = map[string]interface{}{"nonce": "other"} })
		}, status: 400},
		"another audience": {prepare: func(g *rig) {
			g.provider.Set(func(b *oidctest.Behavior) { b.IDTokenClaims = map[string]interface{}{"aud": "other"} })
		}, status: 400},
		"no ID token": {prepare: func(g *rig) {
			g.provider.Set(func(b *oidctest.Behavior) { b.TokenResponse = map[string]interface{}{"id_token": nil} })
		}, status: 400},
		"the token endpoint down": {prepare: func(g *rig) {
			g.provider.Handle(oidctest.Token, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) })
		}, status: 503},
		"userinfo of another": {prepare: func(g *rig) {
			g.l = g.router(func(c *Config) { c.Provider.UserInfo = true })
			g.provider.Set(func(b *oidctest.Behavior) { b.UserInfo = map[string]interface{}{"sub": "mallory"} })
		}, status: 400},
	} {
		g := newRig(t, nil)
		g.login("/before", nil)
		before := g.jar["__Host-latchkey"]
		if c.prepare != nil {
			c.prepare(g)
		}
		callback, err := url.Parse(pathOf(t, g.provider.Authorize(t, location(t, g.do(navigate(t, "/oauth2/login"))), nil)))
		if err != nil {
			t.Fatal(err)
		}
		query := callback.Query()
		if c.change != nil {
			c.change(g, query)
		}
		callback.RawQuery = query.Encode()
		response := g.do(navigate(t, callback.RequestURI()))
		g.expectStatus(name, response, c.status)
		if g.jar["__Host-latchkey"] != before {
			t.Errorf("%s: the existing session was touched", name)
		}
		if text := body(t, response); strings.Contains(text, "<b>") {
			t.Errorf("%s: markup of the provider reached the page: %s", name, text)
		}
	}
}

func TestCallbackCountsOnce(t *testing.T) {
	g := newRig(t, nil)
	callback := g.begin("/app", nil)
	flow := map[string]string{}
	for name, value := range g.jar {
		flow[name] = value
	}
	location(t, g.do(navigate(t, callback)))
	asked := g.provider.Hits(oidctest.Token)
	// A thief of the flow cookie replays the callback.
	for name, value := range flow {
		g.jar[name] = value
	}
	g.expectStatus("a replay", g.do(navigate(t, callback)), http.StatusBadRequest)
	if g.provider.Hits(oidctest.Token) != asked {
		t.Error("the provider was asked about a replayed code")
	}
}

func TestEachLoginIsANewSession(t *testing.T) {
	g := newRig(t, nil)
	ids := map[string]bool{}
	for i := 0; i < 3; i++ {
		callback := pathOf(t, g.provider.Authorize(t, location(t, g.do(navigate(t, "/oauth2/login"))), nil))
		location(t, g.do(navigate(t, callback)))
		s, err := g.l.openSession(testContext(t), g.l.cookieValue(g.withJar(navigate(t, "/"))))
		if err != nil {
			t.Fatal(err)
		}
		ids[s.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("3 logins made %d session ids", len(ids))
	}
}

func TestLoginEndpointReturnsToPath(t *testing.T) {
	g := newRig(t, nil)
	for target, want := range map[string]string{"/deep?x=1": "/deep?x=1", "https://evil.test/": "/", "": "/"} {
		authorization := location(t, g.do(navigate(t, "/oauth2/login?return_to="+url.QueryEscape(target))))
		callback := pathOf(t, g.provider.Authorize(t, authorization, nil))
		if to := location(t, g.do(navigate(t, callback))); to != want {
			t.Errorf("return_to %q ended at %q, want %q", target, to, want)
		}
	}
	g.expectStatus("a script's login", g.do(fetch(t, "/oauth2/login")), http.StatusUnauthorized)
}

func TestAuthorizationRequest(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Provider.Scopes = []string{"openid", "groups"}
		c.Provider.AuthParams = map[string]string{"prompt": "login", "acr_values": "a b"}
	})
	u, err := url.Parse(location(t, g.do(navigate(t, "/app"))))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"scope": "openid groups", "prompt": "login", "acr_values": "a b",
		"redirect_uri": "https://app.example.com/oauth2/callback", "code_challenge_method": "S256",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// With redirectURL all hosts of a domain share one callback, and each login
// ends on the host where it began.
func TestRedirectURL(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.RedirectURL = "https://login.example.com"
		c.Session.Cookie.Domain = "example.com"
	})
	authorization := location(t, g.do(navigate(t, "/app?x=1")))
	if !strings.Contains(authorization, url.QueryEscape("https://login.example.com/oauth2/callback")) {
		t.Errorf("the callback is not pinned: %s", authorization)
	}
	callback := navigate(t, pathOf(t, g.provider.Authorize(t, authorization, nil)))
	callback.Host = "login.example.com"
	if to := location(t, g.do(callback)); to != "https://app.example.com/app?x=1" {
		t.Errorf("the login ended at %q", to)
	}
	g.expectStatus("with the shared cookie", g.do(navigate(t, "/app")), http.StatusOK)
}

// A host that does not share the cookies is no place to return to.
func TestRedirectURLReturnsWithinTheDomain(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.RedirectURL = "https://login.example.com"
		c.Session.Cookie.Domain = "example.com"
	})
	for host, want := range map[string]string{
		"app.example.com": "https://app.example.com/x", "app.example.com:8443": "https://app.example.com:8443/x",
		"login.example.com": "/x", "evil.test": "/x", "evilexample.com": "/x",
	} {
		r := navigate(t, "/x")
		r.Host = host
		callback := navigate(t, pathOf(t, g.provider.Authorize(t, location(t, g.do(r)), nil)))
		if to := location(t, g.do(callback)); to != want {
			t.Errorf("a login begun on %s ended at %q, want %q", host, to, want)
		}
		g.jar = map[string]string{}
	}
}

// A strict cookie is not sent along the provider's redirect, so a page of ours
// leads on.
func TestStrictCookie(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.Cookie.SameSite = "strict" })
	response := g.do(navigate(t, g.begin("/app?a=1&b=2", nil)))
	if text := body(t, response); response.StatusCode != 200 || !strings.Contains(text, `content="0;url=/app?a=1&amp;b=2"`) {
		t.Errorf("got %d %s", response.StatusCode, text)
	}
	for _, c := range response.Cookies() {
		if c.Name == "__Host-latchkey" && c.SameSite != http.SameSiteStrictMode {
			t.Error("the session cookie is not strict")
		}
	}
}

func TestUserInfoIsMerged(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Provider.UserInfo = true
		c.Authorize = "Contains(`groups`, `ops`) && !Contains(`id_token.groups`, `ops`)"
	})
	g.provider.Set(func(b *oidctest.Behavior) {
		b.UserInfo = map[string]interface{}{"groups": []string{"ops"}, "iss": "https://evil.test"}
	})
	g.login("/app", nil)
	g.expectStatus("by userinfo's claims", g.do(navigate(t, "/app")), http.StatusOK)
}

func TestTooManyClaims(t *testing.T) {
	g := newRig(t, nil)
	large := noise(9000)
	g.login("/app", map[string]interface{}{"large": large})
	if n := len(g.sessionCookies()); n < 3 {
		t.Errorf("9,000 bytes of claims in %d cookies", n)
	}
	g.expectStatus("with chunks", g.do(navigate(t, "/app")), http.StatusOK)
	// A smaller session takes the superfluous chunks away.
	callback := pathOf(t, g.provider.Authorize(t, location(t, g.do(navigate(t, "/oauth2/login"))), nil))
	location(t, g.do(navigate(t, callback)))
	g.expectStatus("after a smaller login", g.do(navigate(t, "/app")), http.StatusOK)
	if n := len(g.sessionCookies()); n != 1 {
		t.Errorf("%d session cookies after a smaller login, want 1", n)
	}
}
