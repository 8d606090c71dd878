package latchkey

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// Whatever the provider answers while somebody logs in: they are told whether it is
// worth trying again, the log says what the provider said, there is no session, and
// the next login works.
func TestProviderErrorsAtLogin(t *testing.T) {
	answers := func(status int, text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			w.Write([]byte(text))
		}
	}
	for name, c := range map[string]struct {
		path   string
		answer func(http.ResponseWriter, *http.Request)
		status int
		reason string
		cause  string // of the log
	}{
		"token endpoint in trouble":   {oidctest.Token, answers(502, "no"), 503, "provider_unavailable", "502"},
		"token endpoint too busy":     {oidctest.Token, answers(429, "{}"), 503, "provider_unavailable", "429"},
		"code refused":                {oidctest.Token, answers(400, `{"error":"invalid_grant"}`), 400, "callback_refused", "invalid_grant"},
		"client refused":              {oidctest.Token, answers(401, `{"error":"invalid_client"}`), 400, "callback_refused", "invalid_client"},
		"no tokens":                   {oidctest.Token, answers(200, `{}`), 503, "provider_unavailable", "access_token"},
		"no JSON":                     {oidctest.Token, answers(200, `<html>`), 503, "provider_unavailable", ""},
		"no ID token":                 {oidctest.Token, answers(200, `{"access_token":"a","token_type":"Bearer"}`), 400, "callback_refused", ""},
		"garbage for an ID token":     {oidctest.Token, answers(200, `{"access_token":"a","token_type":"Bearer","id_token":"x"}`), 400, "callback_refused", ""},
		"no keys":                     {oidctest.JWKS, answers(500, "no"), 503, "provider_unavailable", "500"},
		"a key set without a key":     {oidctest.JWKS, answers(200, `{"keys":[]}`), 503, "provider_unavailable", "key"},
		"userinfo in trouble":         {oidctest.UserInfo, answers(500, "no"), 503, "provider_unavailable", "500"},
		"userinfo refuses":            {oidctest.UserInfo, answers(403, "no"), 503, "provider_unavailable", "403"},
		"userinfo of somebody else":   {oidctest.UserInfo, answers(200, `{"sub":"mallory"}`), 400, "callback_refused", "another sub"},
		"userinfo of nobody":          {oidctest.UserInfo, answers(200, `{}`), 400, "callback_refused", "another sub"},
		"userinfo that is no object":  {oidctest.UserInfo, answers(200, `[]`), 503, "provider_unavailable", ""},
		"userinfo that is not a JSON": {oidctest.UserInfo, answers(200, `no`), 503, "provider_unavailable", ""},
	} {
		g := newRig(t, func(c *Config) { c.Provider.UserInfo = true })
		g.provider.Set(func(b *oidctest.Behavior) { b.UserInfo = map[string]interface{}{"locale": "de"} })
		said := g.saying()
		callback := g.begin("/app", nil)
		g.provider.Handle(c.path, c.answer)
		response := g.do(navigate(t, callback))
		page := body(t, response)
		if response.StatusCode != c.status || !strings.Contains(page, c.reason) {
			t.Errorf("%s: status %d, want %d and %s\n%s", name, response.StatusCode, c.status, c.reason, page)
		}
		if again := response.Header.Get("Retry-After") != ""; again != (c.status == http.StatusServiceUnavailable) {
			t.Errorf("%s: Retry-After is %q", name, response.Header.Get("Retry-After"))
		}
		if text := said.String(); !strings.Contains(text, "reason="+c.reason) || !strings.Contains(text, c.cause) {
			t.Errorf("%s: the log says %q", name, text)
		}
		if len(g.sessionCookies()) != 0 {
			t.Errorf("%s: a session was made", name)
		}
		if n := g.l.counters.loginsFailed.Load(); n != 1 {
			t.Errorf("%s: %d failed logins are counted", name, n)
		}
		g.provider.Handle(c.path, nil)
		g.clock.advance(3 * time.Second)
		if got := g.login("/app", nil); got != "/app" {
			t.Errorf("%s: the next login ends at %q", name, got)
		}
	}
}
