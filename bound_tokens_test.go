package latchkey

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// An access token that is bound to a key is none for bearers, whoever issued it:
// no proof of the key is looked at here.
func TestTokensBoundToAKey(t *testing.T) {
	second := oidctest.New(t)
	g := newRig(t, func(c *Config) {
		c.Bearer.Issuers = []IssuerConfig{{Issuer: c.Provider.Issuer}, {Issuer: second.Issuer()}}
	})
	second.Set(func(b *oidctest.Behavior) { b.Now = g.clock.now })
	out := captured(t)
	debug := newLogs(slog.LevelDebug).err
	g.l.log = &logs{out: debug, err: debug}
	for name, p := range map[string]*oidctest.Provider{"the provider's": g.provider, "another issuer's": second} {
		g.expectStatus(name, g.do(bearer(t, "/app", p.AccessToken(nil))), http.StatusOK)
		for _, cnf := range []interface{}{
			map[string]interface{}{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
			map[string]interface{}{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"},
			map[string]interface{}{"kid": "k"}, map[string]interface{}{}, "", 0, false, []interface{}{},
		} {
			out.Reset()
			r := bearer(t, "/app", p.AccessToken(map[string]interface{}{"cnf": cnf}))
			r.Header.Set("DPoP", "a.b.c")
			response := g.do(r)
			g.expectStatus(name, response, http.StatusUnauthorized)
			if got := response.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) {
				t.Errorf("%s: WWW-Authenticate: %s", name, got)
			}
			if !strings.Contains(out.String(), "cnf: found") {
				t.Errorf("%s: the log does not say why: %s", name, out)
			}
		}
	}
}

// Nor is one of our own.
func TestDelegatedTokenBoundToAKey(t *testing.T) {
	h := newChain(t, nil)
	h.login("/app", map[string]interface{}{"groups": []string{"staff"}})
	claims := claimsIn(t, h.at(h.portal, "the portal", fetch(t, "/app"), http.StatusOK))
	h.swap(nil)
	for name, want := range map[string]int{"not bound": http.StatusOK, "bound": http.StatusUnauthorized} {
		if name == "bound" {
			claims["cnf"] = map[string]interface{}{"jkt": "x"}
		} else {
			delete(claims, "cnf")
		}
		signer, err := h.query.set.keys.signerAt(h.clock.now())
		if err != nil {
			t.Fatal(err)
		}
		token, err := signer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		h.expectStatus(name, h.doAt(h.query, bearer(t, "/q", token)), want)
	}
}
