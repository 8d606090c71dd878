package latchkey

import (
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/claims"
	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// apiTokenSettings are APITokensConfig, checked.
type apiTokenSettings struct {
	file        string // "": in Redis
	header      string // as net/http spells it; "": Authorization alone
	checkEvery  time.Duration
	maxLifetime time.Duration          // 0: no limit
	maxPerOwner int                    // 0: no limit
	scopes      map[string]claims.Rule // by scope, who may give it; nil: everybody
	giving      string                 // a fingerprint of scopes
	fingerprint string                 // of where they are
}

// compileAPITokens leaves apiTokens nil where none are accepted. compileRedis
// comes before it.
func (s *settings) compileAPITokens(m *mistakes, c *Config) {
	t := c.APITokens
	m.unknown("apiTokens.", t, t.Unknown)
	a := &apiTokenSettings{file: t.File, header: http.CanonicalHeaderKey(t.Header)}
	a.checkEvery = duration(m, "apiTokens.checkEvery", t.CheckEvery, time.Second)
	a.maxLifetime = duration(m, "apiTokens.maxLifetime", t.MaxLifetime, 0)
	if a.maxPerOwner = t.MaxPerOwner; a.maxPerOwner < 0 || a.maxPerOwner > maxOwned {
		m.add("apiTokens.maxPerOwner", "%d is not between 0 and %d", a.maxPerOwner, maxOwned)
	}
	if a.header == "Authorization" {
		m.add("apiTokens.header", "%q is looked at in any case; name another header, or none", t.Header)
	}
	a.compileScopes(m, t.Scopes)
	if !t.Enabled && t.File != "" {
		m.add("apiTokens.enabled", "is false, and apiTokens.file is given; drop one")
	}
	if !t.Enabled || t.File == "" && len(c.Redis.Addresses) == 0 {
		return
	}
	s.apiTokens = a
}

// maxOwned bounds apiTokens.maxPerOwner, against a slip of the finger.
const maxOwned = 100000

func (a *apiTokenSettings) compileScopes(m *mistakes, rules map[string]string) {
	a.scopes = map[string]claims.Rule{}
	var said []string
	for scope, text := range rules {
		said = append(said, seal.Context(scope, text))
		if !apitoken.ValidScope(scope) {
			m.add("apiTokens.scopes", "%q is not a scope (RFC 6749, section 3.3)", scope)
		}
		a.scopes[scope] = nil
		if text == "" {
			continue
		}
		rule, err := claims.Parse(text)
		if err != nil {
			m.add("apiTokens.scopes", "%s: %v", scope, err)
			continue
		}
		a.scopes[scope] = rule
	}
	sort.Strings(said)
	a.giving = fingerprint(said...)
}

// givable are the scopes that somebody may give to their tokens, sorted.
func (a *apiTokenSettings) givable(who *identity.Identity) []string {
	var list []string
	for scope, rule := range a.scopes {
		if rule == nil || rule(who) {
			list = append(list, scope)
		}
	}
	sort.Strings(list)
	return list
}

// compileManage reads whether access tokens manage sessions and API tokens.
func (s *settings) compileManage(m *mistakes, c *Config) {
	text := c.APITokens.Manage
	if text == "session" {
		return
	}
	scope, named := strings.CutPrefix(text, "scope ")
	switch {
	case !named || !apitoken.ValidScope(scope):
		m.add("apiTokens.manage", `%q is neither "session" nor "scope NAME"`, text)
	case !c.Bearer.Enabled:
		m.add("apiTokens.manage", "%q is for access tokens, and bearer.enabled is false; drop one", text)
	}
	s.manage = scope
}

// compileAdmin reads the rule of the admin endpoints.
func (s *settings) compileAdmin(m *mistakes, text string) {
	if text == "" {
		return
	}
	rule, err := claims.Parse(text)
	if err != nil {
		m.add("admin", "%v", err)
	}
	s.admin = rule
}

// asksAccessTokenOf says whether a rule of the account page names a claim of the
// access token.
func asksAccessTokenOf(c *Config) bool {
	texts := c.Admin
	for _, rule := range c.APITokens.Scopes {
		texts += " " + rule
	}
	return strings.Contains(texts, accessTokenClaims)
}

// apiTokensFingerprint stands for where they are, and whose they are: subjects
// are names within one provider.
func (s *settings) apiTokensFingerprint() string {
	a := s.apiTokens
	if a.file != "" {
		return fingerprint("file", a.file, a.checkEvery.String())
	}
	return fingerprint("redis", s.redis.fingerprint, s.secretLabel, s.issuer)
}

// apiTokenPolicy is what a verdict depends on besides the credential.
func (s *settings) apiTokenPolicy() string {
	if s.apiTokens == nil {
		return ""
	}
	return seal.Context(s.apiTokens.fingerprint, s.apiTokens.header, s.apiTokens.giving)
}
