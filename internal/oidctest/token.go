package oidctest

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
)

func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) {
	b := p.now()
	if !p.fromClient(w, r, b) {
		return
	}
	var response map[string]interface{}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		response = p.exchange(b, r.PostForm)
	case "refresh_token":
		response = p.refresh(b, r.PostForm.Get("refresh_token"))
	case "urn:ietf:params:oauth:grant-type:token-exchange":
		if b.Exchange == nil {
			refuse(w, http.StatusBadRequest, "unsupported_grant_type")
			return
		}
		exchanged, refused := b.Exchange(r.PostForm)
		if refused != "" {
			refuse(w, http.StatusBadRequest, refused)
			return
		}
		response = exchanged
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	if response == nil {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	over(response, b.TokenResponse)
	w.Header().Set("Cache-Control", "no-store")
	WriteJSON(w, http.StatusOK, response)
}

// fromClient reads a form that the client sent, or answers what is none.
func (p *Provider) fromClient(w http.ResponseWriter, r *http.Request, b Behavior) bool {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return false
	}
	if !authenticated(r, b.AuthMethods) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return false
	}
	return true
}

// exchange returns the tokens for a code, or nil.
func (p *Provider) exchange(b Behavior, form url.Values) map[string]interface{} {
	g, ok := p.redeem(form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if !ok || g.redirectURI != form.Get("redirect_uri") || g.challenge != encode(sum[:]) {
		return nil
	}
	access := p.newAccessToken(b)
	response := answer(b, access)
	claims := p.idClaims(b, g, access)
	over(claims, map[string]interface{}{"nonce": g.nonce})
	over(claims, b.IDTokenClaims)
	response["id_token"] = p.Sign(b.IDTokenHeader, claims)
	if b.RefreshTokens {
		response["refresh_token"] = p.newFamily(g)
	}
	return response
}

// redeem finds a code once.
func (p *Provider) redeem(code string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.codes[code]
	delete(p.codes, code)
	return g, ok
}

func (p *Provider) newAccessToken(b Behavior) string {
	access := random()
	if !b.OpaqueAccessToken {
		access = p.AccessToken(nil)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.access[access] = true
	return access
}

// answer is the part of a token response that each one has.
func answer(b Behavior, access string) map[string]interface{} {
	return map[string]interface{}{"access_token": access, "token_type": "Bearer", "expires_in": b.ExpiresIn}
}

// idClaims are the claims that the ID tokens of a login have in common.
func (p *Provider) idClaims(b Behavior, g grant, access string) map[string]interface{} {
	sum := sha256.Sum256([]byte(access))
	claims := p.Claims(g.claims)
	claims["at_hash"] = encode(sum[:16])
	if b.SessionIDs {
		claims["sid"] = g.sid
	}
	return claims
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

// AccessToken is a JWT access token of the person (RFC 9068), with changes over
// its claims.
func (p *Provider) AccessToken(changes map[string]interface{}) string {
	b := p.now()
	now := b.Now().Unix()
	claims := map[string]interface{}{
		"iss": p.Issuer(), "sub": Subject, "aud": Audience, "iat": now, "exp": now + b.ExpiresIn,
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
