package latchkey

import (
	"net/http"
	"strings"
	"testing"
)

// A scope is a word to the rule and an element to a header, whatever the credential
// and however it writes its scopes.
func TestScopesOfEveryCredential(t *testing.T) {
	const scopes = "read:all unread write"
	list := []string{"read:all", "unread", "write"}
	for _, rule := range []struct {
		text string
		want int
	}{
		{"Contains(`CLAIM`, `write`)", 200}, {"Contains(`CLAIM`, `read`)", 403}, {"Contains(`CLAIM`, `read:all unread`)", 403},
		{"OneOf(`CLAIM`, `x`, `unread`)", 200}, {"SplitContains(`CLAIM`, ` `, `read`)", 403}, {"SplitContains(`CLAIM`, ` `, `write`)", 200},
	} {
		for what, c := range map[string]struct {
			claim string
			asked func(h *chain) *http.Request
		}{
			"an API token": {"scope", func(h *chain) *http.Request {
				_, credential := h.give(func(n *NewToken) { n.Scopes = list })
				return bearer(t, "/app", credential)
			}},
			"an access token": {"scope", func(h *chain) *http.Request {
				return bearer(t, "/app", h.accessToken(map[string]interface{}{"aud": "storage", "scope": scopes}))
			}},
			"an access token's list": {"access_token.scope", func(h *chain) *http.Request {
				return bearer(t, "/app", h.accessToken(map[string]interface{}{"aud": "storage", "scope": list}))
			}},
			"an access token's scp": {"scp", func(h *chain) *http.Request {
				return bearer(t, "/app", h.accessToken(map[string]interface{}{"aud": "storage", "scope": nil, "scp": scopes}))
			}},
			"a delegated token": {"scope", func(h *chain) *http.Request {
				parent := h.accessToken(map[string]interface{}{"aud": "query", "scope": scopes})
				return bearer(t, "/app", h.at(h.query, "the query service", bearer(t, "/q", parent), http.StatusOK))
			}},
			"a session": {"id_token.scope", func(h *chain) *http.Request {
				h.login("/app", map[string]interface{}{"scope": scopes})
				return fetch(t, "/app")
			}},
		} {
			h := newChain(t, func(c2 *Config) {
				c2.Delegate.Scopes = nil
				c2.APITokens.Scopes = nil
				if c2.Delegate.Service == "storage" {
					c2.Delegate.Scopes = list
				}
				if c2.Bearer.Audiences[0] == "storage" {
					c2.Authorize = strings.ReplaceAll(rule.text, "CLAIM", c.claim)
					c2.Forward.Headers = map[string]string{"X-Scopes": c.claim}
				}
			})
			r := c.asked(h)
			for i := 0; i < 2; i++ {
				h.expectStatus(what+": "+rule.text, h.doAt(h.storage, r.Clone(r.Context())), rule.want)
				if h.upstream != nil && h.upstream.Header.Get("X-Scopes") != "read:all,unread,write" {
					t.Errorf("%s: the header is %q", what, h.upstream.Header.Get("X-Scopes"))
				}
			}
		}
	}
}
