package latchkey

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStatus(t *testing.T) {
	g := newRig(t, nil)
	read := func() health {
		t.Helper()
		var h health
		response := g.do(request(t, "GET", "/oauth2/status"))
		if err := json.Unmarshal([]byte(body(t, response)), &h); err != nil || response.StatusCode != 200 {
			t.Fatalf("%d, %v", response.StatusCode, err)
		}
		return h
	}
	if h := read(); h.Status != "ok" || h.Provider.Discovered {
		t.Errorf("before anything was asked: %+v", h)
	}
	g.login("/app", nil)
	g.do(navigate(t, "/app"))
	if h := read(); h.Status != "ok" || !h.Provider.Discovered || h.Provider.Keys == 0 || h.Tokens != 1 {
		t.Errorf("after a login: %+v", h)
	}
	g.provider.Down(true)
	g.clock.advance(25 * time.Hour)
	g.do(navigate(t, "/app"))
	if h := read(); h.Status != "degraded" {
		t.Errorf("with the provider down: %+v", h)
	}
}

// What other replicas cannot know yet, or this one cannot hear, is no good health.
func TestStatusOfRevocations(t *testing.T) {
	p := newPair(t, nil)
	read := func() health {
		t.Helper()
		var h health
		if err := json.Unmarshal([]byte(body(t, p.do(request(t, "GET", "/oauth2/status")))), &h); err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h := read(); h.Status != "ok" || h.Revoked != "ok" {
		t.Errorf("at the beginning: %+v", h)
	}
	p.server.Command("CONFIG", "SET", "maxmemory", "1")
	if p.l.revokeSessions(context.Background(), "a") == nil {
		t.Fatal("a full Redis took a revocation")
	}
	if h := read(); h.Status != "degraded" || h.Revoked != "pending" {
		t.Errorf("with one that cannot be written: %+v", h)
	}
	p.server.Command("CONFIG", "SET", "maxmemory", "0")
	eventually(t, "good health", func() bool { h := read(); return h.Status == "ok" && h.Revoked == "ok" })
}

func TestMetrics(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Authorize = "OneOf(`groups`, `ops`)" })
	g.login("/app", nil)
	g.do(fetch(t, "/app"))
	location(t, g.do(navigate(t, "/oauth2/login")))
	g.do(navigate(t, "/oauth2/callback?code=x&state=unknown"))
	text := body(t, g.do(request(t, "GET", "/oauth2/metrics")))
	for _, line := range []string{
		"latchkey_logins_started_total 2", "latchkey_logins_finished_total 1", "latchkey_logins_failed_total 1",
		"latchkey_refusals_total{reason=\"rule_denied\"} 1", "latchkey_refusals_total{reason=\"callback_refused\"} 1",
		"latchkey_token_cache_entries 1", "latchkey_verifications_total 1", "latchkey_discovery_fetches_total 1", "latchkey_key_fetches_total 1",
		"# TYPE latchkey_logouts_total counter",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	if strings.Contains(text, "alice") {
		t.Error("the metrics tell who")
	}
}

func TestUserInfoEndpoint(t *testing.T) {
	g := newRig(t, nil)
	response := g.do(fetch(t, "/oauth2/userinfo"))
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: got %d", response.StatusCode)
	}
	g.login("/app", map[string]interface{}{"email": "a@example.com"})
	response = g.do(fetch(t, "/oauth2/userinfo"))
	var claims map[string]interface{}
	if err := json.Unmarshal([]byte(body(t, response)), &claims); err != nil {
		t.Fatal(err)
	}
	if claims["sub"] != "alice" || claims["email"] != "a@example.com" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", claims)
	}
}

func TestEndpointsMatchExactly(t *testing.T) {
	g := newRig(t, nil)
	for target, want := range map[string]int{
		"/oauth2": 404, "/oauth2/": 404, "/oauth2/Login": 404, "/oauth2/login/": 404, "/oauth2/status/x": 404, "/oauth2/status": 200,
	} {
		if got := g.do(request(t, "GET", target)).StatusCode; got != want {
			t.Errorf("%s: got %d, want %d", target, got, want)
		}
	}
	response := g.do(request(t, "POST", "/oauth2/callback"))
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET" {
		t.Errorf("POST callback: got %d, Allow %q", response.StatusCode, response.Header.Get("Allow"))
	}
	if g.upstream != nil {
		t.Error("an endpoint's request reached the upstream")
	}
}
