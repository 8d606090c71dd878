package oauth2

import (
	"context"
	"fmt"
	"net/url"
)

// Refresh gets new tokens for a refresh token (RFC 6749, 6), with the scope that
// the login had. Where the answer has no RefreshToken the old one stays good;
// where it has one, the old one may have ended with this call. Where it has an
// ID token, its iss and sub must be those of the login's (OIDC Core, 12.2), which
// is for the caller to see.
//
// The error wraps ErrUnavailable, after which the refresh token may be used up
// or not, or ErrRejected. Only with ErrInvalidGrant besides is the token dead.
func (c *Client) Refresh(ctx context.Context, e Endpoint, refreshToken string) (*Tokens, error) {
	tokens, err := c.grant(ctx, e, url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {refreshToken},
	})
	if err != nil {
		return nil, fmt.Errorf("refresh request: %w", err)
	}
	return tokens, nil
}
