package oidctest

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// grant is what a login granted: a code that waits for its exchange, then what
// the refresh tokens stand for.
type grant struct {
	redirectURI string
	challenge   string
	nonce       string
	sid         string
	claims      map[string]interface{}
}

// Authorize plays the browser and the person: it checks the authorization
// request, and returns the address that the browser is sent back to, with code,
// state and iss. The ID token to come gets extraClaims.
func (p *Provider) Authorize(t testing.TB, authorizationURL string, extraClaims map[string]interface{}) string {
	t.Helper()
	q, err := p.authorizationRequest(authorizationURL)
	if err != nil {
		t.Fatalf("authorize: %v", err)
	}
	return p.redirect(q, extraClaims)
}

// authorizationRequest reads a request by OIDC Core 3.1.2.1, RFC 7636, 4.3 and
// RFC 9700, 2.1.
func (p *Provider) authorizationRequest(address string) (url.Values, error) {
	if !strings.HasPrefix(address, p.Issuer()+"/authorize?") {
		return nil, fmt.Errorf("found %q, wanted the authorization endpoint", address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	for name, values := range q {
		if len(values) != 1 || values[0] == "" {
			return nil, fmt.Errorf("%s: found %q, wanted one value", name, values)
		}
	}
	for _, c := range []struct {
		name string
		want string // a regular expression
	}{
		{"response_type", "^code$"},
		{"client_id", "^" + ClientID + "$"},
		{"redirect_uri", "^https?://[^/]+/[^#]*$"},
		{"scope", "(^| )openid( |$)"},
		{"state", "^.{22,}$"},
		{"nonce", "^.{22,}$"},
		{"code_challenge", "^[A-Za-z0-9_-]{43}$"},
		{"code_challenge_method", "^S256$"},
	} {
		if !regexp.MustCompile(c.want).MatchString(q.Get(c.name)) {
			return nil, fmt.Errorf("%s: found %q, wanted a match of %s", c.name, q.Get(c.name), c.want)
		}
	}
	return q, nil
}

func (p *Provider) redirect(q url.Values, extraClaims map[string]interface{}) string {
	code := random()
	b := p.now()
	p.mu.Lock()
	p.codes[code] = grant{
		redirectURI: q.Get("redirect_uri"),
		challenge:   q.Get("code_challenge"),
		nonce:       q.Get("nonce"),
		sid:         random(),
		claims:      extraClaims,
	}
	p.mu.Unlock()

	answer := url.Values{"code": {code}, "state": {q.Get("state")}}
	if iss := b.Iss; iss != "" {
		answer.Set("iss", iss)
	} else if !b.OmitIss {
		answer.Set("iss", p.Issuer())
	}
	separator := "?"
	if strings.Contains(q.Get("redirect_uri"), "?") {
		separator = "&"
	}
	return q.Get("redirect_uri") + separator + answer.Encode()
}
