package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

const redirectURI = "https://app.example.com/oauth2/callback"

// login goes as far as the code, and returns it with its verifier.
func login(t *testing.T, op *oidctest.Provider) (code, verifier string) {
	t.Helper()
	verifier = NewVerifier()
	callback := op.Authorize(t, op.Issuer()+"/authorize?"+url.Values{
		"response_type":         {"code"},
		"client_id":             {oidctest.ClientID},
		"redirect_uri":          {redirectURI},
		"scope":                 {"openid"},
		"state":                 {NewVerifier()},
		"nonce":                 {NewVerifier()},
		"code_challenge":        {Challenge(verifier)},
		"code_challenge_method": {"S256"},
	}.Encode(), nil)
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("code"), verifier
}

func secret() (string, error) { return oidctest.ClientSecret, nil }

func wantError(t *testing.T, err, want error, says string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		t.Errorf("found error %v, wanted %v with %q", err, want, says)
	}
}

func TestClientAuthentication(t *testing.T) {
	const auto, basic, post, none = "auto", "client_secret_basic", "client_secret_post", "none"
	for _, c := range []struct {
		name       string
		auth       string
		public     bool
		advertised []string
		takes      string
	}{
		{"auto, nothing advertised", auto, false, nil, basic},
		{"unset, nothing advertised", "", false, nil, basic},
		{"auto, both advertised", auto, false, []string{post, basic}, basic},
		{"auto, only post", auto, false, []string{"private_key_jwt", post}, post},
		{"auto, neither", auto, false, []string{"private_key_jwt"}, basic},
		{"auto, public", auto, true, []string{basic, none}, none},
		{"basic, though post is advertised", basic, false, []string{post}, basic},
		{"post, nothing advertised", post, false, nil, post},
		{"none, with a secret", none, false, nil, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := oidctest.New(t)
			op.Set(func(b *oidctest.Behavior) { b.AuthMethods = []string{c.takes} })
			client := &Client{ID: oidctest.ClientID, Secret: secret, Auth: c.auth, HTTPClient: op.Client()}
			if c.public {
				client.Secret = nil
			}
			code, verifier := login(t, op)
			endpoint := Endpoint{URL: op.Issuer() + oidctest.Token, AuthMethods: c.advertised}
			tokens, err := client.ExchangeCode(context.Background(), endpoint, code, verifier, redirectURI)
			if err != nil {
				t.Fatal(err)
			}
			if tokens.AccessToken == "" || tokens.IDToken == "" || tokens.TokenType != "Bearer" || tokens.ExpiresIn != 300 {
				t.Errorf("found %+v", tokens)
			}
		})
	}
}

// The form and the header as they go out, to the letter.
func TestRequest(t *testing.T) {
	for _, c := range []struct{ auth, header, form string }{
		{"client_secret_basic", "Basic YSUzQTE6JTI1JTJCJTNBKyVDMyVCQw==", "code=x&code_verifier=v&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fa%2Fcb"},
		{"client_secret_post", "", "client_id=a%3A1&client_secret=%25%2B%3A+%C3%BC&code=x&code_verifier=v&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fa%2Fcb"},
		{"none", "", "client_id=a%3A1&code=x&code_verifier=v&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fa%2Fcb"},
	} {
		t.Run(c.auth, func(t *testing.T) {
			var header, form, contentType string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				header, form, contentType = r.Header.Get("Authorization"), r.PostForm.Encode(), r.Header.Get("Content-Type")
				oidctest.WriteJSON(w, 200, map[string]interface{}{"access_token": "t", "token_type": "bearer"})
			}))
			defer server.Close()
			client := &Client{ID: "a:1", Secret: func() (string, error) { return "%+: ü", nil }, Auth: c.auth, HTTPClient: server.Client()}
			if _, err := client.ExchangeCode(context.Background(), Endpoint{URL: server.URL}, "x", "v", "https://a/cb"); err != nil {
				t.Fatal(err)
			}
			if header != c.header || form != c.form || contentType != "application/x-www-form-urlencoded" {
				t.Errorf("found %q, %q, %q, wanted %q, %q", header, form, contentType, c.header, c.form)
			}
		})
	}
}

