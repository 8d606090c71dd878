package oauth2

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Revoke gives a token back (RFC 7009). The hint says which kind it is:
// refresh_token or access_token; "": the server finds out. A token that the
// server does not know, or no longer, is none that could be used: no error. The
// error wraps ErrUnavailable, with which the token may still be good, or
// ErrRejected.
func (c *Client) Revoke(ctx context.Context, e Endpoint, token, hint string) error {
	form := url.Values{"token": {token}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	req, err := c.request(ctx, e, form)
	if err != nil {
		return fmt.Errorf("revocation request: %w: %w", ErrUnavailable, err)
	}
	resp, err := c.HTTPClient.Do(req)
	if err != nil {
		return fmt.Errorf("revocation request: %w", unanswered(err))
	}
	defer resp.Body.Close()
	// The status says it all: the body is not to be read (RFC 7009, 2.2).
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	_, err = read(resp)
	return fmt.Errorf("revocation request: %w", err)
}
