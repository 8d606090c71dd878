package latchkey

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// seenTokenSettings are those of API tokens and of delegated tokens, by name.
func seenTokenSettings(t *testing.T) map[string]seenSetting {
	withFile := func(c *Config) { c.APITokens.File = t.TempDir() + "/tokens.json" }
	delegating := func(c *Config) {
		withFile(c)
		c.APITokens.Scopes = map[string]string{"read": ""}
		c.Delegate.Kind = "internal"
		c.Delegate.Service = "query"
	}
	exchanged := func(c *Config) {
		delegating(c)
		c.Delegate.Mode = "exchange"
	}
	return map[string]seenSetting{
		"apiTokens.maxPerOwner": {withFile, func(c *Config, _ *rig) { c.APITokens.MaxPerOwner = 1 },
			loginThen(func(g *rig) string { return creates(0, "")(g) + " " + creates(0, "")(g) }), "201 201", "201 400"},

		"cache.backfillQueue": {func(c *Config) { c.Redis.Addresses = []string{"127.0.0.1:1"} }, func(c *Config, _ *rig) { c.Cache.BackfillQueue = 7 }, roomForBackfills, "1000", "7"},

		"apiTokens.file": {nil, func(c *Config, _ *rig) { withFile(c) },
			loginThen(func(g *rig) string { return gets(g, apiRequest(g.t, "GET", "/oauth2/api/tokens", "")) }), "404", "200"},
		"apiTokens.enabled":     {func(c *Config) { c.Redis.Addresses = []string{"127.0.0.1:1"} }, func(c *Config, _ *rig) { c.APITokens.Enabled = false }, knowsNoToken, "503", "401"},
		"apiTokens.header":      {withFile, func(c *Config, _ *rig) { c.APITokens.Header = "X-Other" }, takesKey, "200", "401"},
		"apiTokens.checkEvery":  {withFile, func(c *Config, _ *rig) { c.APITokens.CheckEvery = "10s" }, editedFifteenSecondsAgo, "200", "401"},
		"apiTokens.scopes":      {withFile, func(c *Config, _ *rig) { c.APITokens.Scopes = map[string]string{"read": ""} }, loginThen(creates(0, "read")), "403", "201"},
		"apiTokens.manage":      {withFile, func(c *Config, _ *rig) { c.APITokens.Manage = "scope tokens" }, managesWithToken, "403", "200"},
		"apiTokens.maxLifetime": {withFile, func(c *Config, _ *rig) { c.APITokens.MaxLifetime = "1h" }, loginThen(creates(7200, "")), "201", "400"},

		"delegate.kind":            {withFile, func(c *Config, _ *rig) { c.Delegate.Kind = "notebook" }, loginThen(func(g *rig) string { return fmt.Sprint(delegatedTo(g) != "") }), "false", "true"},
		"delegate.service":         {delegating, func(c *Config, _ *rig) { c.Delegate.Service = "storage" }, loginThen(delegatedClaim("aud")), "query", "storage"},
		"delegate.scopes":          {delegating, func(c *Config, _ *rig) { c.Delegate.Scopes = []string{"read"} }, loginThen(delegatedClaim("scope")), "", "read"},
		"delegate.issuer":          {delegating, func(c *Config, _ *rig) { c.Delegate.Issuer = "other" }, loginThen(delegatedClaim("iss")), "latchkey", "other"},
		"delegate.mode":            {delegating, func(c *Config, _ *rig) { c.Delegate.Mode = "exchange" }, exchanges("audience"), "", "query"},
		"delegate.resources":       {exchanged, func(c *Config, _ *rig) { c.Delegate.Resources = []string{"https://query.example.com"} }, exchanges("resource"), "", "https://query.example.com"},
		"delegate.lifetime":        {delegating, func(c *Config, _ *rig) { c.Delegate.Lifetime = "10m" }, loginThen(delegatedLife), "3600", "600"},
		"delegate.minimumLifetime": {delegating, func(c *Config, _ *rig) { c.Delegate.MinimumLifetime = "1m" }, threeMinutesLeft, "401", "200"},
		"delegate.header": {delegating, func(c *Config, _ *rig) { c.Delegate.Header = "X-Delegated" },
			loginThen(func(g *rig) string { delegatedTo(g); return fmt.Sprint(upstreamHas(g, "X-Delegated") != "") }), "false", "true"},
	}
}

// knowsNoToken comes with an API token where no store can be asked: that is another
// answer than that there are no API tokens.
func knowsNoToken(g *rig) string {
	credential, _ := apitoken.NewSecret("0123456789abcdef")
	return fmt.Sprint(g.doAlone(withKey(g.t, "/app", credential)))
}

func takesKey(g *rig) string {
	_, credential := g.give(nil)
	return fmt.Sprint(g.doAlone(withKey(g.t, "/app", credential)))
}

