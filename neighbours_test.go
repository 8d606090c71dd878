package latchkey

import (
	"net/http"
	"strings"
	"testing"
)

// neighbours are two middlewares in front of one app, each of which forwards
// what the other does not.
func neighbours(t *testing.T) (g *rig, team, role *Latchkey) {
	t.Helper()
	g = newRig(t, nil)
	g.l = g.router(func(c *Config) {
		c.Public = []string{"/open/"}
		c.Forward.Headers = map[string]string{"X-Team": "team"}
		c.Forward.AccessTokenHeader = "X-Token-Of-Mine"
	})
	return g, g.l, g.router(func(c *Config) {
		c.Public = []string{"/open/"}
		c.Forward.Headers = map[string]string{"X-Role": "role", "X-Request-Id": "sub"}
		c.Forward.IDTokenHeader = "X-Identity"
		c.Delegate.Header = "X-Child"
	})
}

// forged are names that one of the neighbours forwards, the defaults, which
// neither does, and others of their kind.
var forged = []string{
	"X-Team", "x_team", "X.Team", "X-Token-Of-Mine", "x_token-of.mine", "X-Role", "X_Role", "X-Request-Id", "x_request_id", "X-Identity", "X-Child",
	"X-Auth-Request-User", "x_auth_request_email", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username", "X.Auth.Request.Whatever",
	"X-Original-Url", "X_Rewrite_Url",
}

// forge adds them all, in headers, trailers and lists.
func forge(r *http.Request) *http.Request {
	for _, name := range forged {
		r.Header[name] = []string{"mallory"}
	}
	r.Header["Connection"] = []string{"close, " + strings.Join(forged, ", ")}
	r.Trailer = http.Header{"X-Sum": nil}
	for _, name := range forged {
		r.Trailer[name] = nil
	}
	return r
}

// A header that either of two middlewares forwards cannot be sent by a client
// through the other.
func TestNeighboursHeadersAreNotAClients(t *testing.T) {
	g, team, role := neighbours(t)
	g.login("/app", map[string]interface{}{"team": "blue", "role": "dev"})
	token := g.accessToken(map[string]interface{}{"team": "blue", "role": "dev"})
	jar := g.jar
	for name, l := range map[string]*Latchkey{"team": team, "role": role} {
		for what, send := range map[string]func() *http.Request{
			"public":                func() *http.Request { return fetch(t, "/open/page") },
			"public, with a token":  func() *http.Request { return bearer(t, "/open/page", token) },
			"protected, a token":    func() *http.Request { return bearer(t, "/app", token) },
			"protected, a session":  func() *http.Request { g.jar = jar; return fetch(t, "/app") },
			"protected, and warmed": func() *http.Request { g.jar = jar; g.doAt(l, fetch(t, "/app")); return fetch(t, "/app") },
		} {
			g.jar = map[string]string{}
			g.expectStatus(name+": "+what, g.doAt(l, forge(send())), http.StatusOK)
			for header, values := range g.upstream.Header {
				if strings.Contains(strings.Join(values, ","), "mallory") {
					t.Errorf("%s: %s: the upstream got %s", name, what, header)
				}
			}
			if got := g.upstream.Header.Get("Connection"); got != "close" || len(g.upstream.Trailer) != 1 {
				t.Errorf("%s: %s: the upstream got Connection %q, trailers %q", name, what, got, g.upstream.Trailer)
			}
			if want := strings.HasPrefix(what, "protected"); (g.upstream.Header.Get("X-Team") == "blue") != (want && l == team) {
				t.Errorf("%s: %s: the upstream got team %q", name, what, g.upstream.Header.Get("X-Team"))
			}
		}
	}
}

// A middleware that comes later counts at once: for what the guards before it
// took for harmless, and for passes that were given.
func TestNeighbourThatComesLater(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	withTeam := func() *http.Request {
		r := fetch(t, "/app")
		r.Header.Set("X-Team", "mallory")
		return r
	}
	for i := 0; i < 3; i++ {
		g.expectStatus("before", g.do(withTeam()), http.StatusOK)
		if got := g.upstream.Header.Get("X-Team"); got != "mallory" {
			t.Fatalf("before, the upstream got team %q", got)
		}
	}
	if p := onlyPass(t, g); !p.harmless["X-Team"] {
		t.Fatal("the name was not learnt")
	}
	g.router(func(c *Config) { c.Forward.Headers = map[string]string{"X-Team": "team"} })
	if n := len(g.l.byCookie.passes); n != 0 || g.l.passes.budget.held != 0 {
		t.Errorf("%d passes of before stay, %d held", n, g.l.passes.budget.held)
	}
	for i := 0; i < 3; i++ {
		g.expectStatus("after", g.do(withTeam()), http.StatusOK)
		if got := g.upstream.Header.Get("X-Team"); got != "" {
			t.Errorf("after, the upstream got team %q", got)
		}
	}
	if p := onlyPass(t, g); p.harmless["X-Team"] {
		t.Error("the name is harmless still")
	}
	g.expectStatus("warm", g.do(fetch(t, "/app")), http.StatusOK)
	before := g.verifications()
	g.forget()
	g.expectStatus("warm again", g.do(fetch(t, "/app")), http.StatusOK)
	if g.verifications() != before {
		t.Error("the new pass does not let by")
	}
}

