package latchkey

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/revocation"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// authenticate finds out who is asking. One credential decides: a bearer token
// where there is one, else an API token in its own header, else the session
// cookie. It is looked up as it came, before anything is parsed; only what is not
// known is verified.
func (l *Latchkey) authenticate(w http.ResponseWriter, r *http.Request) (*verified, error) {
	c := l.credential(r)
	if c.raw == "" {
		return nil, c.missing()
	}
	key := l.keyOf(c)
	if v := l.tokens.get(key); v != nil && l.now().Unix() < v.until {
		if err := l.checkClean(r.Context(), v); err != nil {
			return nil, err
		}
		l.setSuccessor(w, r, v)
		return v, nil
	}
	return l.verify(w, r, c, key)
}

// credential is what a request shows, as it came.
type credential struct {
	kind identity.Kind
	raw  string
}

// missing is the reason where there is nothing to look at.
func (c credential) missing() error {
	if c.kind == identity.Session {
		return errNoCredential
	}
	return errBadToken
}

func (l *Latchkey) credential(r *http.Request) credential {
	if authorization := r.Header["Authorization"]; len(authorization) > 0 {
		token, ok := bearerToken(authorization)
		if ok && l.isAPIToken(token) {
			return credential{identity.Token, bounded(token)}
		}
		if ok && len(l.set.issuers) > 0 {
			return credential{identity.Bearer, bounded(token)}
		}
	}
	if key, ok := l.apiKey(r); ok {
		return credential{identity.Token, bounded(key)}
	}
	return credential{identity.Session, l.cookieValue(r)}
}

// maxCredential bounds a token, in bytes: none that is longer is accepted.
const maxCredential = 16 << 10

// bounded is the token, or nothing where it is too long to be worth a look.
func bounded(token string) string {
	if len(token) > maxCredential {
		return ""
	}
	return token
}

// keyOf stands for the credential and the policy it is judged by.
func (l *Latchkey) keyOf(c credential) cacheKey {
	return sha256.Sum256([]byte(seal.Context(l.set.policy, string(c.kind), c.raw)))
}

// bearerToken returns the token of RFC 6750, section 2.1. Another scheme is the
// upstream's affair; a header given twice is a bad token.
func bearerToken(authorization []string) (string, bool) {
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		return "", false
	}
	if len(authorization) > 1 {
		return "", true
	}
	return strings.TrimLeft(token, " "), true
}

// verify judges a credential that the token cache does not vouch for.
func (l *Latchkey) verify(w http.ResponseWriter, r *http.Request, c credential, key cacheKey) (*verified, error) {
	l.counters.verifications.Add(1)
	var v *verified
	var err error
	if c.kind == identity.Session {
		v, err = l.verifySession(w, r, c.raw, key)
	} else {
		v, err = l.verifyToken(r.Context(), c, string(key[:]))
	}
	if err != nil {
		return nil, err
	}
	if now := l.now().Unix(); v.until > now {
		if v.until > now+recheck {
			v.until = now + recheck
		}
		l.tokens.put(key, v)
	}
	return v, nil
}

// negativeFor is how long a bad token is known to be bad.
const negativeFor = 5 * time.Second

// verifyToken judges what came in a header, unless it was bad a moment ago.
func (l *Latchkey) verifyToken(ctx context.Context, c credential, key string) (*verified, error) {
	if _, bad, err := l.negatives.Get(ctx, key); err == nil && bad {
		return nil, errBadToken
	}
	var v *verified
	var err error
	switch {
	case c.kind == identity.Token:
		v, err = l.verifyAPIToken(ctx, c.raw)
	case l.isDelegated(c.raw):
		v, err = l.verifyDelegated(ctx, c.raw)
	default:
		v, err = l.verifyBearer(ctx, c.raw)
	}
	if errors.Is(err, errBadToken) && !errors.Is(err, cache.ErrUnreadable) {
		l.log.debug("token refused", "kind", string(c.kind), "error", err.Error())
		if c.kind == identity.Token && l.set.apiTokens.file != "" {
			return nil, err // a look-up costs no more than this would, and the file may have it in a moment
		}
		if err := l.negatives.Set(ctx, key, nil, negativeFor); err != nil {
			l.log.warn("remember a bad token", "error", err.Error())
		}
	}
	return v, err
}

