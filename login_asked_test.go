package latchkey

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// What authParams ask of a login is held against the ID token: the request goes
// through the browser, where it can be left out.
func TestAskedOfTheLogin(t *testing.T) {
	for name, c := range map[string]struct {
		params map[string]string
		claims map[string]interface{} // auth_time counts from now
		ok     bool
	}{
		"nothing asked":          {nil, nil, true},
		"nothing asked, old":     {nil, map[string]interface{}{"auth_time": -90000, "acr": "0"}, true},
		"max_age, just now":      {map[string]string{"max_age": "0"}, map[string]interface{}{"auth_time": 0}, true},
		"max_age, not said":      {map[string]string{"max_age": "3600"}, nil, false},
		"max_age, within":        {map[string]string{"max_age": "3600"}, map[string]interface{}{"auth_time": -3600}, true},
		"max_age, the clocks":    {map[string]string{"max_age": "3600"}, map[string]interface{}{"auth_time": -3660}, true},
		"max_age, too old":       {map[string]string{"max_age": "3600"}, map[string]interface{}{"auth_time": -3661}, false},
		"max_age 0, too old":     {map[string]string{"max_age": "0"}, map[string]interface{}{"auth_time": -61}, false},
		"max_age, in the future": {map[string]string{"max_age": "3600"}, map[string]interface{}{"auth_time": 66}, false},
		"acr, as asked":          {map[string]string{"acr_values": "mfa gold"}, map[string]interface{}{"acr": "gold"}, true},
		"acr, another":           {map[string]string{"acr_values": "mfa gold"}, map[string]interface{}{"acr": "0"}, false},
		"acr, not said":          {map[string]string{"acr_values": "mfa"}, nil, false},
		"acr, both":              {map[string]string{"acr_values": "mfa gold"}, map[string]interface{}{"acr": "mfa gold"}, false},
		"an essential acr":       {map[string]string{"claims": `{"id_token":{"acr":{"essential":true,"values":["mfa"]}}}`}, map[string]interface{}{"acr": "mfa"}, true},
		"an essential acr, not":  {map[string]string{"claims": `{"id_token":{"acr":{"essential":true,"value":"mfa"}}}`}, map[string]interface{}{"acr": "0"}, false},
		"a voluntary acr":        {map[string]string{"claims": `{"id_token":{"acr":{"values":["mfa"]}}}`}, nil, true},
		"any acr":                {map[string]string{"claims": `{"id_token":{"acr":null,"email":null}}`}, nil, true},
		"an essential auth_time": {map[string]string{"claims": `{"id_token":{"auth_time":{"essential":true}}}`}, map[string]interface{}{"auth_time": -90000}, true},
		"no essential auth_time": {map[string]string{"claims": `{"id_token":{"auth_time":{"essential":true}}}`}, nil, false},
	} {
		g := newRig(t, func(config *Config) { config.Provider.AuthParams = c.params })
		claims := map[string]interface{}{}
		for claim, value := range c.claims {
			claims[claim] = value
		}
		if at, ok := claims["auth_time"].(int); ok {
			claims["auth_time"] = g.clock.now().Unix() + int64(at)
		}
		callback := g.begin("/app", claims)
		g.clock.advance(5 * time.Second) // the person takes their time
		g.provider.Set(func(b *oidctest.Behavior) { b.Now = g.clock.now })
		response := g.do(navigate(t, callback))
		if ok := response.StatusCode == http.StatusFound; ok != c.ok || (len(g.sessionCookies()) > 0) != c.ok {
			t.Errorf("%s: got %d and %d cookies, want a session: %v", name, response.StatusCode, len(g.sessionCookies()), c.ok)
			continue
		}
		if c.ok {
			g.expectStatus(name, g.do(fetch(t, "/app")), http.StatusOK)
		}
	}
}

