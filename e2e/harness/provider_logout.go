package harness

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// LogoutToken is what the provider posts to a client's back-channel logout endpoint (OpenID Connect Back-Channel Logout, 2.4).
// An empty sub or sid is left out.
func (p *Provider) LogoutToken(ctx context.Context, sub, sid string) (string, error) {
	now := time.Now()
	claims := map[string]any{
		"iss":    p.Issuer,
		"aud":    ClientID,
		"iat":    now.Unix(),
		"exp":    now.Add(2 * time.Minute).Unix(),
		"jti":    rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	for name, value := range map[string]string{"sub": sub, "sid": sid} {
		if value != "" {
			claims[name] = value
		}
	}
	return p.sign(ctx, "logout+jwt", claims)
}

// AccessToken is one of the provider's with these scopes, as a program gets it by itself.
func (p *Provider) AccessToken(ctx context.Context, sub, scope string) (string, error) {
	now := time.Now()
	return p.sign(ctx, "at+jwt", map[string]any{
		"iss": p.Issuer, "aud": APIAudience, "sub": sub, "client_id": cliClientID, "scope": scope,
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(), "jti": rand.Text(),
	})
}

// sign makes a JWT of claims, with the provider's key.
func (p *Provider) sign(ctx context.Context, kind jose.ContentType, claims map[string]any) (string, error) {
	key, err := p.storage.SigningKey(ctx)
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType(kind)
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: key.SignatureAlgorithm(),
		Key:       jose.JSONWebKey{Key: key.Key(), KeyID: key.ID()},
	}, options)
	if err != nil {
		return "", fmt.Errorf("sign JWT: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign JWT: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign JWT: %w", err)
	}
	return signed.CompactSerialize()
}
