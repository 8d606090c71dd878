package oidctest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/oidc"
)

type object = map[string]interface{}

const (
	redirectURI = "https://app.example.com/oauth2/callback"
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	longEnough  = "0123456789abcdefghijkl"
)

func request() url.Values {
	return url.Values{
		"response_type":         {"code"},
		"client_id":             {ClientID},
		"redirect_uri":          {redirectURI},
		"scope":                 {"openid email"},
		"state":                 {longEnough},
		"nonce":                 {longEnough},
		"code_challenge":        {oauth2.Challenge(verifier)},
		"code_challenge_method": {"S256"},
	}
}

// login goes from the authorization request to the tokens, and the callback.
func login(t *testing.T, p *Provider) (*oauth2.Tokens, url.Values) {
	t.Helper()
	callback, err := url.Parse(p.Authorize(t, p.Issuer()+"/authorize?"+request().Encode(), object{"groups": []string{"ops"}}))
	if err != nil {
		t.Fatal(err)
	}
	q := callback.Query()
	tokens, err := newClient(p).ExchangeCode(context.Background(), oauth2.Endpoint{URL: p.Issuer() + Token}, q.Get("code"), verifier, redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	return tokens, q
}

func TestLogin(t *testing.T) {
	p := New(t)
	tokens, callback := login(t, p)
	if callback.Get("state") != longEnough || callback.Get("iss") != p.Issuer() {
		t.Errorf("found callback %v", callback)
	}
	verify := oidc.NewProvider(oidc.Config{Issuer: p.Issuer(), HTTPClient: p.Client()})
	claims, err := verify.VerifyIDToken(context.Background(), tokens.IDToken,
		oidc.IDToken{ClientID: ClientID, Nonce: longEnough, AccessToken: tokens.AccessToken})
	if err != nil || claims["sub"] != Subject || claims["groups"] == nil || claims["at_hash"] == nil {
		t.Errorf("found %v, %v", claims, err)
	}
	if _, err = verify.VerifyAccessToken(context.Background(), tokens.AccessToken, oidc.AccessToken{Audiences: []string{Audience}}); err != nil {
		t.Error(err)
	}
}

func TestBehavior(t *testing.T) {
	p := New(t)
	p.Set(func(b *Behavior) {
		b.Iss = "https://evil.example.com"
		b.IDTokenHeader = object{"alg": "ES256", "typ": nil}
		b.IDTokenClaims = object{"sub": "bob", "nonce": nil}
		b.AccessTokenClaims = object{"scope": nil, "sub": "bob"}
		b.TokenResponse = object{"expires_in": nil, "scope": "openid"}
	})
	tokens, callback := login(t, p)
	if callback.Get("iss") != "https://evil.example.com" || tokens.ExpiresIn != oauth2.NoExpiry || tokens.Scope != "openid" {
		t.Errorf("found callback %v, tokens %+v", callback, tokens)
	}
	id, _ := oidc.Unverified(tokens.IDToken)
	access, _ := oidc.Unverified(tokens.AccessToken)
	if id["sub"] != "bob" || id["nonce"] != nil || access["sub"] != "bob" || access["scope"] != nil {
		t.Errorf("found claims %v and %v", id, access)
	}

	p.Set(func(b *Behavior) { *b = Behavior{OmitIss: true, OpaqueAccessToken: true} })
	tokens, callback = login(t, p)
	if callback.Has("iss") || strings.Contains(tokens.AccessToken, ".") {
		t.Errorf("found callback %v, tokens %+v", callback, tokens)
	}
	m, err := oidc.NewProvider(oidc.Config{Issuer: p.Issuer(), HTTPClient: p.Client()}).Metadata(context.Background())
	if err != nil || m.ResponseIssuer {
		t.Errorf("found %+v, %v", m, err)
	}
}

func TestAuthorizationRequest(t *testing.T) {
	p := New(t)
	for _, c := range []struct {
		name   string
		values []string // of the parameter of that name; nil: none
		ok     bool
	}{
		{"prompt", []string{"login"}, true},
		{"response_type", []string{"token"}, false},
		{"client_id", []string{"other"}, false},
		{"client_id", []string{ClientID, ClientID}, false},
		{"redirect_uri", []string{"/callback"}, false},
		{"scope", []string{"email openidx"}, false},
		{"state", []string{"short"}, false},
		{"state", nil, false},
		{"nonce", nil, false},
		{"code_challenge", nil, false},
		{"code_challenge", []string{"plain"}, false},
		{"code_challenge_method", []string{"plain"}, false},
		{"prompt", []string{""}, false},
	} {
		q := request()
		delete(q, c.name)
		if c.values != nil {
			q[c.name] = c.values
		}
		if _, err := p.authorizationRequest(p.Issuer() + "/authorize?" + q.Encode()); (err == nil) != c.ok {
			t.Errorf("%s = %q: found error %v", c.name, c.values, err)
		}
	}
	if _, err := p.authorizationRequest("https://evil.example.com/authorize?" + request().Encode()); err == nil {
		t.Error("another address was taken")
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	p := New(t)
	good := func() url.Values {
		u, _ := url.Parse(p.Authorize(t, p.Issuer()+"/authorize?"+request().Encode(), nil))
		return url.Values{
			"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {redirectURI},
			"code_verifier": {verifier}, "client_id": {ClientID}, "client_secret": {ClientSecret},
		}
	}
	post := func(form url.Values) string {
		t.Helper()
		resp, err := p.Client().PostForm(p.Issuer()+Token, form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	used := good()
	if body := post(used); !strings.Contains(body, "id_token") {
		t.Fatalf("found %s", body)
	}
	for _, c := range []struct {
		name, value, says string
	}{
		{"code", used.Get("code"), "invalid_grant"},
		{"code_verifier", "another", "invalid_grant"},
		{"redirect_uri", redirectURI + "/", "invalid_grant"},
		{"client_secret", "wrong", "invalid_client"},
		{"client_id", "other", "invalid_client"},
		{"grant_type", "password", "unsupported_grant_type"},
	} {
		form := good()
		form.Set(c.name, c.value)
		if body := post(form); !strings.Contains(body, c.says) {
			t.Errorf("%s: found %s, wanted %s", c.name, body, c.says)
		}
	}
	form := good()
	form.Del("client_secret")
	if body := post(form); !strings.Contains(body, "invalid_client") {
		t.Errorf("no secret: found %s", body)
	}
}

func TestMisbehavior(t *testing.T) {
	p := New(t)
	get := func() int {
		t.Helper()
		resp, err := p.Client().Get(p.Issuer() + JWKS)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	steps := []struct {
		name string
		do   func()
		want int
	}{
		{"as it comes", func() {}, http.StatusOK},
		{"down", func() { p.Down(true) }, http.StatusServiceUnavailable},
		{"up", func() { p.Down(false) }, http.StatusOK},
		{"handled", func() { p.Handle(JWKS, http.NotFound) }, http.StatusNotFound},
		{"as before", func() { p.Handle(JWKS, nil) }, http.StatusOK},
	}
	for _, s := range steps {
		s.do()
		if got := get(); got != s.want {
			t.Errorf("%s: found status %d, wanted %d", s.name, got, s.want)
		}
	}
	if n := p.Hits(JWKS); n != len(steps) {
		t.Errorf("found %d hits, wanted %d", n, len(steps))
	}

	arrived, release := p.Hold(JWKS)
	status := make(chan int, 1)
	go func() { status <- get() }()
	<-arrived
	select {
	case <-status:
		t.Error("the request was not held")
	default:
	}
	release()
	if got := <-status; got != http.StatusOK {
		t.Errorf("found status %d", got)
	}

	before := p.PublicKeys()[0]
	p.Rotate()
	if after := p.PublicKeys()[0]; before["kid"] == after["kid"] || before["n"] == after["n"] {
		t.Errorf("found key %v after %v", after, before)
	}
}