// One session serves many routers, but not one that asks for more than the login
// was asked for.
func TestSessionOfALoginThatAskedForLess(t *testing.T) {
	strict := map[string]map[string]string{
		"acr":     {"acr_values": "mfa"},
		"max_age": {"max_age": "60"},
	}
	for name, params := range strict {
		for _, store := range []string{"cookie", "memory"} {
			g := inStore(t, store, nil)
			other := g.router(func(c *Config) {
				withAccessToken(c) // or their verdicts are apart for that
				c.Session.Store = store
				c.Provider.AuthParams = params
			})
			g.login("/app", map[string]interface{}{"acr": "0", "auth_time": g.clock.now().Unix() - 600})
			g.expectStatus(name+": where it is not asked for", g.do(fetch(t, "/app")), http.StatusOK)
			for i := 0; i < 2; i++ {
				g.expectStatus(name+": where it is", g.doAt(other, fetch(t, "/app")), http.StatusUnauthorized)
				g.expectStatus(name+": where it is not asked for", g.do(fetch(t, "/app")), http.StatusOK)
			}
			// A login there is good for both.
			to := location(t, g.doAt(other, navigate(t, "/app")))
			callback := pathOf(t, g.provider.Authorize(t, to, map[string]interface{}{"acr": "mfa", "auth_time": g.clock.now().Unix() - 5}))
			location(t, g.doAt(other, navigate(t, callback)))
			g.expectStatus(name+": where it is", g.doAt(other, fetch(t, "/app")), http.StatusOK)
			g.expectStatus(name+": where it is not asked for", g.do(fetch(t, "/app")), http.StatusOK)
		}
	}
}

// A refresh says nothing of how the person logged in: what the login said goes on.
func TestAskedAfterARefresh(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]interface{} // of the refreshed ID token
		mail   string
	}{
		"not said again": {map[string]interface{}{"auth_time": nil, "acr": nil}, "alice@new.example.com"},
		"another time":   {map[string]interface{}{"auth_time": 1}, "alice@example.com"},
	} {
		g := inStore(t, "cookie", func(c *Config) { c.Provider.AuthParams = map[string]string{"max_age": "60", "acr_values": "mfa"} })
		g.login("/app", map[string]interface{}{"acr": "mfa", "auth_time": g.clock.now().Unix()})
		claims := map[string]interface{}{"email": "alice@new.example.com"}
		for claim, value := range c.claims {
			claims[claim] = value
		}
		g.provider.Set(func(b *oidctest.Behavior) { b.RefreshClaims = claims })
		for i := 0; i < 3; i++ {
			g.clock.advance(240 * time.Second)
			g.expectStatus(name, g.do(fetch(t, "/app")), http.StatusOK)
			if got := g.upstream.Header.Get("X-Auth-Request-Email"); got != c.mail {
				t.Errorf("%s: the upstream got mail %q, want %q", name, got, c.mail)
			}
		}
	}
}

// A session from before these were kept is judged by its ID token.
func TestAskedOfAnOldRecord(t *testing.T) {
	for acr, want := range map[string]int{"mfa": http.StatusOK, "0": http.StatusUnauthorized} {
		g := inStore(t, "cookie", nil)
		g.login("/app", map[string]interface{}{"acr": acr, "auth_time": g.clock.now().Unix()})
		g.edit(func(s *session) {
			s.Asked = 0
			s.AuthTime = 0
			s.Context = ""
		})
		strict := g.router(func(c *Config) { c.Provider.AuthParams = map[string]string{"max_age": "60", "acr_values": "mfa"} })
		g.expectStatus("acr "+acr, g.doAt(strict, fetch(t, "/app")), want)
	}
}

func TestAskedMistakes(t *testing.T) {
	for want, params := range map[string]map[string]string{
		`provider.authParams: max_age: "1h" is not a number of seconds`:  {"max_age": "1h"},
		`provider.authParams: max_age: "-1" is not a number of seconds`:  {"max_age": "-1"},
		`provider.authParams: max_age: "" is not a number of seconds`:    {"max_age": ""},
		`provider.authParams: max_age: "1.5" is not a number of seconds`: {"max_age": "1.5"},
		`provider.authParams: claims: it is not the JSON`:                {"claims": `{"id_token":{"acr":{"essential":"yes"}}}`},
		`acr_values and an essential acr`:                                {"acr_values": "a", "claims": `{"id_token":{"acr":{"essential":true,"value":"b"}}}`},
	} {
		config := validConfig()
		config.Provider.AuthParams = params
		if _, err := New(testContext(t), nil, config, "test"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v does not say %q", params, err, want)
		}
	}
}
