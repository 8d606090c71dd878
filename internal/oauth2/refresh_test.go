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

// loginToRefresh returns the tokens of a login at a provider that gives refresh
// tokens, and what asks for the next ones.
func loginToRefresh(t *testing.T, op *oidctest.Provider) (*Tokens, func(refreshToken string) (*Tokens, error)) {
	t.Helper()
	op.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })
	client := &Client{ID: oidctest.ClientID, Secret: secret, HTTPClient: op.Client()}
	endpoint := Endpoint{URL: op.Issuer() + oidctest.Token}
	code, verifier := login(t, op)
	tokens, err := client.ExchangeCode(context.Background(), endpoint, code, verifier, redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	if tokens.RefreshToken == "" {
		t.Fatalf("found no refresh token")
	}
	return tokens, func(refreshToken string) (*Tokens, error) {
		return client.Refresh(context.Background(), endpoint, refreshToken)
	}
}

func TestRefresh(t *testing.T) {
	op := oidctest.New(t)
	first, refresh := loginToRefresh(t, op)
	op.Set(func(b *oidctest.Behavior) { b.ExpiresIn = 120 })
	second, err := refresh(first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken == "" || second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken ||
		second.IDToken == "" || second.ExpiresIn != 120 {
		t.Errorf("found %+v after %+v", second, first)
	}
	_, err = refresh(first.RefreshToken)
	wantError(t, err, ErrInvalidGrant, "refresh request: request rejected: invalid_grant")
}

func TestRefreshWithoutRotation(t *testing.T) {
	op := oidctest.New(t)
	first, refresh := loginToRefresh(t, op)
	op.Set(func(b *oidctest.Behavior) {
		b.KeepRefreshToken = true
		b.OmitRefreshedIDToken = true
	})
	for i := 0; i < 2; i++ {
		tokens, err := refresh(first.RefreshToken)
		if err != nil || tokens.RefreshToken != "" || tokens.IDToken != "" || tokens.AccessToken == "" {
			t.Errorf("found %+v, %v", tokens, err)
		}
	}
}

// The form as it goes out, to the letter.
func TestRefreshRequest(t *testing.T) {
	var form string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm.Encode()
		oidctest.WriteJSON(w, 200, map[string]interface{}{"access_token": "t", "token_type": "bearer", "refresh_token": "s"})
	}))
	defer server.Close()
	client := &Client{ID: "a", HTTPClient: server.Client()}
	tokens, err := client.Refresh(context.Background(), Endpoint{URL: server.URL}, "r+1 &")
	if err != nil || tokens.RefreshToken != "s" {
		t.Errorf("found %+v, %v", tokens, err)
	}
	if want := "client_id=a&grant_type=refresh_token&refresh_token=r%2B1+%26"; form != want {
		t.Errorf("found %q, wanted %q", form, want)
	}
}

// Which answers say that the refresh token is dead.
func TestInvalidGrant(t *testing.T) {
	const refreshToken = "the-refresh-token"
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   error // nil: tokens
		dead   bool
	}{
		{"tokens", 200, `{"access_token":"t","token_type":"Bearer"}`, nil, false},
		{"invalid_grant", 400, `{"error":"invalid_grant"}`, ErrRejected, true},
		{"invalid_grant at 401", 401, `{"error":"invalid_grant"}`, ErrRejected, true},
		{"with a description", 400, `{"error":"invalid_grant","error_description":"the-refresh-token was used"}`, ErrRejected, true},
		{"invalid_client", 401, `{"error":"invalid_client"}`, ErrRejected, false},
		{"unauthorized_client", 400, `{"error":"unauthorized_client"}`, ErrRejected, false},
		{"invalid_request", 400, `{"error":"invalid_request"}`, ErrRejected, false},
		{"invalid_scope", 400, `{"error":"invalid_scope"}`, ErrRejected, false},
		{"unsupported_grant_type", 400, `{"error":"unsupported_grant_type"}`, ErrRejected, false},
		{"other capitals", 400, `{"error":"Invalid_Grant"}`, ErrRejected, false},
		{"a code that begins alike", 400, `{"error":"invalid_grant_type"}`, ErrRejected, false},
		{"the code in the description", 400, `{"error":"access_denied","error_description":"invalid_grant"}`, ErrRejected, false},
		{"the code in other capitals' member", 400, `{"Error":"invalid_grant"}`, ErrUnavailable, false},
		{"a code in a list", 400, `{"error":["invalid_grant"]}`, ErrUnavailable, false},
		{"401 without a code", 401, ``, ErrRejected, false},
		{"invalid_grant at 500", 500, `{"error":"invalid_grant"}`, ErrUnavailable, false},
		{"invalid_grant at 503", 503, `{"error":"invalid_grant"}`, ErrUnavailable, false},
		{"invalid_grant at 429", 429, `{"error":"invalid_grant"}`, ErrUnavailable, false},
		{"invalid_grant at 302", 302, `{"error":"invalid_grant"}`, ErrUnavailable, false},
		{"400 in HTML", 400, `invalid_grant`, ErrUnavailable, false},
		{"no access_token", 200, `{"token_type":"Bearer","refresh_token":"s"}`, ErrUnavailable, false},
		{"another token_type", 200, `{"access_token":"t","token_type":"DPoP"}`, ErrUnavailable, false},
		{"nothing", 200, ``, ErrUnavailable, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := oidctest.New(t)
			op.Handle(oidctest.Token, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			client := &Client{ID: "a", HTTPClient: op.Client()}
			_, err := client.Refresh(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Token}, refreshToken)
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.want, "refresh request: ")
			if errors.Is(err, ErrInvalidGrant) != c.dead || errors.Is(err, ErrRejected) == errors.Is(err, ErrUnavailable) {
				t.Errorf("found error %v, wanted dead = %v", err, c.dead)
			}
			if strings.Contains(err.Error(), refreshToken) {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestRefreshWithoutAnswer(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client := &Client{ID: "a", HTTPClient: gone.Client()}
	for _, address := range []string{gone.URL, "%"} {
		_, err := client.Refresh(context.Background(), Endpoint{URL: address}, "the-refresh-token")
		wantError(t, err, ErrUnavailable, "refresh request")
		if errors.Is(err, ErrInvalidGrant) || strings.Contains(err.Error(), "the-refresh-token") {
			t.Errorf("found error %v", err)
		}
	}
}
