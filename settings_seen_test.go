package latchkey

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// seenSetting is a setting that can be seen from outside: through a middleware made
// as New makes it, what look returns is without where the setting has its default,
// and with where it is changed.
type seenSetting struct {
	base   func(c *Config) // of both; nil: the smallest settings
	change func(c *Config, g *rig)
	look   func(g *rig) string

	without, with string
}

// seenSettings are those of login, session and forwarding, by name.
func seenSettings() map[string]seenSetting {
	return map[string]seenSetting{
		"provider.issuer":       {nil, func(c *Config, g *rig) { c.Provider.Issuer = oidctest.New(g.t).Issuer() }, seesProvider, "this provider", "another"},
		"provider.discoveryURL": {nil, func(c *Config, g *rig) { c.Provider.DiscoveryURL = g.provider.Issuer() + "/elsewhere" }, hits("/elsewhere"), "0", "1"},
		"provider.clientID":     {nil, func(c *Config, _ *rig) { c.Provider.ClientID = "other" }, asks("client_id"), oidctest.ClientID, "other"},
		"provider.clientSecret": {nil, func(c *Config, _ *rig) { c.Provider.ClientSecret = "other" }, sendsSecret, url.QueryEscape(oidctest.ClientSecret), "other"},
		"provider.scopes":       {nil, func(c *Config, _ *rig) { c.Provider.Scopes = []string{"openid", "x"} }, asks("scope"), "openid profile email", "openid x"},
		"provider.authParams":   {nil, func(c *Config, _ *rig) { c.Provider.AuthParams = map[string]string{"prompt": "login"} }, asks("prompt"), "", "login"},
		"provider.userInfo":     {nil, func(c *Config, _ *rig) { c.Provider.UserInfo = true }, loginThen(hits(oidctest.UserInfo)), "0", "1"},

		"secret":      {nil, func(c *Config, _ *rig) { c.Secret = []string{testSecret + "!"} }, opensSessionOfAnother, "200", "401"},
		"basePath":    {nil, func(c *Config, _ *rig) { c.BasePath = "/auth" }, asks("redirect_uri"), "https://app.example.com/oauth2/callback", "https://app.example.com/auth/callback"},
		"redirectURL": {nil, func(c *Config, _ *rig) { c.RedirectURL = "https://login.example.com" }, asks("redirect_uri"), "https://app.example.com/oauth2/callback", "https://login.example.com/oauth2/callback"},
		"public":      {nil, func(c *Config, _ *rig) { c.Public = []string{"/app"} }, func(g *rig) string { return gets(g, fetch(g.t, "/app")) }, "401", "200"},
		"publicWebSockets": {func(c *Config) { c.Public = []string{"/app"} }, func(c *Config, _ *rig) { c.PublicWebSockets = true },
			func(g *rig) string {
				return gets(g, asStream(fetch(g.t, "/app"), "Upgrade")) + upstreamHas(g, "Upgrade")
			}, "200", "200websocket"},
		"unauthenticated": {nil, func(c *Config, _ *rig) { c.Unauthenticated = "reject" }, func(g *rig) string { return gets(g, navigate(g.t, "/app")) }, "302", "401"},
		"authorize":       {nil, func(c *Config, _ *rig) { c.Authorize = "Equals(`sub`, `bob`)" }, func(g *rig) string { return gets(g, bearer(g.t, "/app", g.provider.AccessToken(nil))) }, "200", "403"},
		"admin":           {nil, func(c *Config, _ *rig) { c.Admin = "Equals(`sub`, `alice`)" }, loginThen(func(g *rig) string { return gets(g, apiRequest(g.t, "GET", "/oauth2/api/sessions?user=bob", "")) }), "403", "200"},

		"session.store":           {nil, func(c *Config, _ *rig) { c.Session.Store = "memory" }, func(g *rig) string { return fmt.Sprint(len(sessionCookie(g, "")) < 300) }, "false", "true"},
		"session.lifetime":        {nil, func(c *Config, _ *rig) { c.Session.Lifetime = "1000s" }, cookieHas("Max-Age"), "Max-Age=86400", "Max-Age=1000"},
		"session.idleTimeout":     {nil, func(c *Config, _ *rig) { c.Session.IdleTimeout = "100" }, cookieHas("Max-Age"), "Max-Age=86400", "Max-Age=100"},
		"session.maxPerUser":      {nil, func(c *Config, _ *rig) { c.Session.MaxPerUser = 1 }, firstOfTwoLogins, "200", "401"},
		"session.onLogin":         {nil, func(c *Config, _ *rig) { c.Session.OnLogin = "endOthers" }, firstOfTwoLogins, "200", "401"},
		"session.cookie.name":     {nil, func(c *Config, _ *rig) { c.Session.Cookie.Name = "other" }, cookieHas("__Host-"), "__Host-latchkey", "__Host-other"},
		"session.cookie.domain":   {nil, func(c *Config, _ *rig) { c.Session.Cookie.Domain = "example.com" }, cookieHas("Domain"), "", "Domain=example.com"},
		"session.cookie.path":     {nil, func(c *Config, _ *rig) { c.Session.Cookie.Path = "/oauth2" }, cookieHas("Path"), "Path=/", "Path=/oauth2"},
		"session.cookie.sameSite": {nil, func(c *Config, _ *rig) { c.Session.Cookie.SameSite = "strict" }, cookieHas("SameSite"), "SameSite=Lax", "SameSite=Strict"},
		"session.cookie.secure":   {nil, func(c *Config, _ *rig) { c.Session.Cookie.Secure = false }, cookieHas("Secure"), "Secure", ""},

		"refresh.before":      {nil, func(c *Config, _ *rig) { c.Refresh.Before = "120s" }, func(g *rig) string { return refreshedAfter(g, 200) }, "200, 0 grants", "200, 1 grants"},
		"refresh.maxTokenAge": {nil, func(c *Config, _ *rig) { c.Refresh.MaxTokenAge = "5m" }, func(g *rig) string { return refreshedAfter(g, 301) }, "200, 1 grants", "401, 0 grants"},
		"refresh.shareFor":    {nil, func(c *Config, _ *rig) { c.Refresh.ShareFor = "10s" }, oldCookieLater, "200", "401"},
		"refresh.timeout":     {func(c *Config) { c.Provider.Timeout = "1h" }, func(c *Config, _ *rig) { c.Refresh.Timeout = "50ms" }, refreshThatHangs, "", "503"},

		"forward.headers":           {nil, func(c *Config, _ *rig) { c.Forward.Headers = map[string]string{"X-Who": "sub"} }, tells("X-Who"), "", "alice"},
		"forward.keep":              {nil, func(c *Config, _ *rig) { c.Forward.Keep = []string{"X-Auth-Request-Own"} }, keepsOwn, "", "own"},
		"forward.accessTokenHeader": {nil, func(c *Config, _ *rig) { c.Forward.AccessTokenHeader = "X-At" }, func(g *rig) string { return fmt.Sprint(len(tells("X-At")(g)) > 100) }, "false", "true"},
		"forward.idTokenHeader": {nil, func(c *Config, _ *rig) { c.Forward.IDTokenHeader = "X-It" }, loginThen(func(g *rig) string {
			gets(g, fetch(g.t, "/app"))
			return fmt.Sprint(len(upstreamHas(g, "X-It")) > 100)
		}), "false", "true"},

		"bearer.enabled": {nil, func(c *Config, _ *rig) { c.Bearer = BearerConfig{} }, takesToken, "200", "401"},
		"bearer.issuers": {nil, func(c *Config, _ *rig) { c.Bearer.Issuers = []IssuerConfig{{Issuer: "https://other.example.com"}} }, takesToken, "200", "401"},
		"bearer.issuers.issuer": {nil, func(c *Config, g *rig) {
			c.Provider.Issuer = "https://other.example.com"
			c.Bearer.Issuers = []IssuerConfig{{Issuer: g.provider.Issuer(), JWKSURL: g.provider.Issuer() + oidctest.JWKS}}
		}, hits(oidctest.Discovery, takesToken), "200 1", "200 0"},
		"bearer.issuers.jwksURL":    issuerSetting(func(i *IssuerConfig) { i.JWKSURL = i.Issuer + "/nowhere" }, "503"),
		"bearer.issuers.audiences":  issuerSetting(func(i *IssuerConfig) { i.Audiences = []string{"other"} }, "401"),
		"bearer.issuers.algorithms": issuerSetting(func(i *IssuerConfig) { i.Algorithms = []string{"ES384"} }, "401"),
		"bearer.issuers.types":      issuerSetting(func(i *IssuerConfig) { i.Types = []string{"other"} }, "401"),
		"bearer.maxLifetime":        {nil, func(c *Config, _ *rig) { c.Bearer.MaxLifetime = "100s" }, takesToken, "200", "401"},
		"bearer.audiences":          {nil, func(c *Config, _ *rig) { c.Bearer.Audiences = []string{"other"} }, takesToken, "200", "401"},

		"cache.tokens": {func(c *Config) { c.Authorize = "Equals(`sub`, `alice`)" }, func(c *Config, _ *rig) { c.Cache.Tokens = 0 }, verifications, "1 of 3", "3 of 3"},
		"log.level":    {nil, func(c *Config, _ *rig) { c.Log.Level = "debug" }, func(g *rig) string { return fmt.Sprint(g.l.log.out.Enabled(context.Background(), slog.LevelDebug)) }, "false", "true"},
	}
}

