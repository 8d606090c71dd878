package latchkey

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Access tokens manage nothing, unless the settings name a scope and they have it.
// Other tokens never do.
func TestWhoManages(t *testing.T) {
	calls := map[string][3]string{
		"list":          {"GET", "tokens", ""},
		"create":        {"POST", "tokens", "{}"},
		"rotate":        {"POST", "tokens/*/rotate", ""},
		"revoke":        {"DELETE", "tokens/*", ""},
		"list sessions": {"GET", "sessions", ""},
		"end sessions":  {"DELETE", "sessions", ""},
		"end user":      {"DELETE", "user?user=alice", ""},
		"another's":     {"GET", "tokens?user=bob", ""},
	}
	for _, c := range []struct {
		what, manage string
		claims       map[string]interface{}
		may          bool
	}{
		{"by default", "session", map[string]interface{}{"scope": "read session manage"}, false},
		{"with the scope", "scope manage", map[string]interface{}{"scope": "read manage"}, true},
		{"with it in scp", "scope manage", map[string]interface{}{"scope": nil, "scp": []string{"manage"}}, true},
		{"with it in a list", "scope manage", map[string]interface{}{"scope": []string{"read", "manage"}}, true},
		{"with a longer one", "scope manage", map[string]interface{}{"scope": "manage:all unmanage"}, false},
		{"without it", "scope manage", map[string]interface{}{"scope": "read"}, false},
		{"with none", "scope manage", map[string]interface{}{"scope": ""}, false},
		{"with it elsewhere", "scope manage", map[string]interface{}{"scope": "read", "roles": []string{"manage"}}, false},
		{"with a scope called session", "scope session", map[string]interface{}{"scope": "session"}, true},
	} {
		g := tokenRig(t, func(c2 *Config) {
			c2.APITokens.Manage = c.manage
			c2.Admin = "Equals(`sub`, `alice`)"
		})
		access := g.accessToken(c.claims)
		g.expectStatus(c.what+": the token itself", g.do(bearer(t, "/app", access)), http.StatusOK)
		if got := g.do(bearer(t, "/oauth2/account", access)).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s: the page: status %d", c.what, got)
		}
		for what, call := range calls {
			id, _ := g.give(nil)
			r := apiRequest(t, call[0], "/oauth2/api/"+withID(call[1], id), call[2])
			r.Header.Set("Authorization", "Bearer "+access)
			status := g.do(r).StatusCode
			if (status < 300) != c.may || !c.may && status != http.StatusForbidden {
				t.Errorf("%s: %s: status %d, may: %v", c.what, what, status, c.may)
			}
			if what == "end user" && c.may {
				access = g.laterToken(c.claims)
			}
		}
	}
}

// laterToken is an access token that what was ended until now does not end.
func (g *rig) laterToken(claims map[string]interface{}) string {
	g.clock.advance(2 * time.Second)
	return g.accessToken(claims)
}

func withID(path, id string) string { return strings.Replace(path, "*", id, 1) }

// A session manages, whatever the setting.
func TestSessionsManage(t *testing.T) {
	for _, manage := range []string{"session", "scope manage"} {
		g := tokenRig(t, func(c *Config) { c.APITokens.Manage = manage })
		g.login("/app", nil)
		if got := g.call("POST", "/oauth2/api/tokens", "{}").StatusCode; got != http.StatusCreated {
			t.Errorf("%s: status %d", manage, got)
		}
	}
}
