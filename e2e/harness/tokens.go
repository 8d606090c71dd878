package harness

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A second client gets tokens for programs; its redirect URI is never called.
const (
	cliClientID    = "latchkey-cli"
	cliRedirectURI = "http://localhost/callback"
)

// Tokens are the provider's answer at its token endpoint.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
}

// Tokens logs user in, through the provider's own form but without a browser, and returns what a program would get.
func (p *Provider) Tokens(ctx context.Context, user string) (Tokens, error) {
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	start := p.Issuer + "auth?" + url.Values{
		"client_id":             {cliClientID},
		"response_type":         {"code"},
		"redirect_uri":          {cliRedirectURI},
		"scope":                 {"openid profile email offline_access"},
		"state":                 {rand.Text()},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}.Encode()
	client := Client()
	client.CheckRedirect = untilCallback(cliRedirectURI)
	defer client.CloseIdleConnections()

	callback, err := p.Login(ctx, client, start, user)
	if err != nil {
		return Tokens{}, fmt.Errorf("get tokens for %q: %w", user, err)
	}
	return p.exchange(ctx, client, url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {cliClientID},
		"redirect_uri":  {cliRedirectURI},
		"code":          {callback.Query().Get("code")},
		"code_verifier": {verifier},
	})
}

// Refresh is the refresh_token grant for tokens of Tokens.
func (p *Provider) Refresh(ctx context.Context, refreshToken string) (Tokens, error) {
	client := Client()
	defer client.CloseIdleConnections()
	return p.exchange(ctx, client, url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {cliClientID},
		"refresh_token": {refreshToken},
	})
}

// Login opens a URL that leads to the provider's form, fills it in for user, and follows until the client stops.
// It returns the URL that the client was sent to last.
func (p *Provider) Login(ctx context.Context, client *http.Client, start, user string) (*url.URL, error) {
	form, err := get(ctx, client, start)
	if err != nil {
		return nil, err
	}
	id := form.Request.URL.Query().Get("authRequestID")
	if id == "" {
		return nil, fmt.Errorf("log in: %s led to %s (%s), not to the provider's form", start, form.Request.URL, form.Status)
	}
	res, err := send(ctx, client, http.MethodPost, p.Issuer+"login/username", loginForm(id, user))
	if err != nil {
		return nil, err
	}
	if location, err := res.Location(); err == nil {
		return location, nil
	}
	return res.Request.URL, nil
}

// untilCallback is a redirect policy: follow, but not to the callback.
func untilCallback(callback string) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}
}

func loginForm(id, user string) url.Values {
	return url.Values{"id": {id}, "username": {user}, "password": {Password}}
}

func (p *Provider) exchange(ctx context.Context, client *http.Client, form url.Values) (Tokens, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.Issuer, "/")+TokenPath, strings.NewReader(form.Encode()))
	if err != nil {
		return Tokens{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(r)
	if err != nil {
		return Tokens{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Tokens{}, fmt.Errorf("ask for tokens: status %s", res.Status)
	}
	var tokens Tokens
	if err := json.NewDecoder(res.Body).Decode(&tokens); err != nil {
		return Tokens{}, fmt.Errorf("ask for tokens: %w", err)
	}
	return tokens, nil
}

func get(ctx context.Context, client *http.Client, target string) (*http.Response, error) {
	return send(ctx, client, http.MethodGet, target, nil)
}

// send returns the response without its body.
func send(ctx context.Context, client *http.Client, method, target string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	return res, res.Body.Close()
}
