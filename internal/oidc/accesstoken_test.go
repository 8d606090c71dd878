package oidc

import (
	"context"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// group "claims", those of every token
func TestRegisteredClaims(t *testing.T) {
	op, p, c := start(t)
	now := c.now().Unix()
	for _, c := range []struct {
		name    string
		changes object
		says    string // "": allowed
	}{
		{"allow", nil, ""},
		{"allow a sub of 255 bytes", object{"sub": strings.Repeat("a", 255)}, ""},
		{"allow a sub in UTF-8", object{"sub": "алиса"}, ""},
		{"deny iss with a slash more", object{"iss": op.Issuer() + "/"}, "iss"},
		{"deny iss in capitals", object{"iss": strings.ToUpper(op.Issuer())}, "iss"},
		{"deny another iss", object{"iss": "https://evil.example.com"}, `wanted "` + op.Issuer() + `"`},
		{"deny iss in a list", object{"iss": []string{op.Issuer()}}, "iss"},
		{"deny no iss", object{"iss": nil}, "iss"},
		{"deny no sub", object{"sub": nil}, "sub"},
		{"deny an empty sub", object{"sub": ""}, "sub"},
		{"deny a sub that is a number", object{"sub": 7}, "sub"},
		{"deny a sub of 256 bytes", object{"sub": strings.Repeat("a", 256)}, "sub"},
		{"deny a sub with NUL", object{"sub": "a\x00b"}, "sub"},
		{"deny a sub with CRLF", object{"sub": "a\r\nX-Admin: 1"}, "sub"},
		{"deny a sub with DEL", object{"sub": "a\x7f"}, "sub"},
		{"deny a sub with a C1 control", object{"sub": "a\u0085"}, "sub"},

		{"allow exp within the leeway", object{"exp": now - 59}, ""},
		{"allow exp in fractions", object{"exp": float64(now) + 0.5}, ""},
		{"deny exp at the leeway", object{"exp": now - 60}, "exp"},
		{"deny exp past", object{"exp": now - 3600}, "exp"},
		{"deny no exp", object{"exp": nil}, "exp"},
		{"deny exp as a string", object{"exp": "9999999999"}, "a number of seconds"},
		{"deny exp in a list", object{"exp": []int64{now + 300}}, "a number of seconds"},
		{"deny exp true", object{"exp": true}, "a number of seconds"},
		{"deny exp 0", object{"exp": 0}, "exp"},
		{"deny exp negative", object{"exp": -1e300}, "a number of seconds"},
		{"deny exp huge", object{"exp": 1e300}, "a number of seconds"},
		{"deny exp in milliseconds", object{"exp": (now + 300) * 1000}, "a number of seconds"},
		{"deny Exp for exp", object{"exp": nil, "Exp": now + 300}, "exp"},

		{"allow nbf now", object{"nbf": now}, ""},
		{"allow nbf within the leeway", object{"nbf": now + 60}, ""},
		{"deny nbf beyond it", object{"nbf": now + 61}, "nbf"},
		{"deny nbf huge", object{"nbf": 1e300}, "a number of seconds"},
		{"deny nbf negative", object{"nbf": -1}, "a number of seconds"},
		{"deny nbf as a string", object{"nbf": "0"}, "a number of seconds"},
		{"allow iat within the leeway", object{"iat": now + 60}, ""},
		{"deny iat beyond it", object{"iat": now + 61}, "iat"},
		{"deny iat as a string", object{"iat": "0"}, "a number of seconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := op.Sign(at(nil), accessClaims(op, c.changes))
			wantToken(t, access(p, raw), c.says, raw)

			idClaims := accessClaims(op, c.changes)
			idClaims["aud"] = oidctest.ClientID
			raw = op.Sign(nil, idClaims)
			_, err := p.VerifyIDToken(context.Background(), raw, IDToken{ClientID: oidctest.ClientID})
			wantToken(t, err, c.says, raw)
		})
	}
}

// What encoding/json would not write.
func TestClaimsAsText(t *testing.T) {
	op, p, _ := start(t)
	for _, c := range []struct{ name, sub, exp, aud, says string }{
		{"allow", `"a"`, `1700000300`, `"` + oidctest.Audience + `"`, ""},
		{"allow an exponent", `"a"`, `1.7000003e9`, `"` + oidctest.Audience + `"`, ""},
		{"deny exp null", `"a"`, `null`, `"` + oidctest.Audience + `"`, "exp: found nothing, wanted a number"},
		{"deny aud null", `"a"`, `1700000300`, `null`, "aud"},
		{"deny a lone surrogate in sub", `"a\ud800"`, `1700000300`, `"` + oidctest.Audience + `"`, "sub"},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := `{"iss":"` + op.Issuer() + `","sub":` + c.sub + `,"exp":` + c.exp + `,"aud":` + c.aud + `}`
			raw := op.SignText("RS256", `{"alg":"RS256","typ":"at+jwt"}`, claims)
			wantToken(t, access(p, raw), c.says, raw)
		})
	}
}

