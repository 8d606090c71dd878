package oauth2

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Tokens are a token response (RFC 6749, 5.1; OIDC Core, 3.1.3.3).
type Tokens struct {
	AccessToken  string
	TokenType    string
	RefreshToken string // "": none
	IDToken      string // "": none
	Scope        string // "": as asked for
	ExpiresIn    int64  // seconds; 0: it has ended; NoExpiry: not said
}

// NoExpiry is the ExpiresIn of an answer that has none.
const NoExpiry = -1

// maxExpiresIn keeps what is computed with it from overflowing: a hundred years.
const maxExpiresIn = 100 * 365 * 24 * 3600

// ExchangeCode gets the tokens for an authorization code. The error wraps
// ErrUnavailable, and ErrBusy where it was not tried, or ErrRejected and perhaps
// ErrInvalidGrant.
func (c *Client) ExchangeCode(ctx context.Context, e Endpoint, code, verifier, redirectURI string) (*Tokens, error) {
	if !c.Codes.enter() {
		return nil, fmt.Errorf("token request: %w: %w", ErrUnavailable, ErrBusy)
	}
	defer c.Codes.leave()
	tokens, err := c.grant(ctx, e, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"code_verifier": {verifier},
		"redirect_uri":  {redirectURI},
	})
	if err != nil {
		return nil, fmt.Errorf("token request: %w", err)
	}
	return tokens, nil
}

func (c *Client) grant(ctx context.Context, e Endpoint, form url.Values) (*Tokens, error) {
	req, err := c.request(ctx, e, form)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	response, err := do(c.HTTPClient, req)
	if err != nil {
		return nil, err
	}
	return parseTokens(response)
}

func parseTokens(response map[string]interface{}) (*Tokens, error) {
	t := &Tokens{
		AccessToken:  stringOf(response["access_token"]),
		TokenType:    stringOf(response["token_type"]),
		RefreshToken: stringOf(response["refresh_token"]),
		IDToken:      stringOf(response["id_token"]),
		Scope:        stringOf(response["scope"]),
		ExpiresIn:    seconds(response["expires_in"]),
	}
	if t.AccessToken == "" {
		return nil, fmt.Errorf("%w: found no access_token", ErrUnavailable)
	}
	// A token of a kind we do not know must not be used (RFC 6749, 7.1).
	if !strings.EqualFold(t.TokenType, "Bearer") {
		return nil, fmt.Errorf("%w: token_type: found %q, wanted \"Bearer\"", ErrUnavailable, printable(t.TokenType))
	}
	return t, nil
}

// seconds reads expires_in, which some servers write as a string. A token whose
// end is said and is no time to come has ended: zero, less, what is no number.
// Only where nothing is said may it go on without an end.
func seconds(v interface{}) int64 {
	if v == nil {
		return NoExpiry
	}
	n, ok := v.(float64)
	if !ok {
		n, _ = strconv.ParseFloat(stringOf(v), 64)
	}
	// Written so that NaN, which ParseFloat reads, has ended.
	if !(n > 0) {
		return 0
	}
	if n > maxExpiresIn {
		return maxExpiresIn
	}
	return int64(n)
}
