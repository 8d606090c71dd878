package latchkey

import (
	"net/http"
	"testing"
)

// A scope that a lax router gives to anybody counts where the settings know it, and
// nowhere else: routers of one store need not agree.
func TestScopesOfASharedStore(t *testing.T) {
	file := t.TempDir() + "/tokens.json"
	at := func(rule string, scopes map[string]string) func(*Config) {
		return func(c *Config) {
			c.APITokens.File = file
			c.APITokens.Scopes = scopes
			c.Authorize = rule
			c.Forward.Headers = map[string]string{"X-Scopes": "scope"}
		}
	}
	g := newRig(t, at("", map[string]string{"read": "", "admin": ""}))
	g.closeTokens()
	_, credential := g.give(func(n *NewToken) { n.Scopes = []string{"admin", "read"} })
	for what, c := range map[string]struct {
		scopes map[string]string
		rule   string
		want   int
		seen   string
	}{
		"knows both":        {map[string]string{"read": "", "admin": "Equals(`a`, `b`)"}, "Contains(`scope`, `admin`)", http.StatusOK, "admin,read"},
		"knows one":         {map[string]string{"read": ""}, "Contains(`scope`, `admin`)", http.StatusForbidden, ""},
		"knows one, of two": {map[string]string{"read": ""}, "Contains(`scope`, `read`)", http.StatusOK, "read"},
		"says nothing":      {nil, "Contains(`scope`, `admin`)", http.StatusOK, "admin,read"},
	} {
		l := g.router(at(c.rule, c.scopes))
		for i := 0; i < 2; i++ {
			g.expectStatus("the lax router", g.do(bearer(t, "/app", credential)), http.StatusOK)
			g.expectStatus(what, g.doAt(l, bearer(t, "/app", credential)), c.want)
			if g.upstream != nil && g.upstream.Header.Get("X-Scopes") != c.seen {
				t.Errorf("%s: the app is told of %q", what, g.upstream.Header.Get("X-Scopes"))
			}
		}
	}
}
