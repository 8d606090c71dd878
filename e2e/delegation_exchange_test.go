package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// exchangers is how many requests come at once with a session whose access token was not exchanged yet.
const exchangers = 200

// The provider gives the token for the service behind, for the access token of the session, and is asked once.
func TestDelegationExchange(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "cookie"})
	login := f.dynamic.Middlewares["login"]
	exchanging := func(service string) harness.Settings {
		return delegating(login, service, "email", "unheard-of").With("delegate", "mode", "exchange")
	}
	f.route(map[string]harness.Settings{
		"portal":    exchanging(harness.ExchangeAudience),
		"elsewhere": exchanging("billing"),
		"mirror":    login.With("forward", "accessTokenHeader", "X-Access-Token"),
	})
	f.Provider.SetAccessTokenLifetime(time.Hour)
	p := f.login(0, "alice")
	t.Run("once", func(t *testing.T) { f.with(t).isExchangedOnce(p) })
	t.Run("refused", func(t *testing.T) { f.with(t).isNotExchanged(p) })
}

func (f *fleet) isExchangedOnce(p *person) {
	before := f.Provider.Count(harness.TokenPath)
	f.Provider.SlowTokens(500 * time.Millisecond) // all of them come meanwhile
	defer f.Provider.MendTokens()
	answers := make([]answer, exchangers)
	var all sync.WaitGroup
	began := time.Now()
	for i := range answers {
		all.Go(func() { answers[i], _ = f.ask(f.t.Context(), i%len(f.Traefiks), "/portal/page", p.cookie) })
	}
	all.Wait()
	f.isAll(answers, http.StatusOK)
	asked := f.Provider.Count(harness.TokenPath) - before
	f.t.Logf("%d requests took %v, and %d of the token endpoint", exchangers, time.Since(began).Round(time.Millisecond), asked)
	if asked != 1 {
		f.t.Errorf("the token endpoint was asked %d times, want once", asked)
	}
	tokens := map[string]bool{}
	for _, a := range answers {
		if a.status == http.StatusOK {
			tokens[a.seen(f.t).Header.Get(delegatedHeader)] = true
		}
	}
	if len(tokens) != 1 {
		f.t.Fatalf("%d tokens were forwarded, want 1", len(tokens))
	}

	// Whoever else comes gets the same one, at either replica.
	portal := f.browse(1, p, "/portal/again")
	if !tokens[portal.token] || f.Provider.Count(harness.TokenPath)-before != 1 {
		f.t.Error("a later request got another token")
	}
	f.keepsToItself(portal, p)
	access := f.providers(f.browse(0, p, "/mirror/page").Header.Get("X-Access-Token"), harness.APIAudience)
	claims := f.providers(portal.token, harness.ExchangeAudience)
	for name, want := range map[string]any{"sub": p.user, "scope": "email", "subject_token_jti": access["jti"]} {
		if claims[name] != want || want == nil {
			f.t.Errorf("the token says %s %v, want %v", name, claims[name], want)
		}
	}
}

// What the provider refuses to give is 403, and not asked for again at once; nor is what it knows nothing of.
func (f *fleet) isNotExchanged(p *person) {
	before := f.Provider.Count(harness.TokenPath)
	for i := range 10 {
		a, err := f.ask(f.t.Context(), i%len(f.Traefiks), "/elsewhere/page", p.cookie)
		if err != nil || a.status != http.StatusForbidden || !strings.Contains(a.body, "delegation_refused") {
			f.t.Errorf("a service that the provider has no tokens for: status %d, error %v, want 403\n%s", a.status, err, a.body)
		}
	}
	// A refusal is not shared.
	if asked := f.Provider.Count(harness.TokenPath) - before; asked != len(f.Traefiks) {
		f.t.Errorf("the token endpoint was asked %d times, want once by each replica", asked)
	}
	token := f.create(0, p, "unknown to the provider")
	for i := range f.Traefiks {
		if status := f.opens(i, "/portal/token", token.credential); status != http.StatusForbidden {
			f.t.Errorf("an API token at replica %d: status %d, want 403", i, status)
		}
	}
	f.untouched("/elsewhere/page")
	f.untouched("/portal/token")
}

// providers is what a token says, once golang-jwt finds that the provider made it for an audience.
func (f *fleet) providers(token, audience string) jwt.MapClaims {
	f.t.Helper()
	var set jose.JSONWebKeySet
	a := f.get(crowd, strings.TrimSuffix(f.Provider.Issuer, "/")+harness.KeysPath)
	if err := json.Unmarshal([]byte(a.body), &set); err != nil {
		f.t.Fatalf("read the provider's keys: %v\n%s", err, a.body)
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if keys := set.Key(kid); len(keys) == 1 {
			return keys[0].Key, nil
		}
		return nil, fmt.Errorf("no key is called %q", kid)
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(f.Provider.Issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired())
	if err != nil {
		f.t.Fatalf("the provider's token for %s: %v\n%s", audience, err, token)
	}
	return claims
}