// A token that is bound to a key is none for bearers (RFC 9449, 7.1; RFC 8705, 3).
func TestTokenBoundToAKey(t *testing.T) {
	op, p, _ := start(t)
	for _, c := range []struct {
		name    string
		changes object
		says    string
	}{
		{"allow no iat", object{"iat": nil}, ""},
		{"allow what only reads like it", object{"CNF": object{}, "cnf2": 1}, ""},
		{"deny a key's thumbprint", object{"cnf": object{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, "cnf"},
		{"deny a certificate's thumbprint", object{"cnf": object{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}, "cnf"},
		{"deny a key", object{"cnf": object{"jwk": object{"kty": "RSA"}}}, "cnf"},
		{"deny an empty cnf", object{"cnf": object{}}, "cnf"},
		{"deny a cnf that is a text", object{"cnf": ""}, "cnf"},
		{"deny a cnf that is false", object{"cnf": false}, "cnf"},
		{"deny a cnf that is a list", object{"cnf": []string{}}, "cnf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, header := range []object{at(nil), {"typ": "JWT"}} {
				raw := op.Sign(header, accessClaims(op, c.changes))
				wantToken(t, access(p, raw), c.says, raw)
			}
		})
	}
	claims := `{"iss":"` + op.Issuer() + `","sub":"a","exp":1700000300,"aud":"` + oidctest.Audience + `","cnf":null}`
	raw := op.SignText("RS256", `{"alg":"RS256","typ":"at+jwt"}`, claims)
	wantToken(t, access(p, raw), "cnf", raw)
}

func many(n int, last string) []string {
	list := make([]string, n)
	list[n-1] = last
	return list
}

func TestAccessTokenAudience(t *testing.T) {
	op, p, _ := start(t)
	const api = "https://api.example.com"
	for _, c := range []struct {
		name      string
		aud       interface{}
		audiences []string
		says      string
	}{
		{"allow", api, []string{api}, ""},
		{"allow one of ours", api, []string{"other", api}, ""},
		{"allow one of the token's", []string{"x", api}, []string{api}, ""},
		{"deny a substring", "https://api.example.com.evil.org", []string{api}, "aud"},
		{"deny a superstring", "https://api", []string{api}, "aud"},
		{"deny other capitals", "https://API.example.com", []string{api}, "aud"},
		{"deny a slash more", api + "/", []string{api}, "aud"},
		{"deny none", nil, []string{api}, "aud"},
		{"deny an empty list", []string{}, []string{api}, "aud"},
		{"deny a list with a number", []interface{}{api, 1}, []string{api}, "a list of strings"},
		{"deny a list with null", []interface{}{api, nil}, []string{api}, "a list of strings"},
		{"deny a list in a list", []interface{}{[]string{api}}, []string{api}, "a list of strings"},
		{"deny an object", object{api: true}, []string{api}, "a list of strings"},
		{"allow 256 audiences", many(256, api), []string{api}, ""},
		{"deny 257 audiences", many(257, api), []string{api}, "found a list of 257"},
		{"deny where no audience is wanted", api, nil, "aud"},
		{"deny the empty audience", "", []string{""}, "aud"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := op.Sign(at(nil), accessClaims(op, object{"aud": c.aud}))
			_, err := p.VerifyAccessToken(context.Background(), raw, AccessToken{Audiences: c.audiences})
			wantToken(t, err, c.says, raw)
		})
	}
}