// issuerSetting is a setting of the provider as an issuer of bearer tokens.
func issuerSetting(change func(i *IssuerConfig), with string) seenSetting {
	return seenSetting{nil, func(c *Config, _ *rig) {
		issuer := IssuerConfig{Issuer: c.Provider.Issuer}
		change(&issuer)
		c.Bearer.Issuers = []IssuerConfig{issuer}
	}, takesToken, "200", with}
}

func gets(g *rig, r *http.Request) string { return fmt.Sprint(g.do(r).StatusCode) }

func upstreamHas(g *rig, header string) string {
	if g.upstream == nil {
		return ""
	}
	return g.upstream.Header.Get(header)
}

func hits(path string, first ...func(g *rig) string) func(g *rig) string {
	return func(g *rig) string {
		if len(first) == 0 {
			g.do(navigate(g.t, "/app"))
			return fmt.Sprint(g.provider.Hits(path))
		}
		before := g.provider.Hits(path)
		said := first[0](g)
		return fmt.Sprint(said, " ", g.provider.Hits(path)-before)
	}
}

func loginThen(look func(g *rig) string) func(g *rig) string {
	return func(g *rig) string {
		g.login("/app", nil)
		return look(g)
	}
}

// asks is a parameter of the authorization request.
func asks(parameter string) func(g *rig) string {
	return func(g *rig) string {
		u, err := url.Parse(location(g.t, g.do(navigate(g.t, "/app"))))
		if err != nil {
			g.t.Fatal(err)
		}
		return u.Query().Get(parameter)
	}
}

