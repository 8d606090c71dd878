package latchkey

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// exchanger is the provider's part of RFC 8693.
type exchanger struct {
	mu      sync.Mutex
	forms   []url.Values
	refused string
	expires int64 // seconds; 0: not said
}

func (e *exchanger) exchange(form url.Values) (map[string]interface{}, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forms = append(e.forms, form)
	response := map[string]interface{}{
		"access_token": "exchanged " + strconv.Itoa(len(e.forms)), "token_type": "Bearer",
		"issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
	}
	if e.expires > 0 {
		response["expires_in"] = e.expires
	}
	return response, e.refused
}

func (e *exchanger) calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.forms)
}

func exchanging(t *testing.T, change func(*Config)) (*rig, *exchanger) {
	t.Helper()
	e := &exchanger{}
	g := tokenRig(t, func(c *Config) {
		c.Delegate.Kind, c.Delegate.Service, c.Delegate.Mode = "internal", "query", "exchange"
		c.Delegate.Scopes = []string{"email", "unheard-of"}
		c.Delegate.Resources = []string{"https://query.example.com"}
		if change != nil {
			change(c)
		}
	})
	g.provider.Set(func(b *oidctest.Behavior) {
		b.ExpiresIn = 7200
		b.Exchange = func(form url.Values) (map[string]interface{}, string) {
			response, refused := e.exchange(form)
			return response, refused
		}
	})
	return g, e
}

// The provider gives a token for the session's, with what the service is, and is
// asked again when half of its life is over.
func TestExchange(t *testing.T) {
	g, e := exchanging(t, nil)
	g.login("/app", nil)
	e.expires = 1800
	for i := 0; i < 3; i++ {
		g.expectStatus("a session", g.do(fetch(t, "/app")), http.StatusOK)
		if got := g.upstream.Header.Get(delegatedHeader); got != "exchanged 1" {
			t.Errorf("the upstream got %q", got)
		}
	}
	form := e.forms[0]
	for name, want := range map[string]string{"audience": "query", "resource": "https://query.example.com", "scope": "email"} {
		if got := strings.Join(form[name], " "); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if claims := claimsIn(t, form.Get("subject_token")); claims["sub"] != "alice" {
		t.Errorf("the subject token says %v", claims)
	}
	g.clock.advance(15*time.Minute - time.Second)
	g.expectStatus("before half", g.do(fetch(t, "/app")), http.StatusOK)
	if e.calls() != 1 {
		t.Errorf("%d calls before half of its life", e.calls())
	}
	g.clock.advance(time.Second)
	g.expectStatus("at half", g.do(fetch(t, "/app")), http.StatusOK)
	if got := g.upstream.Header.Get(delegatedHeader); got != "exchanged 2" {
		t.Errorf("the upstream got %q at half of its life", got)
	}
	access := g.accessToken(nil)
	g.expectStatus("an access token", g.do(bearer(t, "/app", access)), http.StatusOK)
	if got := e.forms[2].Get("subject_token"); got != access {
		t.Error("the access token was not exchanged as it came")
	}
}

func TestExchangeRefused(t *testing.T) {
	g, e := exchanging(t, nil)
	_, credential := g.give(nil)
	g.expectStatus("an API token, of which the provider knows nothing", g.do(bearer(t, "/app", credential)), http.StatusForbidden)
	g.login("/app", nil)
	for _, code := range []string{"invalid_target", "invalid_request", "invalid_scope", "unauthorized_client"} {
		e.refused = code
		for i := 0; i < 3; i++ {
			g.expectStatus(code, g.do(fetch(t, "/app")), http.StatusForbidden)
		}
		if e.calls() != 1 {
			t.Errorf("%s: %d calls, want 1 within the pause", code, e.calls())
		}
		e.forms = nil
		g.clock.advance(31 * time.Second)
	}
	e.refused = ""
	e.expires = 299
	g.expectStatus("less than the minimum", g.do(fetch(t, "/app")), http.StatusForbidden)
	g.clock.advance(31 * time.Second)
	g.provider.Set(func(b *oidctest.Behavior) { b.TokenResponse = map[string]interface{}{"token_type": "N_A"} })
	g.expectStatus("no answer that can be used", g.do(fetch(t, "/app")), http.StatusServiceUnavailable)
	g.provider.Set(func(b *oidctest.Behavior) { b.TokenResponse = nil })
	g.clock.advance(31 * time.Second)
	e.expires = 0 // not said
	g.expectStatus("back", g.do(fetch(t, "/app")), http.StatusOK)
	g.clock.advance(2 * time.Hour)
	g.expectStatus("a session whose access token has ended", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// A router that signs is not handed what another one had exchanged, nor the other
// way.
func TestExchangedAndSignedApart(t *testing.T) {
	g, e := exchanging(t, func(c *Config) { c.Delegate.Resources = nil })
	file := g.l.set.apiTokens.file
	signing := g.router(func(c *Config) {
		c.APITokens.File, c.APITokens.CheckEvery = file, "10s"
		c.Delegate.Kind, c.Delegate.Service, c.Delegate.Scopes = "internal", "query", []string{"email", "unheard-of"}
	})
	g.login("/app", nil)
	for i := 0; i < 2; i++ {
		g.expectStatus("exchanged", g.do(fetch(t, "/app")), http.StatusOK)
		if got := g.upstream.Header.Get(delegatedHeader); got != "exchanged 1" || e.calls() != 1 {
			t.Errorf("the upstream got %q after %d calls", got, e.calls())
		}
		g.expectStatus("signed", g.doAt(signing, fetch(t, "/app")), http.StatusOK)
		if claims := claimsIn(t, g.upstream.Header.Get(delegatedHeader)); claims["iss"] != "latchkey" {
			t.Errorf("what is signed says %v", claims)
		}
	}
}
