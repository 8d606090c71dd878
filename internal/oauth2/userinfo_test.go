package oauth2

import (
	"context"
	"net/http"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

func TestUserInfo(t *testing.T) {
	for _, opaque := range []bool{false, true} {
		op := oidctest.New(t)
		op.Set(func(b *oidctest.Behavior) {
			b.OpaqueAccessToken = opaque
			b.UserInfo = map[string]interface{}{"groups": []string{"ops"}}
		})
		client := &Client{ID: oidctest.ClientID, Secret: secret, HTTPClient: op.Client()}
		code, verifier := login(t, op)
		tokens, err := client.ExchangeCode(context.Background(), Endpoint{URL: op.Issuer() + oidctest.Token}, code, verifier, redirectURI)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := UserInfo(context.Background(), op.Client(), op.Issuer()+oidctest.UserInfo, tokens.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		groups, _ := claims["groups"].([]interface{})
		if claims["sub"] != oidctest.Subject || claims["name"] != "Alice" || len(groups) != 1 {
			t.Errorf("found %v", claims)
		}
	}
}

func TestUserInfoRefused(t *testing.T) {
	op := oidctest.New(t)
	ask := func(url string) error {
		_, err := UserInfo(context.Background(), op.Client(), url, "made-up")
		return err
	}
	address := op.Issuer() + oidctest.UserInfo
	wantError(t, ask(address), ErrRejected, "invalid_token")
	op.Handle(oidctest.UserInfo, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = w.Write([]byte("eyJhbGciOiJub25lIn0.e30."))
	})
	wantError(t, ask(address), ErrUnavailable, "JSON")
	op.Down(true)
	wantError(t, ask(address), ErrUnavailable, "503")
	wantError(t, ask("%"), ErrUnavailable, "userinfo request")
}
