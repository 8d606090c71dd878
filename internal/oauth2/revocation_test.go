package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

func TestRevoke(t *testing.T) {
	op := oidctest.New(t)
	tokens, refresh := loginToRefresh(t, op)
	client := &Client{ID: oidctest.ClientID, Secret: secret, HTTPClient: op.Client()}
	endpoint := Endpoint{URL: op.Issuer() + oidctest.Revocation}
	for _, token := range []string{"made-up", tokens.RefreshToken, tokens.RefreshToken} {
		if err := client.Revoke(context.Background(), endpoint, token, "refresh_token"); err != nil {
			t.Error(err)
		}
	}
	_, err := refresh(tokens.RefreshToken)
	wantError(t, err, ErrInvalidGrant, "invalid_grant")

	client.Secret = func() (string, error) { return "wrong", nil }
	wantError(t, client.Revoke(context.Background(), endpoint, tokens.RefreshToken, ""), ErrRejected, "invalid_client")
}

// The form and the header as they go out, to the letter.
func TestRevocationRequest(t *testing.T) {
	var header, form string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		header = r.Header.Get("Authorization")
		form = r.Method + " " + r.PostForm.Encode()
	}))
	defer server.Close()
	for _, c := range []struct {
		hint         string
		advertised   []string
		header, form string
	}{
		{"refresh_token", nil, "Basic YTpi", "POST token=r%2B1&token_type_hint=refresh_token"},
		{"", nil, "Basic YTpi", "POST token=r%2B1"},
		{"", []string{"client_secret_post"}, "", "POST client_id=a&client_secret=b&token=r%2B1"},
	} {
		client := &Client{ID: "a", Secret: func() (string, error) { return "b", nil }, HTTPClient: server.Client()}
		if err := client.Revoke(context.Background(), Endpoint{URL: server.URL, AuthMethods: c.advertised}, "r+1", c.hint); err != nil {
			t.Error(err)
		}
		if header != c.header || form != c.form {
			t.Errorf("found %q, %q, wanted %q, %q", header, form, c.header, c.form)
		}
	}
}

func TestRevocationAnswers(t *testing.T) {
	body := func(status int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		name   string
		handle func(http.ResponseWriter, *http.Request)
		want   error // nil: revoked
		says   string
	}{
		{"200 of nothing", body(200, ``), nil, ""},
		{"200 of an object", body(200, `{}`), nil, ""},
		{"200 in HTML", body(200, `<html>`), nil, ""},
		{"200 with a code", body(200, `{"error":"invalid_token"}`), nil, ""},
		{"200 without an end", oidctest.Endless, nil, ""},
		{"200 cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{`))
		}, nil, ""},
		{"unsupported_token_type", body(400, `{"error":"unsupported_token_type"}`), ErrRejected, "unsupported_token_type"},
		{"invalid_client", body(401, `{"error":"invalid_client","error_description":"the-token"}`), ErrRejected, "invalid_client"},
		{"401 without a code", body(401, ``), ErrRejected, "401"},
		{"400 without a code", body(400, ``), ErrUnavailable, "400"},
		{"404", body(404, `nothing here`), ErrUnavailable, "404"},
		{"302", body(302, ``), ErrUnavailable, "302"},
		{"202", body(202, `{}`), ErrUnavailable, "202"},
		{"429", body(429, ``), ErrUnavailable, "429"},
		{"500 with a code", body(500, `{"error":"unsupported_token_type"}`), ErrUnavailable, "500"},
		{"503", body(503, ``), ErrUnavailable, "503"},
		{"503 without an end", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			oidctest.Endless(w, r)
		}, ErrUnavailable, "more than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := oidctest.New(t)
			op.Handle(oidctest.Revocation, c.handle)
			client := &Client{ID: "a", HTTPClient: op.Client()}
			err := client.Revoke(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Revocation}, "the-token", "refresh_token")
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.want, "revocation request: ")
			wantError(t, err, c.want, c.says)
			if strings.Contains(err.Error(), "the-token") {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestRevocationWithoutAnswer(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client := &Client{ID: "a", HTTPClient: gone.Client()}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx     context.Context
		address string
		secret  func() (string, error)
		says    string
	}{
		{context.Background(), gone.URL, nil, "revocation request"},
		{context.Background(), "%", nil, "revocation request"},
		{ended, gone.URL, nil, "canceled"},
		{context.Background(), gone.URL, func() (string, error) { return "", errors.New("file is gone") }, "file is gone"},
	} {
		client.Secret = c.secret
		err := client.Revoke(c.ctx, Endpoint{URL: c.address}, "the-token", "")
		wantError(t, err, ErrUnavailable, c.says)
		if strings.Contains(err.Error(), "the-token") {
			t.Errorf("the error tells the token: %v", err)
		}
	}
}
