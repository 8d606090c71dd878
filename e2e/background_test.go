package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// What is no navigation cannot show a login form: it gets 401, never a redirect, and begins no login.
func TestBackgroundRequests(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	client := harness.Client()
	for _, test := range []struct {
		name, method string
		headers      []string
	}{
		{"fetch", http.MethodGet, []string{"Sec-Fetch-Mode", "cors", "Accept", "*/*"}},
		{"fetch that accepts pages", http.MethodGet, []string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}},
		{"image", http.MethodGet, []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}},
		{"XMLHttpRequest", http.MethodGet, []string{"X-Requested-With", "XMLHttpRequest", "Accept", "text/html"}},
		{"event stream", http.MethodGet, []string{"Accept", "text/event-stream"}},
		{"event stream in a navigation's clothes", http.MethodGet, []string{"Accept", "text/event-stream, text/html"}},
		{"WebSocket", http.MethodGet, []string{"Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}},
		{"WebSocket that accepts pages", http.MethodGet, []string{"Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Accept", "text/html"}},
		{"curl", http.MethodGet, []string{"Accept", "*/*"}},
		{"HEAD", http.MethodHead, []string{"Accept", "text/html"}},
		{"form", http.MethodPost, []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bench{b.Site, t}
			a := b.do(client, test.method, b.Traefik.URL+"/background", test.headers...)
			if a.status != http.StatusUnauthorized {
				t.Errorf("status %d, want 401", a.status)
			}
			if challenge := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer") {
				t.Errorf("WWW-Authenticate %q, want Bearer", challenge)
			}
			for _, name := range []string{"Location", "Set-Cookie"} {
				if got := a.header.Values(name); got != nil {
					t.Errorf("%s: %q, want none", name, got)
				}
			}
			b.untouched("/background")
		})
	}
	if n := b.Provider.Count(harness.DiscoveryPath); n != 0 {
		t.Errorf("the provider was asked %d times on behalf of requests without credentials", n)
	}
}

// The same from within a page, where the browser sets the headers.
func TestBackgroundRequestsOfAPage(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	tab := b.tab()
	if _, err := tab.Open(b.Traefik.URL + "/public/"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, script string }{
		{"fetch", `fetch("/api").then(r => r.redirected + " " + r.status)`},
		{"fetch with post", `fetch("/api", {method: "POST", body: "x"}).then(r => r.redirected + " " + r.status)`},
		{"XMLHttpRequest", `new Promise(done => {
			const x = new XMLHttpRequest()
			x.onload = () => done((x.responseURL != location.origin + "/api") + " " + x.status)
			x.open("GET", "/api")
			x.send()
		})`},
	} {
		var got string
		if err := tab.Evaluate(test.script, &got); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got != "false 401" {
			t.Errorf("%s: redirected and status are %q, want \"false 401\"", test.name, got)
		}
	}
	// These tell a page that they failed, and not why: what they got is what Latchkey counts.
	for _, test := range []struct{ name, script string }{
		{"EventSource", `new Promise(done => {
			const s = new EventSource("/live/events")
			s.onerror = () => { done(s.readyState == EventSource.CLOSED ? "closed" : "trying again"); s.close() }
		})`},
		{"WebSocket", `new Promise(done => { new WebSocket("ws://" + location.host + "/live/ws").onerror = () => done("closed") })`},
	} {
		before := b.refusals("no_credential")
		var got string
		if err := tab.Evaluate(test.script, &got); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got != "closed" {
			t.Errorf("%s: it is %s, want closed", test.name, got)
		}
		if n := b.refusals("no_credential") - before; n != 1 {
			t.Errorf("%s: %d requests were refused for want of a credential, want one", test.name, n)
		}
	}
	if n := b.Provider.Count(harness.DiscoveryPath); n != 0 {
		t.Errorf("the provider was asked %d times on behalf of requests without credentials", n)
	}
	for _, path := range []string{"/api", "/live/events", "/live/ws"} {
		b.untouched(path)
	}
}

// refusals is how many requests were refused for that reason.
func (b *bench) refusals(reason string) int {
	b.t.Helper()
	a := b.get(harness.Client(), b.Traefik.URL+"/oauth2/metrics")
	name := `latchkey_refusals_total{reason="` + reason + `"} `
	for line := range strings.Lines(a.body) {
		if value, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				b.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}
