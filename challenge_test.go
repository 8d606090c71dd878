package latchkey

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The table of what a request without a credential gets.
func TestChallenge(t *testing.T) {
	type headers map[string]string
	html := headers{"Accept": "text/html"}
	for name, c := range map[string]struct {
		method                         string
		headers                        headers
		auto, redirect, reject, passed int
	}{
		"a navigation":          {"GET", headers{"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}, 302, 302, 401, 200},
		"an old browser":        {"GET", html, 302, 302, 401, 200},
		"navigate alone":        {"GET", headers{"Sec-Fetch-Mode": "navigate"}, 302, 302, 401, 200},
		"curl":                  {"GET", headers{"Accept": "*/*"}, 401, 302, 401, 200},
		"a script":              {"GET", headers{"Accept": "text/html", "Sec-Fetch-Mode": "cors"}, 401, 401, 401, 200},
		"a script, same origin": {"GET", headers{"Accept": "text/html", "Sec-Fetch-Mode": "same-origin"}, 401, 401, 401, 200},
		"an image":              {"GET", headers{"Sec-Fetch-Mode": "no-cors"}, 401, 401, 401, 200},
		"jQuery":                {"GET", headers{"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, 401, 401, 401, 200},
		"an event stream":       {"GET", headers{"Accept": "text/event-stream"}, 401, 401, 401, 200},
		"both":                  {"GET", headers{"Accept": "text/html, text/event-stream"}, 401, 401, 401, 200},
		"a WebSocket":           {"GET", headers{"Accept": "text/html", "Upgrade": "websocket", "Connection": "Upgrade"}, 401, 401, 401, 200},
		"a prefetch":            {"GET", headers{"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Purpose": "prefetch;prerender"}, 401, 401, 401, 200},
		"a form":                {"POST", headers{"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}, 401, 401, 401, 200},
		"HEAD":                  {"HEAD", html, 401, 401, 401, 200},
		"a preflight":           {"OPTIONS", html, 401, 401, 401, 200},
	} {
		for mode, want := range map[string]int{"auto": c.auto, "redirect": c.redirect, "reject": c.reject, "pass": c.passed} {
			g := newRig(t, func(c *Config) { c.Unauthenticated = mode })
			r := request(t, c.method, "/app")
			for header, value := range c.headers {
				r.Header.Set(header, value)
			}
			response := g.do(r)
			g.expectStatus(name+", "+mode, response, want)
			if want == 401 && !strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s, %s: 401 without WWW-Authenticate: Bearer", name, mode)
			}
			if want != 200 && response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: the answer may be stored", name, mode)
			}
		}
	}
}

func TestPassIsAnonymous(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Unauthenticated = "pass" })
	r := navigate(t, "/app")
	r.Header.Set("X-Auth-Request-User", "mallory")
	g.expectStatus("nobody", g.do(r), http.StatusOK)
	if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "" {
		t.Errorf("the upstream got user %q", got)
	}
	g.expectStatus("a bad token", g.do(bearer(t, "/app", "garbage")), http.StatusUnauthorized)
	response := g.do(navigate(t, "/oauth2/login?return_to=/app"))
	callback := pathOf(t, g.provider.Authorize(t, location(t, response), nil))
	location(t, g.do(navigate(t, callback)))
	g.expectStatus("somebody", g.do(navigate(t, "/app")), http.StatusOK)
	if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "alice" {
		t.Errorf("the upstream got user %q", got)
	}
}

func TestForbidden(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Authorize = "OneOf(`groups`, `ops`)" })
	g.login("/app", nil)
	page := g.do(navigate(t, "/app"))
	g.expectStatus("a navigation", page, http.StatusForbidden)
	if text := body(t, page); !strings.Contains(text, "rule_denied") || !strings.Contains(text, `<a href="/oauth2/logout">`) || !strings.Contains(page.Header.Get("Content-Type"), "text/html") {
		t.Errorf("no page with the reason: %s", text)
	}
	response := g.do(fetch(t, "/app"))
	g.expectStatus("a script", response, http.StatusForbidden)
	var p problem
	if err := json.Unmarshal([]byte(body(t, response)), &p); err != nil {
		t.Fatal(err)
	}
	if p.Reason != "rule_denied" || p.Status != 403 || p.Request == "" || response.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %+v", p)
	}
}

// What no step foresaw is answered without a word of it.
func TestUnforeseenReason(t *testing.T) {
	g := newRig(t, nil)
	recorder := httptest.NewRecorder()
	g.l.refuse(recorder, fetch(t, "/app"), errors.New("disk /dev/secret is full"), "")
	response := recorder.Result()
	if text := body(t, response); response.StatusCode != 503 || strings.Contains(text, "disk") || !strings.Contains(text, "internal_error") {
		t.Errorf("got %d %s", response.StatusCode, text)
	}
}

func TestPagesAreShutIn(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Authorize = "OneOf(`groups`, `ops`)" })
	g.login("/app", nil)
	h := g.do(navigate(t, "/app")).Header
	policy := h.Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, directive) {
			t.Errorf("Content-Security-Policy lacks %s: %s", directive, policy)
		}
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", h)
	}
}

func TestRequestID(t *testing.T) {
	r := request(t, "GET", "/")
	r.Header.Set("X-Request-Id", "abc-123.4_5")
	if got := requestID(r); got != "abc-123.4_5" {
		t.Errorf("got %q", got)
	}
	for _, bad := range []string{"a b", "<b>", "a\nb", strings.Repeat("a", 65)} {
		r.Header.Set("X-Request-Id", bad)
		if got := requestID(r); len(got) != 16 {
			t.Errorf("%q was taken for an id: %q", bad, got)
		}
	}
}

// What anybody can cause by the million is not in the log, unless one asks for all
// of it; what somebody has to be known for is.
func TestRefusalsInTheLog(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Authorize = "Equals(`sub`, `bob`)" })
	said := g.saying()
	g.do(fetch(t, "/app"))
	g.do(bearer(t, "/app", "a.b.c"))
	g.clock.advance(time.Hour)
	g.do(bearer(t, "/app", g.provider.AccessToken(map[string]interface{}{"exp": 1})))
	if text := said.String(); text != "" {
		t.Errorf("strangers are logged: %s", text)
	}
	g.do(bearer(t, "/app", g.provider.AccessToken(nil)))
	if text := said.String(); !strings.Contains(text, "level=INFO msg=refused reason=rule_denied status=403") {
		t.Errorf("somebody who may not enter is logged as %q", text)
	}
}
