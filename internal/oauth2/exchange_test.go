package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

const exchanged = `{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer"`

// The form as it goes out, to the letter.
func TestTokenExchangeRequest(t *testing.T) {
	const always = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange" +
		"&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
	const subject = "subject_token=s+%261&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
	for _, c := range []struct {
		name string
		x    Exchange
		want string
	}{
		{"the least", Exchange{SubjectToken: "s &1"}, "client_id=a&" + always + "&" + subject},
		{"one of each", Exchange{"s &1", []string{"tap"}, []string{"https://tap.example.com/"}, []string{"read"}},
			"audience=tap&client_id=a&" + always + "&resource=https%3A%2F%2Ftap.example.com%2F&scope=read&" + subject},
		{"two of each", Exchange{"s &1", []string{"tap", "b c"}, []string{"urn:a", "urn:b"}, []string{"read", "write"}},
			"audience=tap&audience=b+c&client_id=a&" + always + "&resource=urn%3Aa&resource=urn%3Ab&scope=read+write&" + subject},
	} {
		t.Run(c.name, func(t *testing.T) {
			var form string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				form = r.PostForm.Encode()
				_, _ = w.Write([]byte(exchanged + `,"expires_in":60,"scope":"read"}`))
			}))
			defer server.Close()
			client := &Client{ID: "a", HTTPClient: server.Client()}
			tokens, err := client.Exchange(context.Background(), Endpoint{URL: server.URL}, c.x)
			if err != nil {
				t.Fatal(err)
			}
			if tokens.AccessToken != "t" || tokens.ExpiresIn != 60 || tokens.Scope != "read" {
				t.Errorf("found %+v", tokens)
			}
			if form != c.want {
				t.Errorf("found %q, wanted %q", form, c.want)
			}
		})
	}
}

// We are who asks for it, and say so as everywhere.
func TestTokenExchangeAuthentication(t *testing.T) {
	var id, password string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, password, _ = r.BasicAuth()
		_, _ = w.Write([]byte(exchanged + `}`))
	}))
	defer server.Close()
	client := &Client{ID: oidctest.ClientID, Secret: secret, HTTPClient: server.Client()}
	if _, err := client.Exchange(context.Background(), Endpoint{URL: server.URL}, Exchange{SubjectToken: "s"}); err != nil {
		t.Fatal(err)
	}
	if id != url.QueryEscape(oidctest.ClientID) || password != url.QueryEscape(oidctest.ClientSecret) {
		t.Errorf("found client %q", id)
	}

	client.Secret = func() (string, error) { return "", nil }
	_, err := client.Exchange(context.Background(), Endpoint{URL: server.URL}, Exchange{SubjectToken: "s"})
	wantError(t, err, ErrUnavailable, "exchange request: authorization server unavailable: client secret: empty")
}