// editedFifteenSecondsAgo takes a token out of the file by hand.
func editedFifteenSecondsAgo(g *rig) string {
	_, credential := g.give(nil)
	g.expectStatus("a token", g.do(withKey(g.t, "/app", credential)), http.StatusOK)
	if err := os.WriteFile(g.l.set.apiTokens.file, []byte(`{"version":1,"tokens":{}}`), 0o600); err != nil {
		g.t.Fatal(err)
	}
	g.clock.advance(15 * time.Second)
	g.do(withKey(g.t, "/app", credential)) // finds the file changed
	file := g.l.apiTokens.(*apitoken.File)
	if g.l.set.apiTokens.checkEvery < 15*time.Second {
		eventually(g.t, "the edit", func() bool { return file.Stats().Loads > 0 })
	}
	return fmt.Sprint(g.doAlone(withKey(g.t, "/app", credential)))
}

func creates(lives int64, scope string) func(g *rig) string {
	return func(g *rig) string {
		asked := `{"note":"n"}`
		if scope != "" {
			asked = `{"scopes":["` + scope + `"]}`
		}
		if lives > 0 {
			asked = fmt.Sprintf(`{"expires":%d}`, g.clock.now().Unix()+lives)
		}
		return gets(g, apiRequest(g.t, "POST", "/oauth2/api/tokens", asked))
	}
}

func managesWithToken(g *rig) string {
	r := apiRequest(g.t, "GET", "/oauth2/api/sessions", "")
	r.Header.Set("Authorization", "Bearer "+g.provider.AccessToken(map[string]interface{}{"scope": "openid tokens"}))
	return gets(g, r)
}

// delegatedTo is the token that the upstream gets.
func delegatedTo(g *rig) string {
	g.expectStatus("a session", g.do(fetch(g.t, "/app")), http.StatusOK)
	return upstreamHas(g, delegatedHeader)
}

func delegatedClaim(name string) func(g *rig) string {
	return func(g *rig) string { return fmt.Sprint(claimsIn(g.t, delegatedTo(g))[name]) }
}

func delegatedLife(g *rig) string {
	ends := claimsIn(g.t, delegatedTo(g))["exp"].(float64)
	return fmt.Sprint(int64(ends) - g.clock.now().Unix())
}

// exchanges is what the provider is asked for, of its own tokens.
func exchanges(parameter string) func(g *rig) string {
	return func(g *rig) string {
		asked := url.Values{}
		g.provider.Set(func(b *oidctest.Behavior) {
			b.ExpiresIn = 7200
			b.Exchange = func(form url.Values) (map[string]interface{}, string) {
				asked = form
				return nil, "invalid_target"
			}
		})
		g.login("/app", nil)
		g.do(fetch(g.t, "/app"))
		return strings.Join(asked[parameter], " ")
	}
}

// threeMinutesLeft is somebody whose own token ends in three minutes.
func threeMinutesLeft(g *rig) string {
	token := g.provider.AccessToken(nil)
	g.clock.advance(2 * time.Minute)
	return gets(g, bearer(g.t, "/app", token))
}

// roomForBackfills is how many sessions found in Redis may wait. No request can see
// that but by what is dropped at one moment, which cannot be held.
func roomForBackfills(g *rig) string {
	tiered := reflect.ValueOf(g.l.sessions.tiered).Elem()
	queue := tiered.FieldByName("queue")
	if !queue.IsValid() {
		queue = tiered.FieldByName("Xqueue") // interpreted
	}
	return fmt.Sprint(queue.Cap())
}

// seenElsewhere are settings that tests of their own see: those that a client of
// ours is made of, which are what it sends, whom it trusts, and for how long it
// waits; and when a secret seals.
var seenElsewhere = map[string]string{
	"secretDelay":         "secret_usable_test.go",
	"provider.clientAuth": "provider_settings_test.go",
	"provider.caCert":     "provider_settings_test.go",
	"provider.timeout":    "provider_settings_test.go",
	"redis.":              "redis_settings_test.go",
}

// Every setting is seen by a test of these: a new one is a row more.
func TestEverySettingIsSeen(t *testing.T) {
	seen := map[string]bool{}
	for name := range seenSettings() {
		seen[name] = true
	}
	for name := range seenTokenSettings(t) {
		seen[name] = true
	}
	for name, file := range seenElsewhere {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		seen[name] = true
	}
	var all []string
	walkSettings("", reflect.TypeOf(Config{}), func(name string) { all = append(all, name) })
	for _, name := range all {
		section, _, _ := strings.Cut(name, ".")
		if !seen[name] && !seen[section+"."] {
			t.Errorf("%s: no test sees what it does", name)
		}
		delete(seen, name)
	}
	delete(seen, "redis.")
	for name := range seen {
		t.Errorf("%s: is no setting", name)
	}
}

// walkSettings visits each setting; those of a list's items, too.
func walkSettings(prefix string, section reflect.Type, visit func(name string)) {
	for i := 0; i < section.NumField(); i++ {
		name := section.Field(i).Tag.Get("json")
		if name == "-" {
			continue
		}
		of := section.Field(i).Type
		switch {
		case of.Kind() == reflect.Struct:
			walkSettings(prefix+name+".", of, visit)
			continue
		case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
			walkSettings(prefix+name+".", of.Elem(), visit)
		}
		visit(prefix + name)
	}
}