func seesProvider(g *rig) string {
	if strings.HasPrefix(location(g.t, g.do(navigate(g.t, "/app"))), g.provider.Issuer()+"/") {
		return "this provider"
	}
	return "another"
}

// sendsSecret is what the token endpoint gets, as it is written (RFC 6749, 2.3.1).
func sendsSecret(g *rig) string {
	sent := ""
	g.provider.Handle(oidctest.Token, func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		sent = secret
		http.Error(w, "no", http.StatusServiceUnavailable)
	})
	g.do(navigate(g.t, g.begin("/app", nil)))
	return sent
}

func opensSessionOfAnother(g *rig) string {
	changed := g.l
	g.l = g.router(nil)
	g.login("/app", nil)
	g.l = changed
	return gets(g, fetch(g.t, "/app"))
}

// sessionCookie is the line that sets the session, or the attribute of it that
// begins like that.
func sessionCookie(g *rig, attribute string) string {
	for _, line := range g.do(navigate(g.t, g.begin("/app", nil))).Header["Set-Cookie"] {
		if strings.Contains(line, "-flow-") {
			continue
		}
		if attribute == "" {
			return line
		}
		for _, part := range strings.Split(line, ";") {
			if part = strings.TrimSpace(part); strings.HasPrefix(part, attribute) {
				name, _, _ := strings.Cut(part, "=")
				if attribute == "__Host-" {
					return name
				}
				return part
			}
		}
		return ""
	}
	return "no cookie"
}

