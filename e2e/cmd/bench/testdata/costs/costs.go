// Package costs is compiled and interpreted: it makes one middleware, which is asked for what anybody can ask for.
package costs

import (
	"context"
	"net/http"

	"github.com/latchkey-auth/latchkey"
)

// Open makes a middleware with a provider, and an app behind it that does nothing. Both functions serve as handlers.
func Open(issuer, tokens, audience string) (func(http.ResponseWriter, *http.Request), error) {
	c := latchkey.CreateConfig()
	c.Provider.Issuer = issuer
	c.Provider.ClientID = "costs"
	c.Secret = []string{"a secret for measuring, of 32 bytes and more"}
	c.Public = []string{"/public/"}
	c.Bearer.Audiences = []string{audience}
	c.APITokens.File = tokens
	c.Log.Level = "error"
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	h, err := latchkey.New(context.Background(), next, c, "costs")
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }, nil
}
