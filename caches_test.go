package latchkey

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/identity"
)

// authority is the certificate of some authority, as PEM.
func authority(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// One setting apart, of those that a verdict depends on: nothing is shared.
// Bearer issuers are named, so that each setting is the only one to differ.
func TestPoliciesApart(t *testing.T) {
	pem := authority(t)
	base := func() *Config {
		c := validConfig()
		c.Bearer.Issuers = []IssuerConfig{{Issuer: "https://tokens.example.com", JWKSURL: "https://tokens.example.com/jwks"}}
		return c
	}
	plain, err := compile(base())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"issuer":                func(c *Config) { c.Provider.Issuer = "https://other.example.com" },
		"discovery":             func(c *Config) { c.Provider.DiscoveryURL = "https://d.example.com/x" },
		"client":                func(c *Config) { c.Provider.ClientID = "other" },
		"authority":             func(c *Config) { c.Provider.CACert = pem },
		"scopes":                func(c *Config) { c.Provider.Scopes = []string{"openid", "payments"} },
		"secret":                func(c *Config) { c.Secret = []string{testSecret + "!"} },
		"two secrets":           func(c *Config) { c.Secret = []string{testSecret, testSecret + "!"} },
		"cookie":                func(c *Config) { c.Session.Cookie.Name = "other" },
		"lifetime":              func(c *Config) { c.Session.Lifetime = "1h" },
		"idle time-out":         func(c *Config) { c.Session.IdleTimeout = "24h" },
		"issuer of tokens":      func(c *Config) { c.Bearer.Issuers[0].Issuer = "https://other.example.com" },
		"key set":               func(c *Config) { c.Bearer.Issuers[0].JWKSURL = "https://tokens.example.com/other" },
		"audiences":             func(c *Config) { c.Bearer.Issuers[0].Audiences = []string{"other"} },
		"algorithms":            func(c *Config) { c.Bearer.Issuers[0].Algorithms = []string{"ES256"} },
		"types":                 func(c *Config) { c.Bearer.Issuers[0].Types = []string{"at+jwt"} },
		"a token for another":   func(c *Config) { c.Delegate.Kind, c.Delegate.Service = "internal", "query" },
		"own issuer":            func(c *Config) { c.Delegate.Issuer = "other" },
		"API tokens":            func(c *Config) { c.APITokens.File = "tokens.json" },
		"access token kept":     func(c *Config) { c.Forward.AccessTokenHeader = "X-Token" },
		"ID token kept":         func(c *Config) { c.Forward.IDTokenHeader = "X-Token" },
		"access token asked":    func(c *Config) { c.Authorize = "Equals(`access_token.a`, `b`)" },
		"lifetime for idleness": func(c *Config) { c.Session.Lifetime, c.Session.IdleTimeout = "12h", "24h" },
	} {
		config := base()
		change(config)
		other, err := compile(config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other.policy == plain.policy {
			t.Errorf("%s: two middlewares share verdicts", name)
		}
	}
}

func delegated(change func(*Config)) func(*Config) {
	return func(c *Config) {
		c.Delegate.Kind, c.Delegate.Service = "internal", "query"
		change(c)
	}
}

// One setting apart, of those that say what a router makes of an identity.
func TestViewsApart(t *testing.T) {
	plain, err := compile(validConfig())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{plain.view: "plain"}
	for name, change := range map[string]func(*Config){
		"a rule":               func(c *Config) { c.Authorize = "Equals(`a`, `b`)" },
		"another rule":         func(c *Config) { c.Authorize = "Equals(`a`, `c`)" },
		"an access token":      func(c *Config) { c.Forward.AccessTokenHeader = "X-Token" },
		"an ID token":          func(c *Config) { c.Forward.IDTokenHeader = "X-Token" },
		"both":                 func(c *Config) { c.Forward.AccessTokenHeader, c.Forward.IDTokenHeader = "X-A", "X-B" },
		"both, the other way":  func(c *Config) { c.Forward.AccessTokenHeader, c.Forward.IDTokenHeader = "X-B", "X-A" },
		"a header":             func(c *Config) { c.Forward.Headers = map[string]string{"X-User": "sub"} },
		"another claim in it":  func(c *Config) { c.Forward.Headers = map[string]string{"X-User": "name"} },
		"the claim in another": func(c *Config) { c.Forward.Headers = map[string]string{"X-Login": "sub"} },
		"a claim of that name": func(c *Config) { c.Forward.Headers = map[string]string{"X-Use": "rsub"} },
		"two headers":          func(c *Config) { c.Forward.Headers = map[string]string{"X-A": "a", "X-B": "b"} },
		"two headers, swapped": func(c *Config) { c.Forward.Headers = map[string]string{"X-A": "b", "X-B": "a"} },
		"a delegated token":    delegated(func(c *Config) {}),
		"for another service":  delegated(func(c *Config) { c.Delegate.Service = "storage" }),
		"with scopes":          delegated(func(c *Config) { c.Delegate.Scopes = []string{"read"} }),
		"with other ones":      delegated(func(c *Config) { c.Delegate.Scopes = []string{"read", "write"} }),
		"a notebook's":         delegated(func(c *Config) { c.Delegate.Kind, c.Delegate.Service = "notebook", "" }),
		"a shorter one":        delegated(func(c *Config) { c.Delegate.Lifetime = "30m" }),
		"with more left":       delegated(func(c *Config) { c.Delegate.MinimumLifetime = "6m" }),
		"in another header":    delegated(func(c *Config) { c.Delegate.Header = "X-Token" }),
		"exchanged":            delegated(func(c *Config) { c.Delegate.Mode = "exchange" }),
		"exchanged for a URI":  delegated(func(c *Config) { c.Delegate.Mode, c.Delegate.Resources = "exchange", []string{"https://q"} }),
		"scopes of others":     delegated(func(c *Config) { c.APITokens.File, c.APITokens.Scopes = "t", map[string]string{"read": ""} }),
		"scopes of some": delegated(func(c *Config) {
			c.APITokens.File, c.APITokens.Scopes = "t", map[string]string{"read": "Equals(`a`, `b`)"}
		}),
		"an access token there": func(c *Config) { c.Forward.AccessTokenHeader = "Authorization" },
	} {
		config := validConfig()
		change(config)
		other, err := compile(config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if earlier, ok := seen[other.view]; ok {
			t.Errorf("%s shares its view with %s", name, earlier)
		}
		seen[other.view] = name
	}
}

func TestFingerprintKeepsPartsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{"a", "bc"}, {"ab", "c"}, {"abc"}, {"abc", ""}, {"", "abc"}, {"1:a", "bc"}, {"a", "2:bc"}, {"a2:bc"}} {
		key := fingerprint(parts...)
		if seen[key] != nil {
			t.Errorf("%q and %q have one fingerprint", parts, seen[key])
		}
		seen[key] = parts
	}
}

