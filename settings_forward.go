package latchkey

import (
	"net/http"
	"sort"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/claims"
	"github.com/latchkey-auth/latchkey/internal/headers"
)

func (s *settings) compileForward(m *mistakes, c ForwardConfig) {
	m.unknown("forward.", c, c.Unknown)
	chosen := c.Headers
	if len(chosen) == 0 {
		chosen = defaultHeaders()
	}
	var names []string
	for name := range chosen {
		names = append(names, name)
	}
	sort.Strings(names)
	folded := map[string]string{}
	for _, name := range names {
		claim, err := claims.ParsePath(chosen[name])
		if err != nil {
			m.add("forward.headers", "%s: %v", name, err)
		}
		if headers.Fold(name) == "authorization" {
			m.add("forward.headers", "%q is for tokens; a claim there would pass for one", name)
		}
		s.identityHeader(m, "forward.headers", name, folded)
		s.asksAccessToken = s.asksAccessToken || strings.HasPrefix(chosen[name], accessTokenClaims)
		s.forward = append(s.forward, claimHeader{name: http.CanonicalHeaderKey(name), source: chosen[name], claim: claim})
	}
	if c.AccessTokenHeader != "" {
		s.identityHeader(m, "forward.accessTokenHeader", c.AccessTokenHeader, folded)
		s.accessTokenHeader = http.CanonicalHeaderKey(c.AccessTokenHeader)
	}
	if c.IDTokenHeader != "" {
		s.identityHeader(m, "forward.idTokenHeader", c.IDTokenHeader, folded)
		s.idTokenHeader = http.CanonicalHeaderKey(c.IDTokenHeader)
	}
	if s.delegate != nil && s.delegate.header != "" {
		s.identityHeader(m, "delegate.header", s.delegate.header, folded)
	}
	if s.apiTokens != nil && s.apiTokens.header != "" {
		s.identityHeader(m, "apiTokens.header", s.apiTokens.header, folded)
	}
	s.setsAuthorization = contains(s.forwarded(), "Authorization")
	s.compileKeep(m, c.Keep)
}

// compileKeep comes last: what this router forwards itself is known then.
func (s *settings) compileKeep(m *mistakes, keep []string) {
	own := map[string]bool{}
	for _, name := range s.forwarded() {
		own[headers.Fold(name)] = true
	}
	for _, name := range keep {
		fold := headers.Fold(name)
		switch {
		case !headers.ValidName(name):
			m.add("forward.keep", "%q is not a header name", name)
		case own[fold]:
			m.add("forward.keep", "%q is a header that this router sets itself; a client's own would pass for it", name)
		case notForIdentity[fold]:
			m.add("forward.keep", "%q is not a header that tells who somebody is", name)
		}
	}
	s.keep = keep
}

// notForIdentity are headers that say something else to a proxy or an upstream.
var notForIdentity = map[string]bool{
	"host": true, "cookie": true, "connection": true, "content-length": true, "content-type": true,
	"transfer-encoding": true, "te": true, "trailer": true, "upgrade": true, "keep-alive": true,
}

func (s *settings) identityHeader(m *mistakes, setting, name string, folded map[string]string) {
	fold := headers.Fold(name)
	switch {
	case !headers.ValidName(name):
		m.add(setting, "%q is not a header name", name)
	case notForIdentity[fold] || strings.HasPrefix(fold, "x-forwarded-"):
		m.add(setting, "%q has another meaning; choose another header", name)
	case folded[fold] != "":
		m.add(setting, "%q and %q are one header to some upstreams; choose another", folded[fold], name)
	}
	folded[fold] = name
}

// forwarded are the names of all headers that carry the identity, or would where a
// setting is on.
func (s *settings) forwarded() []string {
	var names []string
	for _, h := range s.forward {
		names = append(names, h.name)
	}
	for _, name := range []string{s.accessTokenHeader, s.idTokenHeader, s.delegateHeader} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
