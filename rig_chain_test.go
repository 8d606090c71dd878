package latchkey

import (
	"net/http"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// chain is a rig of three routers that hand on to one another: a portal, in front
// of a query service, in front of storage.
type chain struct {
	*rig
	portal, query, storage *Latchkey
}

func newChain(t *testing.T, change func(*Config)) *chain {
	t.Helper()
	hop := func(service, next string, scopes ...string) func(*Config) {
		return func(c *Config) {
			c.Bearer.Audiences = []string{service}
			if next != "" {
				c.Delegate.Kind = "internal"
				c.Delegate.Service = next
				c.Delegate.Scopes = scopes
			}
			c.APITokens.Scopes = map[string]string{"read": "", "write": "OneOf(`groups`, `writers`)"}
			if change != nil {
				change(c)
			}
		}
	}
	g := tokenRig(t, hop("portal", "query", "read", "write", "other"))
	file := g.l.set.apiTokens.file
	same := func(f func(*Config)) func(*Config) {
		return func(c *Config) {
			c.APITokens.File = file
			c.APITokens.CheckEvery = "10s"
			f(c)
		}
	}
	h := &chain{rig: g, portal: g.l}
	h.query = g.router(same(hop("query", "storage", "read")))
	h.storage = g.router(same(hop("storage", "")))
	return h
}

const delegatedHeader = "X-Auth-Request-Token"

// at sends a request to a router, and returns the token that the upstream got.
func (h *chain) at(l *Latchkey, what string, r *http.Request, status int) string {
	h.t.Helper()
	h.expectStatus(what, h.doAt(l, r), status)
	if h.upstream == nil {
		return ""
	}
	return h.upstream.Header.Get(delegatedHeader)
}

func claimsIn(t *testing.T, token string) map[string]interface{} {
	t.Helper()
	claims, err := oidc.Unverified(token)
	if err != nil {
		t.Fatalf("%q: %v", token, err)
	}
	return claims
}