func TestSecretOutOfReach(t *testing.T) {
	op := oidctest.New(t)
	for _, c := range []struct {
		name   string
		secret func() (string, error)
		says   string
	}{
		{"an error", func() (string, error) { return "", errors.New("file is gone") }, "file is gone"},
		{"empty", func() (string, error) { return "", nil }, "empty"},
		{"none, though basic is asked for", nil, `none for "client_secret_basic"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := &Client{ID: oidctest.ClientID, Secret: c.secret, Auth: "client_secret_basic", HTTPClient: op.Client()}
			_, err := client.ExchangeCode(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Token}, "x", "v", redirectURI)
			wantError(t, err, ErrUnavailable, c.says)
		})
	}
	if n := op.Hits(oidctest.Token); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestSecretIsAskedForEachTime(t *testing.T) {
	op := oidctest.New(t)
	current := "old"
	client := &Client{ID: oidctest.ClientID, Secret: func() (string, error) { return current, nil }, HTTPClient: op.Client()}
	endpoint := Endpoint{URL: op.Issuer() + oidctest.Token}
	code, verifier := login(t, op)
	_, err := client.ExchangeCode(context.Background(), endpoint, code, verifier, redirectURI)
	wantError(t, err, ErrRejected, "invalid_client")
	current = oidctest.ClientSecret
	if _, err = client.ExchangeCode(context.Background(), endpoint, code, verifier, redirectURI); err != nil {
		t.Error(err)
	}
}

func TestExchangeRejected(t *testing.T) {
	op := oidctest.New(t)
	client := &Client{ID: oidctest.ClientID, Secret: secret, HTTPClient: op.Client()}
	exchange := func(code, verifier, redirect string) error {
		_, err := client.ExchangeCode(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Token}, code, verifier, redirect)
		return err
	}
	code, verifier := login(t, op)
	if err := exchange(code, verifier, redirectURI); err != nil {
		t.Fatal(err)
	}
	wantError(t, exchange(code, verifier, redirectURI), ErrRejected, "invalid_grant")
	code, _ = login(t, op)
	wantError(t, exchange(code, NewVerifier(), redirectURI), ErrRejected, "invalid_grant")
	code, verifier = login(t, op)
	wantError(t, exchange(code, verifier, redirectURI+"2"), ErrRejected, "invalid_grant")
}

func TestAnswers(t *testing.T) {
	body := func(status int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		name   string
		handle func(http.ResponseWriter, *http.Request)
		want   error // nil: tokens
		says   string
	}{
		{"the least", body(200, `{"access_token":"t","token_type":"Bearer"}`), nil, ""},
		{"token_type in other capitals", body(200, `{"access_token":"t","token_type":"bEARER"}`), nil, ""},
		{"a code at 400", body(400, `{"error":"invalid_grant","error_description":"<b>secret</b>"}`), ErrRejected, "invalid_grant"},
		{"a code at 401", body(401, `{"error":"invalid_client"}`), ErrRejected, "invalid_client"},
		{"a code at 200", body(200, `{"error":"bad_verification_code"}`), ErrRejected, "bad_verification_code"},
		{"a code with a line break", body(400, `{"error":"invalid\ngrant"}`), ErrRejected, "an error code that is none"},
		{"a code with a quote", body(400, `{"error":"a\"b"}`), ErrRejected, "an error code that is none"},
		{"a code that is too long", body(400, `{"error":"`+strings.Repeat("a", 65)+`"}`), ErrRejected, "an error code that is none"},
		{"401 without a code", body(401, ``), ErrRejected, "401"},
		{"400 without a code", body(400, `{}`), ErrUnavailable, "400"},
		{"400 in HTML", body(400, `<html>`), ErrUnavailable, "400"},
		{"404", body(404, `nothing here`), ErrUnavailable, "404"},
		{"429 with a code", body(429, `{"error":"slow_down"}`), ErrUnavailable, "429"},
		{"500 with a code", body(500, `{"error":"invalid_grant"}`), ErrUnavailable, "500"},
		{"503", body(503, ``), ErrUnavailable, "503"},
		{"204", body(204, ``), ErrUnavailable, "204"},
		{"302 with a code", body(302, `{"error":"invalid_grant"}`), ErrUnavailable, "302"},
		{"200 in HTML", body(200, `<html>`), ErrUnavailable, "JSON"},
		{"200 of nothing", body(200, ``), ErrUnavailable, "JSON"},
		{"200 null", body(200, `null`), ErrUnavailable, "JSON"},
		{"200 of a list", body(200, `[]`), ErrUnavailable, "JSON"},
		{"200 as a form", body(200, `access_token=t&token_type=bearer`), ErrUnavailable, "JSON"},
		{"trailing data", body(200, `{"access_token":"t","token_type":"Bearer"}{}`), ErrUnavailable, "JSON"},
		{"no access_token", body(200, `{"token_type":"Bearer"}`), ErrUnavailable, "access_token"},
		{"Access_Token", body(200, `{"Access_Token":"t","token_type":"Bearer"}`), ErrUnavailable, "access_token"},
		{"an access_token that is a number", body(200, `{"access_token":1,"token_type":"Bearer"}`), ErrUnavailable, "access_token"},
		{"no token_type", body(200, `{"access_token":"t"}`), ErrUnavailable, "token_type"},
		{"another token_type", body(200, `{"access_token":"t","token_type":"DPoP"}`), ErrUnavailable, `"DPoP"`},
		{"a body cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer"}`))
		}, ErrUnavailable, "EOF"},
		{"an endless body", oidctest.Endless, ErrUnavailable, "more than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := oidctest.New(t)
			op.Handle(oidctest.Token, c.handle)
			client := &Client{ID: "a", HTTPClient: op.Client()}
			_, err := client.ExchangeCode(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Token}, "the-code", "the-verifier", redirectURI)
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.want, c.says)
			for _, never := range []string{"the-code", "the-verifier", "secret"} {
				if strings.Contains(err.Error(), never) {
					t.Errorf("the error tells %q: %v", never, err)
				}
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	op := oidctest.New(t)
	arrived, release := op.Hold(oidctest.Token)
	client := &Client{ID: "a", HTTPClient: op.Client()}
	endpoint := Endpoint{URL: op.Issuer() + oidctest.Token}

	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() {
		_, err := client.ExchangeCode(ctx, endpoint, "x", "v", redirectURI)
		left <- err
	}()
	<-arrived
	cancel()
	wantError(t, <-left, ErrUnavailable, "canceled")

	impatient := &Client{ID: "a", HTTPClient: &http.Client{Timeout: 50 * time.Millisecond}}
	_, err := impatient.ExchangeCode(context.Background(), endpoint, "x", "v", redirectURI)
	wantError(t, err, ErrUnavailable, "Timeout")
	release()

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err = client.ExchangeCode(context.Background(), Endpoint{URL: gone.URL}, "x", "v", redirectURI)
	wantError(t, err, ErrUnavailable, "token request")
	_, err = client.ExchangeCode(context.Background(), Endpoint{URL: "%"}, "x", "v", redirectURI)
	wantError(t, err, ErrUnavailable, "token request")
}