func (l *Latchkey) verifyBearer(ctx context.Context, token string) (*verified, error) {
	generation := l.revocations.Index().Generation()
	claims, err := l.verifyAccessToken(ctx, token)
	if err != nil {
		return nil, bearerError(err)
	}
	v, err := l.acceptBearer(ctx, token, claims, generation)
	return v, err
}

func bearerError(err error) error {
	if errors.Is(err, oidc.ErrUnavailable) {
		return fmt.Errorf("%w: %v", errUnavailable, err)
	}
	return fmt.Errorf("%w: %v", errBadToken, err)
}

func (l *Latchkey) acceptBearer(ctx context.Context, token string, claims map[string]interface{}, generation uint64) (*verified, error) {
	if err := l.checkLife(claims); err != nil {
		return nil, err
	}
	claims = trustedEmail(claims)
	packed, err := identity.Pack(&identity.Identity{Kind: identity.Bearer, Claims: claims, AccessToken: claims})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	v := &verified{identity: packed, until: unix(claims["exp"]), ends: unix(claims["exp"]), issued: unix(claims["iat"]) * 1000}
	v.keys[0] = revocation.User(text(claims["iss"]), text(claims["sub"]))
	if err := l.checkRevoked(ctx, v, generation); err != nil {
		return nil, err
	}
	if l.set.accessTokenHeader != "" || l.set.exchanges() {
		v.tokens = &heldTokens{access: token}
	}
	return v, nil
}

// checkLife refuses an access token that would outlive its revocation.
func (l *Latchkey) checkLife(claims map[string]interface{}) error {
	began := l.now().Unix()
	if issued := unix(claims["iat"]); issued > 0 && issued < began {
		began = issued
	}
	if life := unix(claims["exp"]) - began; life > int64(l.set.bearerLifetime/time.Second) {
		return fmt.Errorf("%w: it lives for %ds, more than bearer.maxLifetime %s", errBadToken, life, l.set.bearerLifetime)
	}
	return nil
}

// verifyAccessToken has the token's own issuer judge it, if that is one of the
// accepted ones. Nothing is fetched from an address that a token names.
func (l *Latchkey) verifyAccessToken(ctx context.Context, token string) (map[string]interface{}, error) {
	i := l.set.issuers[0]
	if len(l.set.issuers) > 1 {
		found, err := l.issuerOf(token)
		if err != nil {
			return nil, err
		}
		i = found
	}
	policy := oidc.AccessToken{Audiences: i.audiences, Algorithms: i.algorithms, Types: i.types, ClientID: l.set.clientID}
	return l.verifier[i.name].VerifyAccessToken(ctx, token, policy)
}

func (l *Latchkey) issuerOf(token string) (issuer, error) {
	unverified, err := oidc.Unverified(token)
	if err != nil {
		return issuer{}, err
	}
	name := text(unverified["iss"])
	for _, i := range l.set.issuers {
		if i.name == name {
			return i, nil
		}
	}
	return issuer{}, fmt.Errorf("verify access token: its iss %q is no accepted issuer: %w", name, oidc.ErrToken)
}

// emailAddress has one @, so that everybody who takes it apart finds the same
// domain: of mallory@example.net@example.com some take the last.
var emailAddress = regexp.MustCompile(`^[^@\pZ\pC]+@[^@\pZ\pC]+$`)

// trustedEmail leaves out an e-mail address that its issuer says it has not
// verified (OpenID Connect Core, section 5.7), and a text that is none: neither
// a rule nor an upstream may take it for the subject's.
func trustedEmail(claims map[string]interface{}) map[string]interface{} {
	email, given := claims["email"]
	verified, present := claims["email_verified"]
	if !given || emailAddress.MatchString(text(email)) && (!present || verified == true || verified == "true") {
		return claims
	}
	trusted := make(map[string]interface{}, len(claims))
	for name, value := range claims {
		if name != "email" {
			trusted[name] = value
		}
	}
	return trusted
}

func text(claim interface{}) string {
	s, _ := claim.(string)
	return s
}

// unix reads a NumericDate (RFC 7519, section 2) that was validated before.
func unix(claim interface{}) int64 {
	f, _ := claim.(float64)
	return int64(f)
}
