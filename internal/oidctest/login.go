package oidctest

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// grant is a code that waits for its exchange.
type grant struct {
	redirectURI string
	challenge   string
	nonce       string
	claims      map[string]interface{}
}

// Authorize plays the browser and the person: it checks the authorization
// request, and returns the address that the browser is sent back to, with code,
// state and iss. The ID token to come gets extraClaims.
func (p *Provider) Authorize(t testing.TB, authorizationURL string, extraClaims map[string]interface{}) string {
	t.Helper()
	if !strings.HasPrefix(authorizationURL, p.Issuer()+"/authorize?") {
		t.Fatalf("authorize: found %q, wanted the provider's authorization endpoint", authorizationURL)
	}
	u, err := url.Parse(authorizationURL)
	if err != nil {
		t.Fatalf("authorize: %v", err)
	}
	q := u.Query()
	for name, values := range q {
		if len(values) != 1 || values[0] == "" {
			t.Fatalf("authorize: %s: found %q, wanted one value (RFC 6749, 3.1)", name, values)
		}
	}
	for name, want := range map[string]string{"response_type": "code", "client_id": ClientID, "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			t.Fatalf("authorize: %s: found %q, wanted %q", name, q.Get(name), want)
		}
	}
	if !strings.Contains(" "+q.Get("scope")+" ", " openid ") {
		t.Fatalf("authorize: scope: found %q, wanted openid in it", q.Get("scope"))
	}
	for _, name := range []string{"state", "nonce"} {
		if len(q.Get(name)) < 22 {
			t.Fatalf("authorize: %s: found %q, wanted 128 bits or more", name, q.Get(name))
		}
	}
	if len(q.Get("code_challenge")) != 43 {
		t.Fatalf("authorize: code_challenge: found %q, wanted a SHA-256 (RFC 7636, 4.2)", q.Get("code_challenge"))
	}
	return p.redirect(t, q, extraClaims)
}

func (p *Provider) redirect(t testing.TB, q url.Values, extraClaims map[string]interface{}) string {
	t.Helper()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || !back.IsAbs() || back.Host == "" {
		t.Fatalf("authorize: redirect_uri: found %q, wanted an absolute URL", q.Get("redirect_uri"))
	}
	code := random()
	b := p.now()
	p.mu.Lock()
	p.codes[code] = grant{
		redirectURI: q.Get("redirect_uri"),
		challenge:   q.Get("code_challenge"),
		nonce:       q.Get("nonce"),
		claims:      extraClaims,
	}
	p.mu.Unlock()

	answer := back.Query()
	answer.Set("code", code)
	answer.Set("state", q.Get("state"))
	if iss := b.Iss; iss != "" {
		answer.Set("iss", iss)
	} else if !b.OmitIss {
		answer.Set("iss", p.Issuer())
	}
	back.RawQuery = answer.Encode()
	return back.String()
}

func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	b := p.now()
	if !authenticated(r, b.AuthMethods) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if r.PostForm.Get("grant_type") != "authorization_code" {
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	g, ok := p.redeem(r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !ok || g.redirectURI != r.PostForm.Get("redirect_uri") || g.challenge != encode(sum[:]) {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	response := p.issue(b, g)
	over(response, b.TokenResponse)
	w.Header().Set("Cache-Control", "no-store")
	WriteJSON(w, http.StatusOK, response)
}

// redeem finds a code once.
func (p *Provider) redeem(code string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.codes[code]
	delete(p.codes, code)
	return g, ok
}

func (p *Provider) issue(b Behavior, g grant) map[string]interface{} {
	access := random()
	if !b.OpaqueAccessToken {
		access = p.AccessToken(nil)
	}
	p.mu.Lock()
	p.access[access] = true
	p.mu.Unlock()

	sum := sha256.Sum256([]byte(access))
	claims := p.Claims(g.claims)
	over(claims, map[string]interface{}{"nonce": g.nonce, "at_hash": encode(sum[:16])})
	over(claims, b.IDTokenClaims)
	return map[string]interface{}{
		"access_token": access,
		"token_type":   "Bearer",
		"expires_in":   300,
		"id_token":     p.Sign(b.IDTokenHeader, claims),
	}
}

// Claims are those of an ID token of the person, good for five minutes, with
// changes over them.
func (p *Provider) Claims(changes map[string]interface{}) map[string]interface{} {
	now := p.now().Now().Unix()
	claims := map[string]interface{}{
		"iss": p.Issuer(), "sub": Subject, "aud": ClientID, "iat": now, "exp": now + 300,
		"email": "alice@example.com", "email_verified": true,
	}
	over(claims, changes)
	return claims
}

// AccessToken is a JWT access token of the person (RFC 9068), good for five
// minutes, with changes over its claims.
func (p *Provider) AccessToken(changes map[string]interface{}) string {
	b := p.now()
	now := b.Now().Unix()
	claims := map[string]interface{}{
		"iss": p.Issuer(), "sub": Subject, "aud": Audience, "iat": now, "exp": now + 300,
		"client_id": ClientID, "jti": random(), "scope": "openid",
	}
	over(claims, b.AccessTokenClaims)
	over(claims, changes)
	return p.Sign(map[string]interface{}{"typ": "at+jwt"}, claims)
}

func (p *Provider) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	known := p.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	p.mu.Unlock()
	if !known {
		refuse(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	info := map[string]interface{}{"sub": Subject, "name": "Alice"}
	over(info, p.now().UserInfo)
	WriteJSON(w, http.StatusOK, info)
}

// authenticated checks the client (RFC 6749, 2.3.1) by the methods that are taken.
func authenticated(r *http.Request, methods []string) bool {
	method := "none"
	id, secret, basic := r.BasicAuth()
	switch {
	case basic:
		method = "client_secret_basic"
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	case r.PostForm.Has("client_secret"):
		method = "client_secret_post"
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	default:
		id, secret = r.PostForm.Get("client_id"), ClientSecret
	}
	if methods == nil {
		methods = []string{"client_secret_basic", "client_secret_post"}
	}
	for _, m := range methods {
		if m == method {
			return id == ClientID && secret == ClientSecret
		}
	}
	return false
}

func refuse(w http.ResponseWriter, status int, code string) {
	WriteJSON(w, status, map[string]interface{}{"error": code})
}

func random() string {
	b := make([]byte, 18)
	_, _ = rand.Read(b)
	return encode(b)
}
