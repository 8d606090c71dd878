package latchkey

import (
	"net/http"
	"strconv"
	"testing"
)

// A host that ends like ours is another one.
func TestOriginOfAnotherHost(t *testing.T) {
	for origin, want := range map[string]int{
		"https://app.example.com": 200, "http://app.example.com": 200, "https://evil-app.example.com": 403, "https://x.app.example.com": 403,
		"https://app.example.com.evil.test": 403, "https://evil.test": 403, "null": 403, "app.example.com": 403,
	} {
		g := newRig(t, func(c *Config) { c.Provider.Issuer = "https://id.example.com" })
		r := request(t, "POST", "/oauth2/logout")
		r.Header.Set("Origin", origin)
		if got := g.do(r).StatusCode; got != want {
			t.Errorf("%s: got %d, want %d", origin, got, want)
		}
	}
}

// No answer of ours is kept, sniffed or told to the next site.
func TestAnswersAreShut(t *testing.T) {
	g := newRig(t, nil)
	toProvider := g.do(navigate(t, "/app"))
	callback := pathOf(t, g.provider.Authorize(t, location(t, toProvider), nil))
	back := g.do(navigate(t, callback))
	answers := map[string]*http.Response{
		"to the provider": toProvider, "back": back, "userinfo": g.do(fetch(t, "/oauth2/userinfo")), "status": g.do(fetch(t, "/oauth2/status")),
		"metrics": g.do(fetch(t, "/oauth2/metrics")), "logged out": g.do(navigate(t, "/oauth2/logout?state=x")),
		"refused": g.do(navigate(t, "/oauth2/callback")), "refused to a script": g.do(bearer(t, "/app", "garbage")),
	}
	for name, response := range answers {
		h := response.Header
		if h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be kept", name)
		}
		if response.StatusCode == http.StatusFound && h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: the next site is told the address", name)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: another site may read it", name)
		}
	}
	for _, name := range []string{"userinfo", "status", "logged out", "refused"} {
		if answers[name].Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: may be read as something else", name)
		}
	}
	for _, name := range []string{"logged out", "refused"} {
		if answers[name].Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: the next site is told the address", name)
		}
	}
}

// Every answer with a body, and every redirect, says how long it is.
func TestAnswersSayTheirLength(t *testing.T) {
	g := newRig(t, nil)
	for what, r := range map[string]*http.Request{
		"a redirect to the provider": navigate(t, "/app"),
		"a page":                     navigate(t, "/oauth2/callback"),
		"a problem document":         fetch(t, "/app"),
		"a logout":                   navigate(t, "/oauth2/logout?return_to=/bye"),
		"the status":                 fetch(t, "/oauth2/status"),
	} {
		if got := g.do(r); got.Header.Get("Content-Length") != strconv.Itoa(len(body(t, got))) {
			t.Errorf("%s: Content-Length %q", what, got.Header.Get("Content-Length"))
		}
	}
}
