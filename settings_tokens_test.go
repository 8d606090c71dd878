package latchkey

import (
	"strings"
	"testing"
)

func TestAPITokenMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"checkEvery":           {func(c *Config) { c.APITokens.CheckEvery = "0" }, `apiTokens.checkEvery: "0" is less than 1s`},
		"maxLifetime":          {func(c *Config) { c.APITokens.MaxLifetime = "1y" }, `apiTokens.maxLifetime: "1y" is not a duration`},
		"header":               {func(c *Config) { c.APITokens.Header = "X Key" }, `apiTokens.header: "X Key" is not a header name`},
		"header's meaning":     {func(c *Config) { c.APITokens.Header = "cookie" }, `"Cookie" has another meaning`},
		"header of bearers":    {func(c *Config) { c.APITokens.Header = "authorization" }, `apiTokens.header: "authorization" is looked at in any case`},
		"header of the claims": {func(c *Config) { c.APITokens.Header = "x_auth_request_user" }, "are one header to some upstreams"},
		"scope":                {func(c *Config) { c.APITokens.Scopes = map[string]string{"a b": ""} }, `apiTokens.scopes: "a b" is not a scope`},
		"scope's rule":         {func(c *Config) { c.APITokens.Scopes = map[string]string{"read": "Equals("} }, "apiTokens.scopes: read: "},
		"off with a file":      {func(c *Config) { c.APITokens.Enabled = false }, "apiTokens.enabled: is false, and apiTokens.file is given"},
		"manager":              {func(c *Config) { c.APITokens.Manage = "everybody" }, `apiTokens.manage: "everybody" is neither "session" nor "scope NAME"`},
		"manager without name": {func(c *Config) { c.APITokens.Manage = "scope " }, `apiTokens.manage: "scope " is neither`},
		"managers of two":      {func(c *Config) { c.APITokens.Manage = "scope a b" }, `apiTokens.manage: "scope a b" is neither`},
		"a scope, unsaid":      {func(c *Config) { c.APITokens.Manage = "manage" }, `apiTokens.manage: "manage" is neither`},
		"managers unheard of": {func(c *Config) {
			c.APITokens.Manage = "scope manage"
			c.Bearer.Enabled = false
			c.Bearer.Audiences = nil
		}, `apiTokens.manage: "scope manage" is for access tokens`},
		"a typo": {func(c *Config) { c.APITokens.Unknown = map[string]interface{}{"fil": 1} }, "apiTokens.fil: unknown setting; the nearest is apiTokens.file"},
		"admin":  {func(c *Config) { c.Admin = "OneOf(`a`)" }, "admin: "},
		"no issuer, and people": {func(c *Config) {
			c.Provider.Issuer = ""
		}, "provider.issuer: is required"},
		"nobody to redirect to": {func(c *Config) {
			c.Provider.Issuer, c.Provider.ClientID, c.Unauthenticated = "", "", "redirect"
			c.Bearer.Enabled = false
			c.Bearer.Audiences = nil
		}, `unauthenticated: "redirect" needs a provider`},
	} {
		config := validConfig()
		config.APITokens.File = t.TempDir() + "/tokens.json"
		c.change(config)
		_, err := New(testContext(t), nil, config, "test")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", name, err, c.want)
		}
	}
}

// API tokens are accepted where there is a place for them, unless they are off.
func TestWhereAPITokensAre(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"nowhere":    {func(c *Config) {}, "none"},
		"a file":     {func(c *Config) { c.APITokens.File = "tokens.json" }, "file"},
		"Redis":      {func(c *Config) { c.Redis.Addresses = []string{"127.0.0.1:1"} }, "redis"},
		"both":       {func(c *Config) { c.Redis.Addresses, c.APITokens.File = []string{"127.0.0.1:1"}, "tokens.json" }, "file"},
		"Redis, off": {func(c *Config) { c.Redis.Addresses, c.APITokens.Enabled = []string{"127.0.0.1:1"}, false }, "none"},
	} {
		config := validConfig()
		c.change(config)
		s, err := compile(config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := "none"
		if s.apiTokens != nil {
			got = "redis"
			if s.apiTokens.file != "" {
				got = "file"
			}
		}
		if got != c.want {
			t.Errorf("%s: they are in %s, want %s", name, got, c.want)
		}
	}
}