func cookieHas(attribute string) func(g *rig) string {
	return func(g *rig) string {
		found := sessionCookie(g, attribute)
		return found
	}
}

func firstOfTwoLogins(g *rig) string {
	g.login("/app", nil)
	first := g.swap(nil)
	g.clock.advance(time.Second)
	g.login("/app", nil)
	g.swap(first)
	return gets(g, fetch(g.t, "/app"))
}

func refreshedAfter(g *rig, seconds time.Duration) string {
	g.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })
	g.login("/app", nil)
	g.clock.advance(seconds * time.Second)
	status := gets(g, fetch(g.t, "/app"))
	return fmt.Sprint(status, ", ", g.provider.Grants(), " grants")
}

// oldCookieLater comes with the cookie of before a refresh, 20 seconds after it.
func oldCookieLater(g *rig) string {
	g.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })
	g.login("/app", nil)
	old := g.swap(g.jar)
	g.clock.advance(301 * time.Second)
	g.expectStatus("the refresh", g.do(fetch(g.t, "/app")), http.StatusOK)
	g.clock.advance(20 * time.Second)
	g.swap(old)
	return gets(g, fetch(g.t, "/app"))
}

// refreshThatHangs would do so for an hour with provider.timeout.
func refreshThatHangs(g *rig) string {
	g.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })
	g.login("/app", nil)
	g.clock.advance(301 * time.Second)
	_, release := g.provider.Hold(oidctest.Token)
	defer release()
	return gets(g, fetch(g.t, "/app"))
}

// tells is what the upstream is told of somebody with a bearer token.
func tells(header string) func(g *rig) string {
	return func(g *rig) string {
		takesToken(g)
		return upstreamHas(g, header)
	}
}

func takesToken(g *rig) string { return gets(g, bearer(g.t, "/app", g.provider.AccessToken(nil))) }

func keepsOwn(g *rig) string {
	r := bearer(g.t, "/app", g.provider.AccessToken(nil))
	r.Header.Set("X-Auth-Request-Own", "own")
	g.do(r)
	return upstreamHas(g, "X-Auth-Request-Own")
}

func verifications(g *rig) string {
	token := g.provider.AccessToken(nil)
	for i := 0; i < 3; i++ {
		g.do(bearer(g.t, "/app", token))
	}
	return fmt.Sprint(g.l.counters.verifications.Load(), " of 3")
}

func TestSettingsAreSeen(t *testing.T) { checkSeen(t, seenSettings()) }

func TestTokenSettingsAreSeen(t *testing.T) { checkSeen(t, seenTokenSettings(t)) }

func checkSeen(t *testing.T, all map[string]seenSetting) {
	t.Helper()
	for name, s := range all {
		setting := s
		for _, changed := range []bool{false, true} {
			if !changed && setting.without == "" && setting.with == "503" {
				continue // it would take as long as the default
			}
			g := newRig(t, nil)
			chosen := changed
			g.l = g.router(func(c *Config) {
				if setting.base != nil {
					setting.base(c)
				}
				if chosen {
					setting.change(c, g)
				}
			})
			want := setting.without
			if changed {
				want = setting.with
			}
			if got := setting.look(g); got != want {
				t.Errorf("%s, changed: %v: %q is seen, want %q", name, changed, got, want)
			}
		}
	}
}
