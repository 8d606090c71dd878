package latchkey

import (
	"fmt"
	"net/http"
	"time"
)

func (l *Latchkey) apiSessions(r *http.Request, c *apiCall) (int, interface{}, error) {
	list, err := l.listSessions(r.Context(), c.owner)
	if !legible(err) {
		return 0, nil, err
	}
	for i := range list {
		list[i].Current = list[i].ID == c.session
	}
	return http.StatusOK, map[string]interface{}{"sessions": list}, nil
}

// apiEndOthers ends all sessions but the one that asks.
func (l *Latchkey) apiEndOthers(r *http.Request, c *apiCall) (int, interface{}, error) {
	ended, err := l.endSessionsOf(r.Context(), c.owner, c.session)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]int{"ended": ended}, nil
}

func (l *Latchkey) apiEndSession(r *http.Request, c *apiCall) (int, interface{}, error) {
	if err := l.endSessionOf(r.Context(), c.owner, c.id); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

func (l *Latchkey) apiTokenList(r *http.Request, c *apiCall) (int, interface{}, error) {
	list, err := l.listTokens(r.Context(), c.owner)
	if !legible(err) {
		return 0, nil, err
	}
	return http.StatusOK, map[string]interface{}{"tokens": list, "scopes": l.set.apiTokens.givable(c.who)}, nil
}

// createRequest is the body that asks for a token.
type createRequest struct {
	Note    string   `json:"note"`
	Scopes  []string `json:"scopes"`
	Expires int64    `json:"expires"` // Unix seconds; 0: as late as may be
}

// credentialDocument is a token with its secret, which is told this once.
type credentialDocument struct {
	Token      TokenInfo `json:"token"`
	Credential string    `json:"credential"`
}

func (l *Latchkey) apiCreateToken(r *http.Request, c *apiCall) (int, interface{}, error) {
	var asked createRequest
	if err := c.decode(&asked); err != nil {
		return 0, nil, err
	}
	n := NewToken{Owner: c.owner, Note: asked.Note, Scopes: asked.Scopes}
	// Beyond these a time is another one, once it is computed with.
	if asked.Expires < 0 || asked.Expires > endless {
		return 0, nil, fmt.Errorf("%w: expires is %d, want Unix seconds up to %d", errBadRequest, asked.Expires, int64(endless))
	}
	if asked.Expires != 0 {
		n.Expires = time.Unix(asked.Expires, 0)
	}
	info, credential, err := l.createTokenFor(r, c.caller, n)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, credentialDocument{Token: info, Credential: credential}, nil
}

// createTokenFor makes a token that somebody asks for: with scopes that are
// theirs to give, and for no longer than may be. An administrator who makes one
// for somebody else is bound by neither.
func (l *Latchkey) createTokenFor(r *http.Request, c *caller, n NewToken) (TokenInfo, string, error) {
	if l.apiTokens == nil {
		return TokenInfo{}, "", errNoAPITokens
	}
	if n.Owner == c.user {
		if err := l.limitToken(c, &n); err != nil {
			return TokenInfo{}, "", err
		}
		if err := l.grantOne(l.userName(c.user)); err != nil {
			return TokenInfo{}, "", err
		}
	}
	info, credential, err := l.createToken(r.Context(), n)
	return info, credential, err
}

func (l *Latchkey) limitToken(c *caller, n *NewToken) error {
	givable := l.set.apiTokens.givable(c.who)
	for _, scope := range n.Scopes {
		if !contains(givable, scope) {
			return fmt.Errorf("%w: %q is not yours to give", errScope, scope)
		}
	}
	n.most = l.set.apiTokens.maxPerOwner
	most := l.set.apiTokens.maxLifetime
	if most == 0 {
		return nil
	}
	latest := l.now().Add(most)
	if n.Expires.IsZero() {
		n.Expires = latest
	}
	if n.Expires.After(latest) {
		return fmt.Errorf("%w: it may expire in %s at the latest", errBadRequest, most)
	}
	return nil
}

type rotateRequest struct {
	Grace string `json:"grace"` // how long the old secret goes on; "": not at all
}

func (l *Latchkey) apiRotateToken(r *http.Request, c *apiCall) (int, interface{}, error) {
	var asked rotateRequest
	if len(c.body) > 0 {
		if err := c.decode(&asked); err != nil {
			return 0, nil, err
		}
	}
	info, credential, err := l.rotateFor(r, c.owner, c.id, asked.Grace)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, credentialDocument{Token: info, Credential: credential}, nil
}

// rotateFor is rotateToken with a grace as it was asked for. A secret that is new
// must reach its owner, whatever else went wrong.
func (l *Latchkey) rotateFor(r *http.Request, owner, id, grace string) (TokenInfo, string, error) {
	d := time.Duration(0)
	if grace != "" {
		m := &mistakes{}
		d = duration(m, "grace", grace, 0)
		if err := m.err(); err != nil {
			return TokenInfo{}, "", fmt.Errorf("%w: %v", errBadRequest, err)
		}
	}
	if owner != "" {
		if err := l.grantOne(l.userName(owner)); err != nil {
			return TokenInfo{}, "", err
		}
	}
	info, credential, err := l.rotateToken(r.Context(), owner, id, d)
	if credential == "" {
		return info, "", err
	}
	if err != nil {
		l.log.warn("an API token was rotated", "token", id, "error", err.Error())
	}
	return info, credential, nil
}

func (l *Latchkey) apiRevokeToken(r *http.Request, c *apiCall) (int, interface{}, error) {
	if err := l.revokeToken(r.Context(), c.owner, c.id); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

// apiEndUser ends everything of a user. One's own is not ended by a slip: name
// yourself.
func (l *Latchkey) apiEndUser(r *http.Request, c *apiCall) (int, interface{}, error) {
	if r.URL.Query().Get("user") == "" {
		return 0, nil, fmt.Errorf("%w: say which user", errBadRequest)
	}
	sessions, tokens, err := l.endUser(r.Context(), c.owner)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]int{"sessions": sessions, "tokens": tokens}, nil
}
