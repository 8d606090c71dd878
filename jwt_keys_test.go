package latchkey

import (
	"net/http"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// The settings say which algorithms an issuer's tokens may have; the token does
// not.
func TestIssuerPinsItsAlgorithms(t *testing.T) {
	g := newRig(t, nil)
	g.l = g.router(func(c *Config) {
		c.Bearer.Issuers = []IssuerConfig{{Issuer: g.provider.Issuer(), Algorithms: []string{"ES256"}}}
	})
	for alg, status := range map[string]int{"ES256": 200, "ES384": 401, "RS256": 401, "PS256": 401, "EdDSA": 401, "HS256": 401} {
		claims := g.provider.Claims(map[string]interface{}{"aud": oidctest.Audience})
		token := g.provider.Sign(map[string]interface{}{"alg": alg, "typ": "at+jwt"}, claims)
		g.expectStatus(alg, g.do(bearer(t, "/app", token)), status)
	}
}

// A token's own idea of where keys are is not followed, with several issuers
// either.
func TestKeysAreTheIssuersOwn(t *testing.T) {
	g := newRig(t, nil)
	evil := oidctest.New(t)
	other := oidctest.New(t)
	g.l = g.router(func(c *Config) {
		c.Bearer.Issuers = []IssuerConfig{{Issuer: g.provider.Issuer()}, {Issuer: other.Issuer()}}
	})
	header := map[string]interface{}{"typ": "at+jwt", "kid": "rsa-1"}
	for what, issuer := range map[string]string{"an unknown issuer": evil.Issuer(), "a known one, with another's kid": other.Issuer()} {
		evil.Rotate() // all providers of a process have the same keys, before
		token := evil.Sign(header, evil.Claims(map[string]interface{}{"iss": issuer, "aud": oidctest.Audience}))
		g.expectStatus(what, g.do(bearer(t, "/app", token)), http.StatusUnauthorized)
		evil.Rotate()
	}
	if evil.Hits(oidctest.JWKS)+evil.Hits(oidctest.Discovery) != 0 {
		t.Error("an issuer that nobody named was asked for its keys")
	}
}
