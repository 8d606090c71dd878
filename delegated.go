package latchkey

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// ownHeader is how the header of each of our tokens begins: few others get past it
// to a closer look.
var ownHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":`))

// isDelegated says whether a bearer token claims to be one of ours: then our own
// keys decide, and no other issuer's.
func (l *Latchkey) isDelegated(token string) bool {
	if !strings.HasPrefix(token, ownHeader) {
		return false
	}
	signer, err := l.set.keys.signerAt(l.now())
	return err == nil && signer.Signed(token)
}

// verifyDelegated judges a token that another router, or this one, made for this
// service.
func (l *Latchkey) verifyDelegated(ctx context.Context, token string) (*verified, error) {
	generation := l.revocations.Index().Generation()
	claims, err := l.own.VerifyAccessToken(ctx, token, oidc.AccessToken{Audiences: l.set.delegateAudiences(), Algorithms: []string{"ES256"}, Types: []string{"at+jwt"}})
	if errors.Is(err, oidc.ErrUnavailable) {
		return nil, fmt.Errorf("%w: %v", errUnavailable, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errBadToken, err)
	}
	packed, err := identity.Pack(&identity.Identity{Kind: identity.Delegated, Claims: claims, AccessToken: claims})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	v := &verified{identity: packed, until: unix(claims["exp"]), ends: unix(claims["exp"])}
	if !v.descend(claims[lineage]) {
		return nil, fmt.Errorf("%w: it does not say by what it is revoked", errBadToken)
	}
	if !l.admits(claims) {
		return nil, fmt.Errorf("%w: what it was made from would not be accepted here", errBadToken)
	}
	if err := l.checkParent(ctx, v, claims); err != nil {
		return nil, err
	}
	if err := l.checkRevoked(ctx, v, generation); err != nil {
		return nil, err
	}
	if l.set.accessTokenHeader != "" {
		v.tokens = &heldTokens{access: token}
	}
	return v, nil
}

// openOwn takes the verifier of our own tokens.
func (l *Latchkey) openOwn(ctx context.Context) {
	key := fingerprint("own tokens", l.set.delegateIssuer, l.set.secretLabel)
	l.own = resources.use(ctx, key, func() (interface{}, func()) {
		return oidc.NewProvider(oidc.Config{Issuer: l.set.delegateIssuer, Now: l.now, Log: newLogs(l.set.level).err, Keys: func() (map[string]interface{}, error) {
			signer, err := l.set.keys.signerAt(l.now())
			if err != nil {
				return nil, err
			}
			return signer.JWKS(), nil
		}}), func() {}
	}).(*oidc.Provider)
}

// serveJWKS tells the keys of our own tokens, for services that check them.
func (l *Latchkey) serveJWKS(w http.ResponseWriter, r *http.Request) {
	signer, err := l.set.keys.signerAt(l.now())
	if err != nil {
		l.refuse(w, r, fmt.Errorf("%w: %v", errInternal, err), "")
		return
	}
	l.writeDocument(w, r, http.StatusOK, signer.JWKS())
}
