// Package firstsight is interpreted: it has tokens checked that nobody has seen before, by Latchkey and by golang-jwt.
package firstsight

import (
	"context"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// Parse has golang-jwt check the tokens: the signature, exp and nbf.
func Parse(tokens []string, key interface{}) error {
	keyfunc := func(*jwt.Token) (interface{}, error) { return key, nil }
	for _, t := range tokens {
		if _, err := jwt.Parse(t, keyfunc); err != nil {
			return err
		}
	}
	return nil
}

var provider *oidc.Provider

// Open makes the provider that Verify asks.
func Open(issuer, jwksURL string) {
	client := &http.Client{Timeout: 10 * time.Second}
	provider = oidc.NewProvider(oidc.Config{Issuer: issuer, JWKSURL: jwksURL, HTTPClient: client})
}

// Verify has Latchkey check the tokens, as access tokens for that audience.
func Verify(tokens []string, audience string) error {
	want := oidc.AccessToken{Audiences: []string{audience}}
	for _, t := range tokens {
		if _, err := provider.VerifyAccessToken(context.Background(), t, want); err != nil {
			return err
		}
	}
	return nil
}
