package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/oidc"
)

const (
	// delegatedHeader brings the upstream its token for another service.
	delegatedHeader = "X-Auth-Request-Token"
	delegateService = "query"
)

// delegateStage makes a token for another service, which the upstream gets.
var delegateStage = stage{name: "delegate", delegate: true}

func delegating(settings harness.Settings) harness.Settings {
	return settings.With("delegate", harness.Settings{"kind": "internal", "service": delegateService, "scopes": []string{"profile", "email"}})
}

// checkDelegated looks at the token that the upstream got.
func (r row) checkDelegated(seen *http.Request) error {
	tokens := seen.Header[delegatedHeader]
	want := 1
	if r.service == "" {
		want = 0
	}
	if len(tokens) != want {
		return fmt.Errorf("check: the upstream got %d tokens for another service, want %d", len(tokens), want)
	}
	if want == 0 {
		return nil
	}
	claims, err := oidc.Unverified(tokens[0])
	if err != nil {
		return fmt.Errorf("check: the upstream's token for another service: %w", err)
	}
	if claims["aud"] != r.service || claims["sub"] != r.user || !strings.Contains(fmt.Sprint(claims["scope"]), "email") {
		return fmt.Errorf("check: the upstream's token for another service says %v, want it for %q, of %q", claims, r.service, r.user)
	}
	return nil
}