// A connection that trusts one authority is not used by a middleware that does
// not.
func TestAuthoritiesApart(t *testing.T) {
	g := newRig(t, nil)
	pem := authority(t)
	trusting := g.router(func(c *Config) { c.Provider.CACert = pem })
	if trusting.client.HTTPClient == g.l.client.HTTPClient || trusting.provider == g.l.provider {
		t.Error("two middlewares with different authorities share a connection")
	}
	if again := g.router(nil); again.client.HTTPClient != g.l.client.HTTPClient {
		t.Error("two middlewares with the same settings do not")
	}
}

// A token past its end, within the leeway for clocks that differ, is verified
// each time.
func TestEndedTokenIsNotKept(t *testing.T) {
	g := newRig(t, nil)
	token := g.accessToken(map[string]interface{}{"exp": g.clock.at.Load() - 30})
	for i := int64(1); i < 3; i++ {
		g.expectStatus("within the leeway", g.do(bearer(t, "/app", token)), http.StatusOK)
		if n := g.l.counters.verifications.Load(); n != i || g.l.tokens.size() != 0 {
			t.Errorf("request %d: verified %d times, %d kept", i, n, g.l.tokens.size())
		}
	}
}

func TestBadTokenIsRemembered(t *testing.T) {
	g := newRig(t, nil)
	g.expectStatus("garbage", g.do(bearer(t, "/app", "garbage")), http.StatusUnauthorized)
	negative := g.l.keyOf(credential{identity.Bearer, "garbage"})
	known := func() bool {
		_, bad, err := g.l.negatives.Get(testContext(t), string(negative[:]))
		return err == nil && bad
	}
	if !known() {
		t.Error("a bad token was forgotten at once")
	}
	g.clock.advance(negativeFor)
	if known() {
		t.Error("a bad token is known to be bad for longer than it should")
	}
}
