package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Token type identifiers (RFC 8693, 3).
const (
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
)

// Exchange is what an access token is exchanged for.
type Exchange struct {
	SubjectToken string   // an access token
	Audiences    []string // names of the services that the new one is for; nil: the server's choice
	Resources    []string // their URIs (RFC 8707); nil: the server's choice
	Scopes       []string // nil: the server's choice
}

// Exchange gets an access token for another one (RFC 8693, 2). Scope in the answer
// is what was granted, if that is not what was asked for.
//
// The error wraps ErrUnavailable or ErrRejected. With ErrInvalidGrant besides it is
// the subject token that the server does not accept, so a new one may help. Other
// codes, such as invalid_target, invalid_scope and unauthorized_client, tell of what
// was asked for, or of us.
func (c *Client) Exchange(ctx context.Context, e Endpoint, x Exchange) (*Tokens, error) {
	response, err := c.exchange(ctx, e, x.form())
	if err != nil {
		return nil, fmt.Errorf("exchange request: %w", err)
	}
	tokens, err := parseExchange(response)
	if err != nil {
		return nil, fmt.Errorf("exchange request: %w", err)
	}
	return tokens, nil
}

// form is the request (RFC 8693, 2.1). What is not asked for is left out.
func (x Exchange) form() url.Values {
	form := url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":        {x.SubjectToken},
		"subject_token_type":   {typeAccessToken},
		"requested_token_type": {typeAccessToken},
	}
	if len(x.Audiences) > 0 {
		form["audience"] = x.Audiences
	}
	if len(x.Resources) > 0 {
		form["resource"] = x.Resources
	}
	if len(x.Scopes) > 0 {
		form.Set("scope", strings.Join(x.Scopes, " "))
	}
	return form
}

// exchange takes invalid_request for a refusal of the subject token, whose code it
// is here (RFC 8693, 2.2.2). A request that is malformed has it, too, but ours are
// not.
func (c *Client) exchange(ctx context.Context, e Endpoint, form url.Values) (map[string]interface{}, error) {
	req, err := c.request(ctx, e, form)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	response, err := do(c.HTTPClient, req)
	if errors.Is(err, errInvalidRequest) {
		return nil, fmt.Errorf("%w: %w", err, ErrInvalidGrant)
	}
	return response, err
}

// parseExchange checks that what was issued is an access token, the only kind that
// we know how to hand on (RFC 8693, 2.2.1). A JWT is one in the form that RFC 9068
// gives it. What goes with N_A for token_type is none.
func parseExchange(response map[string]interface{}) (*Tokens, error) {
	issued := stringOf(response["issued_token_type"])
	if issued != typeAccessToken && issued != typeJWT {
		return nil, fmt.Errorf("%w: issued_token_type: found %q, wanted %q", ErrUnavailable, printable(issued), typeAccessToken)
	}
	return parseTokens(response)
}
