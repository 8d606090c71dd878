package latchkey

import (
	"net/http"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// In a session, too, an e-mail address that is not verified is none: not for
// rules, whichever token they ask, and not for the app.
func TestUnverifiedEmailInSession(t *testing.T) {
	const boss = "boss@example.com"
	for name, c := range map[string]struct {
		rule     string
		verified interface{}
		status   int
	}{
		"claims":             {"Equals(`email`, `boss@example.com`)", false, 403},
		"ID token":           {"Equals(`id_token.email`, `boss@example.com`)", false, 403},
		"access token":       {"Equals(`access_token.email`, `boss@example.com`)", false, 403},
		"claims, good":       {"Equals(`email`, `boss@example.com`)", true, 200},
		"ID token, good":     {"Equals(`id_token.email`, `boss@example.com`)", true, 200},
		"access token, good": {"Equals(`access_token.email`, `boss@example.com`)", true, 200},
	} {
		g := newRig(t, func(config *Config) { config.Authorize = c.rule })
		claims := map[string]interface{}{"email": boss, "email_verified": c.verified}
		g.provider.Set(func(b *oidctest.Behavior) { b.AccessTokenClaims = claims })
		g.login("/app", claims)
		g.expectStatus(name, g.do(fetch(t, "/app")), c.status)

		open := g.router(nil)
		g.expectStatus(name+", no rule", g.doAt(open, fetch(t, "/app")), http.StatusOK)
		if got := g.upstream.Header.Get("X-Auth-Request-Email"); (got == boss) != (c.verified == true) {
			t.Errorf("%s: the upstream got e-mail %q", name, got)
		}
	}
}

// What the ID token says is signed for this login; userinfo only adds to it.
func TestUserInfoOverridesNothing(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Provider.UserInfo = true })
	g.provider.Set(func(b *oidctest.Behavior) {
		b.UserInfo = map[string]interface{}{"email": "boss@example.com", "email_verified": true, "groups": []string{"ops"}}
	})
	g.login("/app", map[string]interface{}{"email": "alice@example.com", "email_verified": true})
	g.expectStatus("after login", g.do(fetch(t, "/app")), http.StatusOK)
	for name, want := range map[string]string{"X-Auth-Request-Email": "alice@example.com", "X-Auth-Request-Groups": "ops"} {
		if got := g.upstream.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// An ID token is for the app that the person logged in to, and must not be taken
// for an access token where that app's client is an audience.
func TestIDTokenIsNoAccessToken(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Bearer.Audiences = []string{oidctest.Audience, oidctest.ClientID} })
	sign := func(changes map[string]interface{}) string {
		return g.provider.Sign(map[string]interface{}{"typ": "JWT"}, g.provider.Claims(changes))
	}
	g.expectStatus("an ID token without marks", g.do(bearer(t, "/app", sign(nil))), http.StatusUnauthorized)
	g.expectStatus("an ID token", g.do(bearer(t, "/app", sign(map[string]interface{}{"nonce": "n"}))), http.StatusUnauthorized)
	g.expectStatus("an access token for the client", g.do(bearer(t, "/app", sign(map[string]interface{}{"scope": "read"}))), http.StatusOK)
}
