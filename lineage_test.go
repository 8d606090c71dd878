package latchkey

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// notebooks are the settings of a router for that audience that gives its upstream
// a notebook's token.
func notebooks(audience string) func(*Config) {
	return func(c *Config) {
		c.Bearer.Audiences = []string{audience}
		c.Delegate.Kind = "notebook"
	}
}

// given is the token that a request, which is let in, leads to.
func (g *rig) given(l *Latchkey, what string, r *http.Request) string {
	g.t.Helper()
	g.expectStatus(what, g.doAt(l, r), http.StatusOK)
	if g.upstream == nil {
		return ""
	}
	return g.upstream.Header.Get(delegatedHeader)
}

// What a parent could not be used for, neither can a notebook that is made of it,
// nor one that is made of that.
func TestNotebookIsForWhomItsParentIs(t *testing.T) {
	file := t.TempDir() + "/tokens.json"
	g := newRig(t, func(c *Config) { notebooks("portal")(c); c.APITokens.File = file })
	g.closeTokens()
	routers := map[string]*Latchkey{
		"portal": g.l,
		"query":  g.router(func(c *Config) { notebooks("query")(c); c.APITokens.File = file }),
		"several": g.router(func(c *Config) {
			notebooks("several")(c)
			c.Bearer.Issuers = []IssuerConfig{{Issuer: c.Provider.Issuer, Audiences: []string{"portal"}}}
		}),
		"client": g.router(func(c *Config) { notebooks("client")(c); c.Provider.ClientID = "another"; c.APITokens.File = file }),
		"issuer": g.router(func(c *Config) { notebooks("portal")(c); c.Provider.Issuer = "https://other.example.com" }),
	}
	internal := g.router(func(c *Config) {
		c.Bearer.Audiences = []string{"portal"}
		c.Delegate.Kind, c.Delegate.Service = "internal", "query"
	})
	g.login("/app", nil)
	session := func() *http.Request { return fetch(t, "/app") }
	_, credential := g.give(nil)
	access := func(aud interface{}) func() *http.Request {
		token := g.accessToken(map[string]interface{}{"aud": aud})
		return func() *http.Request { return bearer(t, "/app", token) }
	}
	for _, c := range []struct {
		what   string
		at     *Latchkey
		parent func() *http.Request
		opens  string
	}{
		{"a session", g.l, session, "portal query several"},
		{"an API token", g.l, func() *http.Request { return bearer(t, "/app", credential) }, "portal query client"},
		{"an access token", g.l, access("portal"), "portal several"},
		{"an access token for two", g.l, access([]string{"portal", "query"}), "portal query several"},
		{"an access token for our issuer's name", g.l, access([]string{"portal", "latchkey"}), "portal several"},
		{"a token for the query service", internal, session, "query"},
	} {
		jar := g.swap(nil)
		g.jar = jar
		first := g.given(c.at, c.what, c.parent())
		if c.at == internal {
			first = g.given(routers["query"], c.what+": its notebook", bearer(t, "/q", first))
		}
		g.swap(nil)
		opened := strings.Fields(c.opens)
		second := g.given(routers[opened[len(opened)-1]], c.what+": a notebook of it", bearer(t, "/app", first))
		for name, l := range routers {
			want := http.StatusUnauthorized
			if contains(opened, name) {
				want = http.StatusOK
			}
			g.expectStatus(c.what+": a notebook at "+name, g.doAt(l, bearer(t, "/app", first)), want)
			if c.what != "an API token" || name == "client" { // made there, it is that client's
				g.expectStatus(c.what+": a notebook's notebook at "+name, g.doAt(l, bearer(t, "/app", second)), want)
			}
		}
		g.swap(jar)
	}
}

// A token for a service is for bearer.audiences: what one issuer's tokens may be
// for besides says nothing of ours.
func TestServiceTokenIsForTheServiceOnly(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Delegate.Kind, c.Delegate.Service = "internal", "portal" })
	several := g.router(func(c *Config) {
		c.Bearer.Audiences = []string{"several"}
		c.Bearer.Issuers = []IssuerConfig{{Issuer: c.Provider.Issuer, Audiences: []string{"portal"}}}
	})
	g.login("/app", nil)
	token := g.given(g.l, "a session", fetch(t, "/app"))
	g.swap(nil)
	g.expectStatus("its service", g.doAt(g.router(func(c *Config) { c.Bearer.Audiences = []string{"portal"} }), bearer(t, "/app", token)), http.StatusOK)
	g.expectStatus("another", g.doAt(several, bearer(t, "/app", token)), http.StatusUnauthorized)
}

