package latchkey

import (
	"context"
	"errors"

	"github.com/latchkey-auth/latchkey/internal/gone"
	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// atProvider makes a call to one of the provider's endpoints. Where that is gone,
// it may have moved: discovery is asked anew, unless it was a moment ago, and the
// call is made once more at what it names. Nothing that counts once, such as a
// code or a refresh token, has been used by then.
func (l *Latchkey) atProvider(ctx context.Context, call func(*oidc.Metadata) error) error {
	known, err := l.provider.Metadata(ctx)
	if err != nil {
		return err
	}
	err = call(known)
	if !errors.Is(err, gone.Err) {
		return err
	}
	moved, failed := l.provider.Rediscover(ctx)
	if failed != nil || moved.SameEndpoints(known) {
		return err
	}
	l.log.info("the provider's endpoints have moved", "issuer", l.set.issuer)
	return call(moved)
}

func tokenEndpoint(m *oidc.Metadata) oauth2.Endpoint {
	return oauth2.Endpoint{URL: m.TokenEndpoint, AuthMethods: m.TokenEndpointAuthMethods}
}

func (l *Latchkey) exchangeCode(ctx context.Context, code, verifier, redirectURI string) (*oauth2.Tokens, error) {
	var tokens *oauth2.Tokens
	err := l.atProvider(ctx, func(m *oidc.Metadata) error {
		var err error
		tokens, err = l.client.ExchangeCode(ctx, tokenEndpoint(m), code, verifier, redirectURI)
		return err
	})
	return tokens, err
}

func (l *Latchkey) refreshTokens(ctx context.Context, refreshToken string) (*oauth2.Tokens, error) {
	var tokens *oauth2.Tokens
	err := l.atProvider(ctx, func(m *oidc.Metadata) error {
		var err error
		tokens, err = l.refreshClient.Refresh(ctx, tokenEndpoint(m), refreshToken)
		return err
	})
	return tokens, err
}

func (l *Latchkey) exchangeToken(ctx context.Context, asked oauth2.Exchange) (*oauth2.Tokens, error) {
	var tokens *oauth2.Tokens
	err := l.atProvider(ctx, func(m *oidc.Metadata) error {
		var err error
		tokens, err = l.client.Exchange(ctx, tokenEndpoint(m), asked)
		return err
	})
	return tokens, err
}

func (l *Latchkey) askUserInfo(ctx context.Context, accessToken string) (map[string]interface{}, error) {
	var info map[string]interface{}
	err := l.atProvider(ctx, func(m *oidc.Metadata) error {
		var err error
		info, err = oauth2.UserInfo(ctx, l.client.HTTPClient, m.UserInfoEndpoint, accessToken)
		return err
	})
	return info, err
}

func (l *Latchkey) giveBack(ctx context.Context, refreshToken string) error {
	return l.atProvider(ctx, func(m *oidc.Metadata) error {
		if m.RevocationEndpoint == "" {
			return nil
		}
		e := oauth2.Endpoint{URL: m.RevocationEndpoint, AuthMethods: m.RevocationEndpointAuthMethods}
		return l.client.Revoke(ctx, e, refreshToken, "refresh_token")
	})
}