// Which answers are tokens, and which tell of the subject token.
func TestTokenExchangeAnswers(t *testing.T) {
	const subjectToken = "the-subject-token"
	const issued = `"issued_token_type":"urn:ietf:params:oauth:token-type:`
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   error // nil: tokens
		dead   bool
		says   string
	}{
		{"an access token", 200, exchanged + `}`, nil, false, ""},
		{"a JWT", 200, `{"access_token":"t",` + issued + `jwt","token_type":"bearer"}`, nil, false, ""},

		{"no issued_token_type", 200, `{"access_token":"t","token_type":"Bearer"}`, ErrUnavailable, false, "issued_token_type: found"},
		{"issued_token_type that is a list", 200, `{"access_token":"t","issued_token_type":["urn:ietf:params:oauth:token-type:access_token"],"token_type":"Bearer"}`, ErrUnavailable, false, "issued_token_type: found"},
		{"an ID token", 200, `{"access_token":"t",` + issued + `id_token","token_type":"N_A"}`, ErrUnavailable, false, `found "urn:ietf:params:oauth:token-type:id_token", wanted "urn:`},
		{"a refresh token", 200, `{"access_token":"t",` + issued + `refresh_token","token_type":"N_A"}`, ErrUnavailable, false, "issued_token_type"},
		{"a SAML assertion", 200, `{"access_token":"t",` + issued + `saml2","token_type":"Bearer"}`, ErrUnavailable, false, "issued_token_type"},
		{"a type in other capitals", 200, `{"access_token":"t",` + issued + `Access_Token","token_type":"Bearer"}`, ErrUnavailable, false, "issued_token_type"},
		{"N_A", 200, `{"access_token":"t",` + issued + `jwt","token_type":"N_A"}`, ErrUnavailable, false, `token_type: found "N_A"`},
		{"no token_type", 200, `{"access_token":"t",` + issued + `access_token"}`, ErrUnavailable, false, "token_type"},
		{"another token_type", 200, `{"access_token":"t",` + issued + `access_token","token_type":"DPoP"}`, ErrUnavailable, false, `"DPoP"`},
		{"no access_token", 200, `{` + issued + `access_token","token_type":"Bearer"}`, ErrUnavailable, false, "access_token"},
		{"nothing", 200, ``, ErrUnavailable, false, "JSON"},
		{"in HTML", 200, `<html>`, ErrUnavailable, false, "JSON"},

		{"invalid_request", 400, `{"error":"invalid_request"}`, ErrRejected, true, "invalid_request"},
		{"invalid_request at 401", 401, `{"error":"invalid_request"}`, ErrRejected, true, "invalid_request"},
		{"invalid_request with a description", 400, `{"error":"invalid_request","error_description":"the-subject-token ran out"}`, ErrRejected, true, "invalid_request"},
		{"invalid_grant", 400, `{"error":"invalid_grant"}`, ErrRejected, true, "invalid_grant"},
		{"invalid_target", 400, `{"error":"invalid_target"}`, ErrRejected, false, "invalid_target"},
		{"invalid_target that quotes", 400, `{"error":"invalid_target","error_description":"the-subject-token: invalid_request"}`, ErrRejected, false, "invalid_target"},
		{"invalid_scope", 400, `{"error":"invalid_scope"}`, ErrRejected, false, "invalid_scope"},
		{"unauthorized_client", 400, `{"error":"unauthorized_client"}`, ErrRejected, false, "unauthorized_client"},
		{"invalid_client", 401, `{"error":"invalid_client"}`, ErrRejected, false, "invalid_client"},
		{"unsupported_grant_type", 400, `{"error":"unsupported_grant_type"}`, ErrRejected, false, "unsupported_grant_type"},
		{"access_denied", 403, `{"error":"access_denied"}`, ErrRejected, false, "access_denied"},
		{"a code that begins alike", 400, `{"error":"invalid_request_object"}`, ErrRejected, false, "invalid_request_object"},
		{"a code with a line break", 400, `{"error":"invalid\nrequest"}`, ErrRejected, false, "an error code that is none"},
		{"401 without a code", 401, ``, ErrRejected, false, "401"},

		{"the code in other capitals' member", 400, `{"Error":"invalid_request"}`, ErrUnavailable, false, "400"},
		{"invalid_request at 429", 429, `{"error":"invalid_request"}`, ErrUnavailable, false, "429"},
		{"invalid_request at 500", 500, `{"error":"invalid_request"}`, ErrUnavailable, false, "500"},
		{"invalid_grant at 503", 503, `{"error":"invalid_grant"}`, ErrUnavailable, false, "503"},
		{"302", 302, `{"error":"invalid_grant"}`, ErrUnavailable, false, "302"},
		{"404", 404, `nothing here`, ErrUnavailable, false, "404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := oidctest.New(t)
			op.Handle(oidctest.Token, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			client := &Client{ID: "a", HTTPClient: op.Client()}
			tokens, err := client.Exchange(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Token}, Exchange{SubjectToken: subjectToken})
			if c.want == nil {
				if err != nil || tokens.AccessToken != "t" {
					t.Errorf("found %+v, %v", tokens, err)
				}
				return
			}
			wantError(t, err, c.want, c.says)
			if tokens != nil || !strings.HasPrefix(err.Error(), "exchange request: ") {
				t.Errorf("found %+v, %v", tokens, err)
			}
			if errors.Is(err, ErrInvalidGrant) != c.dead || errors.Is(err, ErrRejected) == errors.Is(err, ErrUnavailable) {
				t.Errorf("found error %v, wanted dead = %v", err, c.dead)
			}
			if strings.Contains(err.Error(), subjectToken) {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestTokenExchangeWithoutAnswer(t *testing.T) {
	op := oidctest.New(t)
	exchange := func(client *http.Client, address string) error {
		c := &Client{ID: "a", HTTPClient: client}
		_, err := c.Exchange(context.Background(), Endpoint{URL: address}, Exchange{SubjectToken: "the-subject-token"})
		return err
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	arrived, release := op.Hold(oidctest.Token)
	late := make(chan error, 1)
	go func() { late <- exchange(&http.Client{Timeout: 50 * time.Millisecond}, op.Issuer()+oidctest.Token) }()
	<-arrived
	timeout := <-late
	release()

	op.Handle(oidctest.Token, oidctest.Endless)
	endless := exchange(op.Client(), op.Issuer()+oidctest.Token)
	op.Handle(oidctest.Token, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(exchanged + `}`))
	})
	short := exchange(op.Client(), op.Issuer()+oidctest.Token)
	for _, c := range []struct {
		name string
		err  error
		says string
	}{
		{"too late", timeout, "Timeout"},
		{"refused", exchange(gone.Client(), gone.URL), "exchange request"},
		{"no address", exchange(op.Client(), "%"), "exchange request"},
		{"an endless body", endless, "more than 1048576 bytes"},
		{"a body cut short", short, "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, c.err, ErrUnavailable, c.says)
			if errors.Is(c.err, ErrRejected) || strings.Contains(c.err.Error(), "the-subject-token") {
				t.Errorf("found error %v", c.err)
			}
		})
	}
}
