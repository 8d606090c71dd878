// Package oauth2 speaks to an authorization server as a client does:
//
//	client.go      the client's name and secret, put into a request (RFC 6749, 2.3.1)
//	token.go       a code for tokens                                (RFC 6749, 4.1.3)
//	refresh.go     a refresh token for tokens                       (RFC 6749, 6)
//	exchange.go    a token for another one                          (RFC 8693)
//	revocation.go  a token given back                               (RFC 7009)
//	userinfo.go    claims for an access token                       (OIDC Core, 5.3)
//	pkce.go        the proof that the code is for us                (RFC 7636)
//	limit.go       how many codes are redeemed at once
//
// What goes wrong is one of two things: ErrUnavailable, the server gave no answer
// that can be used and may do so later, or ErrRejected, it said no. Of the
// latter, ErrInvalidGrant is the one that tells of the code, refresh token or
// subject token, and not of us. None quotes a code, a token or a secret.
package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/gone"
)

var (
	// ErrUnavailable says that the server did not answer, or not in the protocol:
	// network, time-out, 5xx, 429, a body that is not JSON.
	ErrUnavailable = errors.New("authorization server unavailable")
	// ErrBusy is wrapped beside ErrUnavailable where as many requests are under way
	// as may be: nothing was sent.
	ErrBusy = errors.New("too many requests under way")
	// ErrRejected says that the server refused. The OAuth error code is in the
	// message (RFC 6749, 5.2).
	ErrRejected = errors.New("request rejected")
	// ErrInvalidGrant is wrapped beside ErrRejected when the code or refresh token
	// is no longer good: used, revoked, run out, of another client. Other
	// refusals, such as invalid_client, say nothing of it.
	ErrInvalidGrant = errors.New(invalidGrant)
)

const invalidGrant = "invalid_grant" // RFC 6749, 5.2

// The methods of client authentication (OIDC Core, 9).
const (
	auto  = "auto"
	basic = "client_secret_basic"
	post  = "client_secret_post"
	none  = "none"
)

const maxBody = 1 << 20

// Client is us, as the authorization server knows us.
type Client struct {
	ID         string
	Secret     func() (string, error) // asked for each request; nil: a public client
	Auth       string                 // auto, client_secret_basic, client_secret_post or none; "": auto
	HTTPClient *http.Client           // with time-out, and without redirects
	Codes      *Limit                 // of codes redeemed at once; nil: none
}

// Endpoint is an address where the client authenticates.
type Endpoint struct {
	URL         string
	AuthMethods []string // as the metadata says; nil: not said, which means client_secret_basic (RFC 8414, 2)
}

// method settles auto.
func (c *Client) method(e Endpoint) string {
	switch {
	case c.Auth != "" && c.Auth != auto:
		return c.Auth
	case c.Secret == nil:
		return none
	case contains(e.AuthMethods, post) && !contains(e.AuthMethods, basic):
		return post
	}
	return basic
}

// request makes a POST of the form that says who we are.
func (c *Client) request(ctx context.Context, e Endpoint, form url.Values) (*http.Request, error) {
	method := c.method(e)
	secret := ""
	if method != none {
		var err error
		if secret, err = c.secret(); err != nil {
			return nil, err
		}
	}
	if method != basic {
		form.Set("client_id", c.ID)
	}
	if method == post {
		form.Set("client_secret", secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if method == basic {
		// Form-urlencoded first, which many forget: a colon in the ID would
		// move the border.
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(secret))
	}
	return req, nil
}

// secret refuses an empty one: to go on as a public client would be to guess.
func (c *Client) secret() (string, error) {
	if c.Secret == nil {
		return "", fmt.Errorf("client secret: none for %q", c.method(Endpoint{}))
	}
	secret, err := c.Secret()
	if err != nil {
		return "", fmt.Errorf("client secret: %w", err)
	}
	if secret == "" {
		return "", errors.New("client secret: empty")
	}
	return secret, nil
}

// do sends a request and reads the answer: the object of a 200, or an error.
func do(client *http.Client, req *http.Request) (map[string]interface{}, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, unanswered(err)
	}
	defer resp.Body.Close()
	return read(resp)
}

// unanswered wraps gone.Err beside ErrUnavailable where nothing was sent:
// the server may be elsewhere.
func unanswered(err error) error {
	if gone.Unreached(err) {
		return fmt.Errorf("%w: %w: %w", ErrUnavailable, gone.Err, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func read(resp *http.Response) (map[string]interface{}, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%w: body of more than %d bytes", ErrUnavailable, maxBody)
	}
	// A map, since struct fields would match names without regard to case.
	var object map[string]interface{}
	parsed := json.Unmarshal(body, &object) == nil && object != nil
	return answer(resp, object, parsed)
}

func answer(resp *http.Response, object map[string]interface{}, parsed bool) (map[string]interface{}, error) {
	status := resp.StatusCode
	if status >= 500 || status == http.StatusTooManyRequests {
		return nil, fmt.Errorf("%w: found status %d", ErrUnavailable, status)
	}
	code := stringOf(object["error"])
	if gone.Status(status) && code != invalidGrant {
		return nil, fmt.Errorf("%w: %w: found status %d", ErrUnavailable, gone.Err, status)
	}
	switch {
	case code != "" && (status == http.StatusOK || status >= 400):
		return nil, rejected(code)
	case status == http.StatusUnauthorized:
		// RFC 6750, 3: at userinfo the code is in a header, or nowhere.
		return nil, fmt.Errorf("%w: found status 401", ErrRejected)
	case status != http.StatusOK:
		return nil, fmt.Errorf("%w: found status %d without an OAuth error", ErrUnavailable, status)
	case !parsed:
		return nil, fmt.Errorf("%w: body is not one JSON object", ErrUnavailable)
	}
	return object, nil
}

// errInvalidRequest is invalid_request, which most calls take for a mistake of
// their own (RFC 6749, 5.2).
var errInvalidRequest = errors.New("invalid_request")

func rejected(code string) error {
	switch code {
	case invalidGrant:
		return fmt.Errorf("%w: %w", ErrRejected, ErrInvalidGrant)
	case errInvalidRequest.Error():
		return fmt.Errorf("%w: %w", ErrRejected, errInvalidRequest)
	}
	return fmt.Errorf("%w: %s", ErrRejected, printable(code))
}

// errorCode is what RFC 6749, 5.2 allows in error, at a sane length.
var errorCode = regexp.MustCompile(`^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}$`)

func printable(code string) string {
	if !errorCode.MatchString(code) {
		return "an error code that is none"
	}
	return code
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// stringOf returns "" for what is no string.
func stringOf(v interface{}) string {
	s, _ := v.(string)
	return s
}
