package oidctest

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
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
	q, err := p.authorizationRequest(authorizationURL)
	if err != nil {
		t.Fatalf("authorize: %v", err)
	}
	return p.redirect(q, extraClaims)
}

// authorizationRequest reads a request by OIDC Core 3.1.2.1, RFC 7636, 4.3 and
// RFC 9700, 2.1.
func (p *Provider) authorizationRequest(address string) (url.Values, error) {
	if !strings.HasPrefix(address, p.Issuer()+"/authorize?") {
		return nil, fmt.Errorf("found %q, wanted the authorization endpoint", address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	for name, values := range q {
		if len(values) != 1 || values[0] == "" {
			return nil, fmt.Errorf("%s: found %q, wanted one value", name, values)
		}
	}
	for _, c := range []struct {
		name string
		want string // a regular expression
	}{
		{"response_type", "^code$"},
		{"client_id", "^" + ClientID + "$"},
		{"redirect_uri", "^https?://[^/]+/[^#]*$"},
		{"scope", "(^| )openid( |$)"},
		{"state", "^.{22,}$"},
		{"nonce", "^.{22,}$"},
		{"code_challenge", "^[A-Za-z0-9_-]{43}$"},
		{"code_challenge_method", "^S256$"},
	} {
		if !regexp.MustCompile(c.want).MatchString(q.Get(c.name)) {
			return nil, fmt.Errorf("%s: found %q, wanted a match of %s", c.name, q.Get(c.name), c.want)
		}
	}
	return q, nil
}

func (p *Provider) redirect(q url.Values, extraClaims map[string]interface{}) string {
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

	answer := url.Values{"code": {code}, "state": {q.Get("state")}}
	if iss := b.Iss; iss != "" {
		answer.Set("iss", iss)
	} else if !b.OmitIss {
		answer.Set("iss", p.Issuer())
	}
	separator := "?"
	if strings.Contains(q.Get("redirect_uri"), "?") {
		separator = "&"
	}
	return q.Get("redirect_uri") + separator + answer.Encode()
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
	if methods == nil {
		methods = []string{"client_secret_basic", "client_secret_post"}
	}
	id, secret, basic := r.BasicAuth()
	post := r.PostForm.Has("client_secret")
	switch {
	case basic && post:
		return false // one method per request
	case basic:
		return takes(methods, "client_secret_basic") &&
			id == url.QueryEscape(ClientID) && secret == url.QueryEscape(ClientSecret)
	case r.PostForm.Get("client_id") != ClientID:
		return false
	case post:
		return takes(methods, "client_secret_post") && r.PostForm.Get("client_secret") == ClientSecret
	}
	return takes(methods, "none")
}

func takes(methods []string, method string) bool {
	for _, m := range methods {
		if m == method {
			return true
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