// onlyPass is the pass of the rig's one session.
func onlyPass(t *testing.T, g *rig) *view {
	t.Helper()
	for _, p := range g.l.byCookie.passes {
		return p
	}
	t.Fatal("there is no pass")
	return nil
}

// A router whose app wants a client's own value says so, for itself alone.
func TestForwardKeep(t *testing.T) {
	g, team, role := neighbours(t)
	keeps := g.router(func(c *Config) {
		c.Public = []string{"/open/"}
		c.Forward.Headers = map[string]string{"X-Team": "team"}
		c.Forward.Keep = []string{"x-role", "X-Original-URL"}
	})
	for what, c := range map[string]struct {
		l    *Latchkey
		want string
	}{"keeps": {keeps, "mallory"}, "team": {team, ""}, "role": {role, ""}} {
		g.expectStatus(what, g.doAt(c.l, forge(fetch(t, "/open/page"))), http.StatusOK)
		for _, name := range []string{"X-Role", "X_Role", "X-Original-Url"} {
			if got := strings.Join(g.upstream.Header[name], ","); got != c.want {
				t.Errorf("%s: the upstream got %s: %q, want %q", what, name, got, c.want)
			}
		}
		if got := g.upstream.Header.Get("X-Team"); got != "" {
			t.Errorf("%s: the upstream got team %q", what, got)
		}
	}
}

func TestForwardKeepIsChecked(t *testing.T) {
	for name, want := range map[string]string{
		"X Team": "is not a header name", "": "is not a header name", "X-Auth-Request-User": "sets itself", "x_auth_request_user": "sets itself",
		"X-Auth-Request-Token": "sets itself", "Connection": "tells who", "Upgrade": "tells who", "Cookie": "tells who", "content_length": "tells who",
		"X-Team": "", "Authorization": "", "X-Original-URL": "", "X-Auth-Request-Redirect": "",
	} {
		c := validConfig()
		c.Forward.Keep = []string{name}
		_, err := New(testContext(t), http.NotFoundHandler(), c, "test")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), `forward.keep: "`+name+`" is`) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
	}
}

// Where one router sets Authorization, a client's own goes on through another
// only if it is what let the request in.
func TestNeighbourThatSetsAuthorization(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/open/"} })
	token := g.accessToken(nil)
	send := func(l *Latchkey, path, authorization string) string {
		r := fetch(t, path)
		r.Header.Set("Authorization", authorization)
		g.expectStatus(path, g.doAt(l, r), http.StatusOK)
		return g.upstream.Header.Get("Authorization")
	}
	if got := send(g.l, "/open/page", "Basic x"); got != "Basic x" {
		t.Errorf("without a neighbour the upstream got %q", got)
	}
	g.router(func(c *Config) { c.Forward.AccessTokenHeader = "Authorization" })
	for i := 0; i < 3; i++ {
		if got := send(g.l, "/app", "Bearer "+token); got != "Bearer "+token {
			t.Errorf("the upstream got %q, want the token that was verified", got)
		}
	}
	g.forget()
	before := g.verifications()
	send(g.l, "/app", "Bearer "+token)
	if g.verifications() != before {
		t.Error("a bearer token gets no pass any more")
	}
	for _, authorization := range []string{"Basic x", "Bearer " + token, "Bearer forged"} {
		if got := send(g.l, "/open/page", authorization); got != "" {
			t.Errorf("a public path: the upstream got %q", got)
		}
	}
	g.login("/app", nil)
	if got := send(g.l, "/app", "Basic x"); got != "" {
		t.Errorf("beside a session the upstream got %q", got)
	}
	keeps := g.router(func(c *Config) { c.Forward.Keep = []string{"Authorization"} })
	if got := send(keeps, "/app", "Basic x"); got != "Basic x" {
		t.Errorf("where it is kept the upstream got %q", got)
	}
}
