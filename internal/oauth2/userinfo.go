package oauth2

import (
	"context"
	"fmt"
	"net/http"
)

// UserInfo gets the claims of the access token's person, in JSON (OIDC Core,
// 5.3). The caller must see that sub is that of the ID token (5.3.2). The error
// wraps ErrUnavailable or ErrRejected.
func UserInfo(ctx context.Context, client *http.Client, url, accessToken string) (map[string]interface{}, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("userinfo request: %w: %w", ErrUnavailable, err)
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	req.Header.Set("Accept", "application/json")
	claims, err := do(client, req)
	if err != nil {
		return nil, fmt.Errorf("userinfo request: %w", err)
	}
	return claims, nil
}
