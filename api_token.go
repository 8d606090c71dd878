package latchkey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// isAPIToken says whether a bearer token is one of ours, by how it begins.
func (l *Latchkey) isAPIToken(token string) bool {
	return l.apiTokens != nil && strings.HasPrefix(token, apitoken.Prefix)
}

// apiKey returns the API token that came in the header of its own. What does not
// begin like one there is the upstream's affair; of two, none is taken.
func (l *Latchkey) apiKey(r *http.Request) (key string, found bool) {
	if l.apiTokens == nil {
		return "", false
	}
	values := r.Header[l.set.apiTokens.header]
	if len(values) == 1 {
		key = values[0]
		found = l.isAPIToken(key)
		return key, found
	}
	found = strings.Contains("\n"+strings.Join(values, "\n"), "\n"+apitoken.Prefix)
	return "", found
}

// keyHeader is that header; "": there is none.
func (s *settings) keyHeader() string {
	if s.apiTokens == nil {
		return ""
	}
	return s.apiTokens.header
}

// dropAPITokens keeps them from the upstream, which could use them as their
// owner, on public paths too.
func (l *Latchkey) dropAPITokens(h http.Header) {
	for _, name := range []string{"Authorization", l.set.apiTokens.header} {
		if h[name] != nil && mentionsToken(h[name]) {
			delete(h, name)
		}
	}
}

// mentionsToken says whether a word of a header begins like a token; a scheme may
// stand in front of it. The words are looked through by compiled code: a client
// sends them by the ten thousand.
func mentionsToken(lines []string) bool {
	return strings.Contains(" "+blanks.Replace(strings.Join(lines, " ")), " "+apitoken.Prefix)
}

var blanks = strings.NewReplacer("\t", " ", "\n", " ", "\v", " ", "\f", " ", "\r", " ")

// endless is the end of a token that has none (Unix seconds): always the same
// moment, in the year 9999.
const endless = 253402300799

// verifyAPIToken looks the token up. Its store decides; besides, what is known to
// be dead is refused while the store, or this process' copy of it, is behind.
func (l *Latchkey) verifyAPIToken(ctx context.Context, credential string) (*verified, error) {
	// This and how long an answer stands come before the look-up: a token that is
	// rotated after it, or a file that is found changed, is asked about again.
	generation := l.revocations.Index().Generation()
	id, hash, ok := apitoken.Parse(credential)
	if !ok {
		return nil, fmt.Errorf("%w: not an API token, or misspelt", errBadToken)
	}
	now := l.now()
	stands := l.apiTokens.Until(now)
	t, ends, err := l.findAPIToken(ctx, id, hash)
	if err != nil {
		return nil, err
	}
	if ends == 0 || ends > endless {
		ends = endless // a shadow file may have any number
	}
	packed, err := identity.Pack(&identity.Identity{Kind: identity.Token, Claims: claimsOf(l.honoured(t))})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	v := &verified{identity: packed, until: ends, ends: ends, issued: revocation.Undated}
	v.keys[0] = revocation.Token(id, hash)
	if !stands.IsZero() && stands.Unix() < v.until {
		v.until = stands.Unix()
	}
	if err := l.checkRevoked(ctx, v, generation); err != nil {
		return nil, err
	}
	l.apiTokens.Used(ctx, id, now.Unix())
	return v, nil
}

// findAPIToken asks what this process remembers, and the store itself before a
// token is refused: another replica may have given or rotated it.
func (l *Latchkey) findAPIToken(ctx context.Context, id, hash string) (t apitoken.Token, ends int64, err error) {
	t, found, err := l.apiTokens.Find(ctx, id)
	if err != nil {
		return t, 0, lookUpError(err)
	}
	if ends, ok := t.Accepts(hash, l.now().Unix()); found && ok {
		return t, ends, nil
	}
	t, found, err = l.apiTokens.Fresh(ctx, id)
	if err != nil {
		return t, 0, lookUpError(err)
	}
	if ends, ok := t.Accepts(hash, l.now().Unix()); found && ok {
		return t, ends, nil
	}
	return t, 0, fmt.Errorf("%w: API token %s: unknown, expired or rotated", errBadToken, id)
}

// lookUpError is the reason that a failed look-up is. A token whose record names a
// secret that is not known here is refused, as one that the operator has done
// away with; it is good again once that secret is.
func lookUpError(err error) error {
	if errors.Is(err, cache.ErrUnreadable) {
		return fmt.Errorf("%w: %w", errBadToken, err)
	}
	return storeError(err)
}

// honoured is the token with the scopes that this router's settings know: another
// router of the same store may give more, by another rule, to anybody. Settings
// without scopes give none, and say nothing of those that there are.
func (l *Latchkey) honoured(t apitoken.Token) apitoken.Token {
	if len(l.set.apiTokens.scopes) == 0 {
		return t
	}
	var known []string
	for _, scope := range t.Scopes {
		if _, found := l.set.apiTokens.scopes[scope]; found {
			known = append(known, scope)
		}
	}
	t.Scopes = known
	return t
}

// claimsOf is what rules and headers see of a token's owner. The scopes are a
// list, so that Contains means one of them and not a part of one.
func claimsOf(t apitoken.Token) map[string]interface{} {
	scopes := make([]interface{}, 0, len(t.Scopes))
	for _, scope := range t.Scopes {
		scopes = append(scopes, scope)
	}
	return map[string]interface{}{"sub": t.Owner, "scope": scopes, "token_id": t.ID}
}

// storeError is the reason that a failure of the store of API tokens is.
func storeError(err error) error {
	switch {
	case errors.Is(err, cache.ErrUnreadable):
		return fmt.Errorf("%w: %w", errStoreAway, err)
	case errors.Is(err, apitoken.ErrNotFound):
		return fmt.Errorf("%w: %v", errNotFound, err)
	case errors.Is(err, apitoken.ErrTooMany):
		return fmt.Errorf("%w: you have as many API tokens as you may have; revoke one first, also one that has expired", errBadRequest)
	case errors.Is(err, apitoken.ErrUnavailable):
		return fmt.Errorf("%w: %v", errStoreAway, err)
	}
	return fmt.Errorf("%w: %v", errBadRequest, err)
}
