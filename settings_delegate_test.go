package latchkey

import (
	"strings"
	"testing"
)

func TestDelegateMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"kind":               {func(c *Config) { c.Delegate.Kind = "external" }, `delegate.kind: "external" is none of internal, notebook`},
		"no kind":            {func(c *Config) { c.Delegate.Kind = "" }, "delegate.kind: is required with the other settings"},
		"no service":         {func(c *Config) { c.Delegate.Service = "" }, "delegate.service: is required"},
		"a notebook for one": {func(c *Config) { c.Delegate.Kind = "notebook" }, `delegate.kind: "notebook" has neither`},
		"service as issuer":  {func(c *Config) { c.Delegate.Service = "latchkey" }, "delegate.service: \"latchkey\" is what"},
		"scope":              {func(c *Config) { c.Delegate.Scopes = []string{"a b"} }, `delegate.scopes: "a b" is not a scope`},
		"mode":               {func(c *Config) { c.Delegate.Mode = "ask" }, `delegate.mode: "ask" is none of sign, exchange`},
		"lifetime":           {func(c *Config) { c.Delegate.Lifetime = "0" }, `delegate.lifetime: "0" is less than 1s`},
		"minimum":            {func(c *Config) { c.Delegate.MinimumLifetime = "-1s" }, `delegate.minimumLifetime: "-1s" is less than 0s`},
		"minimum above":      {func(c *Config) { c.Delegate.Lifetime = "5m" }, "delegate.minimumLifetime: 5m0s is not less than delegate.lifetime 5m0s"},
		"minimum of none":    {func(c *Config) { c.Session.Lifetime = "4m" }, "delegate.minimumLifetime: 5m0s is more than session.lifetime 4m0s"},
		"resources":          {func(c *Config) { c.Delegate.Resources = []string{"https://q"} }, "delegate.resources: are for"},
		"no header":          {func(c *Config) { c.Delegate.Header = "" }, "delegate.header: is required"},
		"header":             {func(c *Config) { c.Delegate.Header = "cookie" }, `"Cookie" has another meaning`},
		"header twice":       {func(c *Config) { c.Forward.AccessTokenHeader = "X-Auth-Request-Token" }, "are one header to some upstreams"},
		"issuer":             {func(c *Config) { c.Delegate.Issuer = "" }, "delegate.issuer: is empty"},
		"a typo":             {func(c *Config) { c.Delegate.Unknown = map[string]interface{}{"scope": 1} }, "delegate.scope: unknown setting; the nearest is delegate.scopes"},
		"exchange with nobody": {func(c *Config) {
			c.Provider.Issuer, c.Provider.ClientID, c.Delegate.Mode, c.APITokens.File = "", "", "exchange", "tokens.json"
			c.Bearer.Enabled = false
			c.Bearer.Audiences = nil
		}, `delegate.mode: "exchange" needs a provider`},
	} {
		config := validConfig()
		config.Delegate.Kind, config.Delegate.Service = "internal", "query"
		c.change(config)
		if _, err := compile(config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", name, err, c.want)
		}
	}
}
