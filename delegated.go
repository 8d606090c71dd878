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
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// lineage is the claim of our own tokens that says by what they are revoked.
const lineage = "latchkey"

// lineageOf is that of a token made from the verified credential: what revokes
// the parent, and when the first of them was issued.
func lineageOf(v *verified) map[string]interface{} {
	var keys []interface{}
	for _, key := range v.keys {
		if key != noKey {
			keys = append(keys, key.Text())
		}
	}
	return map[string]interface{}{"keys": keys, "issued": v.issued}
}

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
	accepted := append([]string{l.set.delegateIssuer}, l.set.audiences...)
	claims, err := l.own.VerifyAccessToken(ctx, token, oidc.AccessToken{Audiences: accepted, Algorithms: []string{"ES256"}, Types: []string{"at+jwt"}})
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
	if err := l.checkRevoked(ctx, v, generation); err != nil {
		return nil, err
	}
	if l.set.accessTokenHeader != "" {
		v.tokens = &heldTokens{access: token}
	}
	return v, nil
}

// descend takes over by what the token is revoked.
func (v *verified) descend(claim interface{}) bool {
	from, _ := claim.(map[string]interface{})
	issued, ok := from["issued"].(float64)
	if !ok {
		return false
	}
	v.issued = int64(issued)
	list, _ := from["keys"].([]interface{})
	if len(list) == 0 || len(list) > len(v.keys) {
		return false
	}
	for i, item := range list {
		key, ok := revocation.ParseKey(text(item))
		if !ok {
			return false
		}
		v.keys[i] = key
	}
	return true
}

// openOwn takes the verifier of our own tokens.
func (l *Latchkey) openOwn(ctx context.Context) {
	key := fingerprint("own tokens", l.set.delegateIssuer, l.set.keys.values)
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
