package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/latchkey-auth/latchkey/internal/delegation"
)

// A token that Latchkey did not make for this service, or whose time is over, opens nothing, at no replica.
func (f *fleet) othersAreRefused() {
	c := f.chain(f.login(0, "alice"))
	good := f.verified(c.query, "query")
	secret := f.dynamic.Middlewares["query"]["secret"].(string)
	f.judgesBearer("/query/alike", f.signed(secret, good, nil), http.StatusOK, "one that says the same, of the same secret")
	now := time.Now().Unix()
	for name, token := range map[string]string{
		"forged, under the name of the key":        f.forged(c.query, good, jwt.SigningMethodES256, otherKey(f)),
		"forged, under another name":               f.forged("", good, jwt.SigningMethodES256, otherKey(f)),
		"forged, with the public keys as secret":   f.forged(c.query, good, jwt.SigningMethodHS256, []byte(f.get(crowd, f.Traefik.URL+"/oauth2/jwks").body)),
		"not signed":                               f.forged(c.query, good, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"signature cut off":                        c.query[:strings.LastIndexByte(c.query, '.')+1],
		"changed":                                  f.changed(c.query, good),
		"foreign, of another secret":               f.signed(secret+" of others", good, nil),
		"ended":                                    f.signed(secret, good, jwt.MapClaims{"iat": now - 7200, "exp": now - 120}),
		"endless":                                  f.signed(secret, good, jwt.MapClaims{"exp": nil}),
		"from the future":                          f.signed(secret, good, jwt.MapClaims{"nbf": now + 600}),
		"for another service":                      f.signed(secret, good, jwt.MapClaims{"aud": "billing"}),
		"for nobody":                               f.signed(secret, good, jwt.MapClaims{"aud": nil}),
		"of another issuer":                        f.signed(secret, good, jwt.MapClaims{"iss": f.Provider.Issuer}),
		"without what revokes it":                  f.signed(secret, good, jwt.MapClaims{"latchkey": nil}),
		"storage's":                                c.storage,
		"the provider's, for the site's own API":   f.bearer("alice"),
		"the session's id in place of a token":     c.cookie[strings.IndexByte(c.cookie, '=')+1:],
		"the parent of it in place of a token":     good["parent"].(string),
		"a header of ours alone, and nothing else": strings.SplitN(c.query, ".", 2)[0] + "..",
	} {
		f.judgesBearer("/query/refused", token, http.StatusUnauthorized, name)
	}
	for _, path := range []string{"/portal/refused", "/storage/refused", "/refused"} {
		f.judgesBearer(path, c.query, http.StatusUnauthorized, "the query service's")
	}
	for _, path := range []string{"/query/refused", "/portal/refused", "/storage/refused", "/refused"} {
		f.untouched(path)
	}
	// Who has a token for a service manages nothing with it, nor does what was refused harm what is good.
	f.judgesBearer("/oauth2/api/tokens", c.query, http.StatusUnauthorized, "the query service's, at the API")
	f.holds(c, http.StatusOK, "after all that was refused")
}

// judgesBearer checks what every replica answers to a token, at first sight and later.
func (f *fleet) judgesBearer(path, token string, want int, whose string) {
	f.t.Helper()
	for i := range f.Traefiks {
		for range 2 {
			if status := f.opens(i, path, token); status != want {
				f.t.Errorf("%s, %s at replica %d: status %d, want %d", whose, path, i, status, want)
			}
		}
	}
}

// signed is a token made as Latchkey makes them, with claims in the place of the good ones; nil leaves one out.
func (f *fleet) signed(secret string, good, other jwt.MapClaims) string {
	f.t.Helper()
	signer, err := delegation.NewSigner([]string{secret})
	if err != nil {
		f.t.Fatal(err)
	}
	claims := maps.Clone(good)
	claims["jti"] = rand.Text()
	maps.Copy(claims, other)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	token, err := signer.Sign(claims)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// forged is a token with another signature. Its header is that of the model, but for alg; without one it has its own.
func (f *fleet) forged(model string, claims jwt.MapClaims, method jwt.SigningMethod, key any) string {
	f.t.Helper()
	t := jwt.NewWithClaims(method, claims)
	t.Header["typ"], t.Header["kid"] = "at+jwt", "mine"
	if model != "" {
		parsed, _, err := jwt.NewParser().ParseUnverified(model, jwt.MapClaims{})
		if err != nil {
			f.t.Fatal(err)
		}
		t.Header["kid"] = parsed.Header["kid"]
	}
	token, err := t.SignedString(key)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// changed is a token with more scopes, and the signature that it had.
func (f *fleet) changed(token string, claims jwt.MapClaims) string {
	f.t.Helper()
	parts := strings.Split(token, ".")
	more := maps.Clone(claims)
	more["scope"] = "admin read write"
	payload, err := json.Marshal(more)
	if err != nil {
		f.t.Fatal(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}

func otherKey(f *fleet) *ecdsa.PrivateKey {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	return key
}

// tokenLookalikes are spellings of the header that a server behind Traefik may take for it.
var tokenLookalikes = []string{
	"X-Auth-Request-Token", "x-auth-request-token", "x_auth_request_token", "X_Auth_Request_Token", "X-Auth_Request-Token", "X.Auth.Request.Token",
}

// Whoever brings the header, however it is spelled, does not get it past a router that sets it.
func (f *fleet) lookalikesStayOut() {
	c := f.chain(f.login(0, "alice"))
	forged := ""
	for _, name := range tokenLookalikes {
		forged += name + ": " + c.storage + "\r\n"
	}
	chunked := "Transfer-Encoding: chunked\r\nTrailer: X-Auth-Request-Token, x_auth_request_token\r\n\r\n" +
		"1\r\nx\r\n0\r\nX-Auth-Request-Token: forged\r\nx_auth_request_token: forged\r\n\r\n"
	for _, test := range []struct {
		name, request string
		service       string // that the app's token is for; "": there is none
	}{
		{"a session", "GET /portal/page HTTP/1.1\r\nCookie: " + c.cookie + "\r\n" + forged + "\r\n", "query"},
		{"a session, trailers", "POST /portal/page HTTP/1.1\r\nCookie: " + c.cookie + "\r\n" + forged + chunked, "query"},
		{"a token", "GET /query/page HTTP/1.1\r\nAuthorization: Bearer " + c.query + "\r\n" + forged + "\r\n", "storage"},
		{"named as hop-by-hop", "GET /query/page HTTP/1.1\r\nAuthorization: Bearer " + c.query + "\r\n" + forged +
			"Connection: X-Auth-Request-Token\r\n\r\n", "storage"},
		{"nobody on a public path", "GET /portal/public/page HTTP/1.1\r\n" + forged + "\r\n", ""},
		{"a session on a public path", "GET /portal/public/page HTTP/1.1\r\nCookie: " + c.cookie + "\r\n" + forged + "\r\n", ""},
	} {
		for range 3 { // with the pass that the chain left, or the one before
			a := f.raw(strings.Replace(test.request, "\r\n", "\r\nHost: "+host(f.t, f.Traefik.URL)+"\r\n", 1))
			got := f.hop(a)
			for name := range got.Header {
				if folded(name) && (test.service == "" || !strings.HasPrefix(name, "X-Auth-Request-")) {
					f.t.Errorf("%s: the app got header %s", test.name, name)
				}
			}
			for name, values := range got.Trailer {
				if len(values) > 0 {
					f.t.Errorf("%s: the app got trailer %s: %q", test.name, name, values)
				}
			}
			if test.service != "" {
				f.verified(got.token, test.service)
			}
		}
	}
}