// An ID token must never pass for an access token.
func TestAccessTokenKind(t *testing.T) {
	op, p, _ := start(t)
	const client, api = oidctest.ClientID, oidctest.Audience
	for _, c := range []struct {
		name   string
		typ    interface{}
		claims object
		types  []string
		says   string
	}{
		{"allow at+jwt", "at+jwt", nil, nil, ""},
		{"allow AT+JWT", "AT+JWT", nil, nil, ""},
		{"allow application/at+jwt", "application/at+jwt", nil, nil, ""},
		{"allow at+jwt for the login client", "at+jwt", object{"aud": client}, nil, ""},
		{"allow JWT for an API", "JWT", nil, nil, ""},
		{"allow no typ for an API", nil, nil, nil, ""},
		{"allow a kind of its own, where named", "vnd.example+jwt", nil, []string{"Application/VND.example+jwt"}, ""},
		{"deny a kind of its own", "vnd.example+jwt", nil, nil, "typ"},
		{"deny logout+jwt", "logout+jwt", nil, nil, "typ"},
		{"deny dpop+jwt", "dpop+jwt", nil, nil, "typ"},
		{"deny JWT where only at+jwt is named", "JWT", nil, []string{"at+jwt"}, "typ"},
		{"deny no typ where only at+jwt is named", nil, nil, []string{"at+jwt"}, "typ"},
		{"deny at+jwt where only JWT is named", "at+jwt", nil, []string{"JWT"}, "typ"},

		{"deny at_hash", "JWT", object{"at_hash": "x"}, nil, "at_hash"},
		{"deny c_hash", "JWT", object{"c_hash": "x"}, nil, "c_hash"},
		{"deny s_hash", nil, object{"s_hash": "x"}, nil, "s_hash"},
		{"deny nonce", "JWT", object{"nonce": "x"}, nil, "nonce"},
		{"deny events", "JWT", object{"events": object{}}, nil, "events"},
		{"allow token_use access", "JWT", object{"token_use": "access"}, nil, ""},
		{"deny token_use id", "JWT", object{"token_use": "id"}, nil, "token_use"},
		{"deny token_use in a list", "JWT", object{"token_use": []string{"access"}}, nil, "token_use"},
		{"allow Keycloak's Bearer", "JWT", object{"typ": "Bearer"}, nil, ""},
		{"deny Keycloak's ID", "JWT", object{"typ": "ID"}, nil, "typ"},
		{"deny Keycloak's Refresh", "JWT", object{"typ": "Refresh"}, nil, "typ"},
		{"deny a typ claim that is a number", "JWT", object{"typ": 1}, nil, "typ"},

		{"deny the login client's audience without a mark", "JWT", object{"aud": client}, nil, "may be an ID token"},
		{"deny it among others", "JWT", object{"aud": []string{api, client}}, nil, "may be an ID token"},
		{"allow it with scope", "JWT", object{"aud": client, "scope": "read"}, nil, ""},
		{"allow it with scp", "JWT", object{"aud": client, "scp": []string{"read"}}, nil, ""},
		{"allow it with client_id and jti", "JWT", object{"aud": client, "client_id": "cli", "jti": "1"}, nil, ""},
		{"deny it with client_id alone", "JWT", object{"aud": client, "client_id": "cli"}, nil, "may be an ID token"},
		{"deny it with jti alone", "JWT", object{"aud": client, "jti": "1"}, nil, "may be an ID token"},
		{"deny a mark that does not help", "JWT", object{"aud": client, "scope": "read", "nonce": "n"}, nil, "nonce"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := op.Sign(object{"typ": c.typ}, accessClaims(op, c.claims))
			_, err := p.VerifyAccessToken(context.Background(), raw,
				AccessToken{Audiences: []string{api, client}, Types: c.types, ClientID: client})
			wantToken(t, err, c.says, raw)
		})
	}
}

func TestAccessTokenAlgorithms(t *testing.T) {
	op, p, _ := start(t)
	for _, c := range []struct {
		name       string
		alg        string
		algorithms []string
		says       string
	}{
		{"allow the one named", "ES256", []string{"ES256"}, ""},
		{"deny another", "RS256", []string{"ES256"}, "alg"},
		{"deny PS for RS, of the same key", "PS256", []string{"RS256"}, "alg"},
		{"deny HS256, though named", "HS256", []string{"HS256", "RS256"}, "alg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := op.Sign(at(object{"alg": c.alg}), accessClaims(op, nil))
			_, err := p.VerifyAccessToken(context.Background(), raw,
				AccessToken{Audiences: []string{oidctest.Audience}, Algorithms: c.algorithms})
			wantToken(t, err, c.says, raw)
		})
	}
}

func TestAccessTokenClaims(t *testing.T) {
	op, p, _ := start(t)
	claims, err := p.VerifyAccessToken(context.Background(), op.AccessToken(object{"groups": []string{"ops"}}),
		AccessToken{Audiences: []string{oidctest.Audience}})
	if err != nil {
		t.Fatal(err)
	}
	groups, _ := claims["groups"].([]interface{})
	if claims["sub"] != oidctest.Subject || claims["exp"] != 1700000300.0 || len(groups) != 1 || groups[0] != "ops" {
		t.Errorf("found claims %v", claims)
	}
}

func TestBearerIssuerNeedsNoDiscovery(t *testing.T) {
	op, _, c := start(t)
	p := NewProvider(Config{Issuer: op.Issuer(), JWKSURL: op.Issuer() + oidctest.JWKS, HTTPClient: op.Client(), Now: c.now})
	raw := op.AccessToken(nil)
	wantToken(t, access(p, raw), "", raw)
	if n := op.Hits(oidctest.Discovery); n != 0 {
		t.Errorf("discovery was asked %d times", n)
	}
	_, err := p.Metadata(context.Background())
	wantUnavailable(t, err, "off")
}
