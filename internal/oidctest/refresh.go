package oidctest

import "net/http"

// family is the line of refresh tokens that began with one login. Each works
// once. One that comes again is in two hands, and nobody knows which is the
// thief's: it ends them all (RFC 9700, 4.14.2).
type family struct {
	login   grant
	current string // the one that works
	revoked bool
}

func (p *Provider) newFamily(g grant) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := &family{login: g, current: random()}
	p.families[f.current] = f
	return f.current
}

// refresh returns the tokens for a refresh token, or nil.
func (p *Provider) refresh(b Behavior, token string) map[string]interface{} {
	g, next, ok := p.rotate(b, token)
	if !ok {
		return nil
	}
	access := p.newAccessToken(b)
	response := answer(b, access)
	if next != token {
		response["refresh_token"] = next
	}
	if b.OmitRefreshedIDToken {
		return response
	}
	// OIDC Core, 12.2: no nonce.
	claims := p.idClaims(b, g, access)
	over(claims, b.IDTokenClaims)
	over(claims, b.RefreshClaims)
	response["id_token"] = p.Sign(b.IDTokenHeader, claims)
	return response
}

// rotate uses a refresh token: it returns what was granted, and the token that
// works from now on.
func (p *Provider) rotate(b Behavior, token string) (g grant, next string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.families[token]
	if f == nil || f.revoked {
		return grant{}, "", false
	}
	if token != f.current {
		f.revoked = true
		return grant{}, "", false
	}
	if !b.KeepRefreshToken {
		f.current = random()
		p.families[f.current] = f
	}
	p.grants++
	return f.login, f.current, true
}

// Grants counts the refresh tokens that were taken, each time.
func (p *Provider) Grants() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.grants
}

// serveRevocation ends the family of a refresh token. One that is not known is
// no error (RFC 7009, 2.2).
func (p *Provider) serveRevocation(w http.ResponseWriter, r *http.Request) {
	if !p.fromClient(w, r, p.now()) {
		return
	}
	token := r.PostForm.Get("token")
	if token == "" {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.families[token]; f != nil {
		f.revoked = true
	}
	w.WriteHeader(http.StatusOK)
}