func TestExpiresIn(t *testing.T) {
	for _, c := range []struct {
		json string
		want int64
	}{
		{`300`, 300},
		{`"300"`, 300},
		{`300.9`, 300},
		{`3153600000`, 3153600000},
		{`3153600001`, 3153600000},
		{`1e300`, 3153600000},
		{`0`, 0},
		{`-5`, 0},
		{`"NaN"`, 0},
		{`"Inf"`, 3153600000},
		{`"soon"`, 0},
		{`"1e999"`, 3153600000},
		{`0.9`, 0},
		{`""`, 0},
		{`true`, 0},
		{`null`, NoExpiry},
		{`[300]`, 0},
	} {
		t.Run(c.json, func(t *testing.T) {
			op := oidctest.New(t)
			op.Handle(oidctest.Token, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"access_token":"t","token_type":"Bearer","expires_in":%s,"scope":"a b"}`, c.json)
			})
			client := &Client{ID: "a", HTTPClient: op.Client()}
			tokens, err := client.ExchangeCode(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Token}, "x", "v", redirectURI)
			if err != nil {
				t.Fatal(err)
			}
			if tokens.ExpiresIn != c.want || tokens.Scope != "a b" || tokens.IDToken != "" {
				t.Errorf("found %+v, wanted %d", tokens, c.want)
			}
		})
	}
}