// A subject is a name within its issuer, also where a token of our own tells it.
func TestDelegatedSubjectsOfTwoIssuers(t *testing.T) {
	g := newRig(t, nil)
	other := oidctest.New(t)
	other.Set(func(b *oidctest.Behavior) { b.Now = g.clock.now })
	both := func(audience string) func(*Config) {
		return func(c *Config) {
			c.Bearer.Audiences = []string{audience}
			c.Bearer.Issuers = []IssuerConfig{{Issuer: g.provider.Issuer()}, {Issuer: other.Issuer(), JWKSURL: other.Issuer() + oidctest.JWKS}}
			c.Forward.Headers = map[string]string{"X-User": "sub", "X-Issuer": "sub_id.iss"}
		}
	}
	portal := g.router(func(c *Config) {
		both("portal")(c)
		c.Delegate.Kind, c.Delegate.Service = "internal", "query"
	})
	query := g.router(func(c *Config) {
		both("query")(c)
		c.Delegate.Kind, c.Delegate.Service = "internal", "storage"
	})
	narrow := g.router(func(c *Config) { c.Bearer.Audiences = []string{"query"} })
	storage := g.router(func(c *Config) { both("storage")(c); c.Authorize = "Equals(`sub_id.iss`, `" + other.Issuer() + "`)" })
	theirs := other.Sign(map[string]interface{}{"alg": "RS256", "typ": "at+jwt"}, other.Claims(map[string]interface{}{"aud": "portal", "scope": "x"}))
	ours := g.accessToken(map[string]interface{}{"aud": "portal"})
	for _, c := range []struct {
		what, token, issuer string
		narrow, storage     int
	}{
		{"the provider's", ours, g.provider.Issuer(), 200, 403},
		{"the other's", theirs, other.Issuer(), 401, 200},
	} {
		first := g.given(portal, c.what, bearer(t, "/p", c.token))
		second := g.given(query, c.what+" at the query service", bearer(t, "/q", first))
		if g.upstream.Header.Get("X-User") != "alice" || g.upstream.Header.Get("X-Issuer") != c.issuer {
			t.Errorf("%s: the query service is told of %q of %q", c.what, g.upstream.Header.Get("X-User"), g.upstream.Header.Get("X-Issuer"))
		}
		g.expectStatus(c.what+" where one issuer is known", g.doAt(narrow, bearer(t, "/n", first)), c.narrow)
		g.expectStatus(c.what+" at a rule about it", g.doAt(storage, bearer(t, "/s", second)), c.storage)
	}
	// What ends the one's says nothing of the other's.
	first := g.given(portal, "the other's", bearer(t, "/p", theirs))
	mine := g.given(portal, "the provider's", bearer(t, "/p", ours))
	if _, _, err := g.l.endUser(context.Background(), "alice"); err != nil {
		t.Fatal(err)
	}
	g.expectStatus("the other's, still", g.doAt(query, bearer(t, "/q", first)), http.StatusOK)
	g.expectStatus("the provider's, ended", g.doAt(query, bearer(t, "/q", mine)), http.StatusUnauthorized)
}

// changeFile changes the shadow file by hand, once its window is over.
func (g *rig) changeFile(file string, change func(tokens map[string]map[string]interface{})) {
	g.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		g.t.Fatal(err)
	}
	var document struct {
		Version int                               `json:"version"`
		Tokens  map[string]map[string]interface{} `json:"tokens"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		g.t.Fatal(err)
	}
	change(document.Tokens)
	if content, err = json.Marshal(document); err != nil {
		g.t.Fatal(err)
	}
	if err := writeWhole(file, string(content)); err != nil {
		g.t.Fatal(err)
	}
	g.clock.advance(10 * time.Second)
}

// What was made from an API token dies when that is taken out of its file by hand,
// or may less there, at routers that do not read the file, too.
func TestDelegatedTokenOfAnEditedParent(t *testing.T) {
	for what, c := range map[string]struct {
		change func(tokens map[string]map[string]interface{}, id string)
		want   int
	}{
		"nothing":      {func(tokens map[string]map[string]interface{}, id string) {}, 200},
		"another note": {func(tokens map[string]map[string]interface{}, id string) { tokens[id]["note"] = "x" }, 200},
		"one scope more": {func(tokens map[string]map[string]interface{}, id string) {
			tokens[id]["scopes"] = []string{"read", "x", "deploy"}
		}, 200},
		"another scope less": {func(tokens map[string]map[string]interface{}, id string) { tokens[id]["scopes"] = []string{"read"} }, 200},
		"its scope less":     {func(tokens map[string]map[string]interface{}, id string) { tokens[id]["scopes"] = []string{"deploy"} }, 401},
		"another owner":      {func(tokens map[string]map[string]interface{}, id string) { tokens[id]["owner"] = "bob" }, 401},
		"an end":             {func(tokens map[string]map[string]interface{}, id string) { tokens[id]["expires"] = 1700000000 }, 401},
		"another secret": {func(tokens map[string]map[string]interface{}, id string) {
			tokens[id]["hash"] = strings.Repeat("a", 64)
		}, 401},
		"gone": {func(tokens map[string]map[string]interface{}, id string) { delete(tokens, id) }, 401},
	} {
		h := newChain(t, nil)
		file := h.l.set.apiTokens.file
		apart := h.router(func(c *Config) { c.Bearer.Audiences = []string{"query"} })
		id, credential := h.give(nil)
		first := h.at(h.portal, what, bearer(t, "/app", credential), http.StatusOK)
		second := h.at(h.query, what, bearer(t, "/q", first), http.StatusOK)
		h.at(h.storage, what, bearer(t, "/s", second), http.StatusOK)
		h.at(apart, what, bearer(t, "/a", first), http.StatusOK)
		saved, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h.changeFile(file, func(tokens map[string]map[string]interface{}) { c.change(tokens, id) })
		h.at(h.portal, what+": a look at the file", bearer(t, "/app", credential), h.status(h.portal, credential))
		h.at(h.query, what+": the query service", bearer(t, "/q", first), c.want)
		h.at(h.storage, what+": storage", bearer(t, "/s", second), c.want)
		h.at(apart, what+": a router without the file", bearer(t, "/a", first), c.want)
		if err := writeWhole(file, string(saved)); err != nil {
			t.Fatal(err)
		}
		h.clock.advance(10 * time.Second)
		h.at(h.query, what+": put back", bearer(t, "/q", first), http.StatusOK)
	}
}

// status is what a router answers to the token.
func (h *chain) status(l *Latchkey, credential string) int {
	return h.doAt(l, bearer(h.t, "/app", credential)).StatusCode
}
