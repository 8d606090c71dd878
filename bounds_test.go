package latchkey

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/headers"
)

// withNames makes the request one of n header names.
func withNames(r *http.Request, n int) *http.Request {
	for i := 0; len(r.Header) < n; i++ {
		r.Header[fmt.Sprintf("X-Name-%d", i)] = []string{"a"}
	}
	return r
}

// More names than anybody sends are refused, whatever the request is for.
func TestTooManyHeaders(t *testing.T) {
	g := warm(t, func(c *Config) { c.Public = []string{"/healthz"} })
	token := g.accessToken(nil)
	for what, send := range map[string]func() *http.Request{
		"a session":     func() *http.Request { return g.withJar(fetch(t, "/app")) },
		"a token":       func() *http.Request { return bearer(t, "/app", token) },
		"a public path": func() *http.Request { return fetch(t, "/healthz") },
		"an endpoint":   func() *http.Request { return g.withJar(fetch(t, "/oauth2/userinfo")) },
		"a login":       func() *http.Request { return navigate(t, "/oauth2/login") },
	} {
		jar := g.jar
		for _, extra := range []int{0, 1, 8000} {
			g.jar = map[string]string{}
			r := send()
			response := g.do(withNames(r, headers.MaxNames+extra))
			if refused := response.StatusCode == http.StatusRequestHeaderFieldsTooLarge; refused != (extra > 0) {
				t.Errorf("%s: %d names: got status %d", what, headers.MaxNames+extra, response.StatusCode)
			}
			g.jar = map[string]string{}
			r = send()
			r.Trailer = http.Header{}
			for i := len(r.Header); i < headers.MaxNames+extra; i++ {
				r.Trailer[fmt.Sprintf("X-Sum-%d", i)] = nil
			}
			response = g.do(r)
			if refused := response.StatusCode == http.StatusRequestHeaderFieldsTooLarge; refused != (extra > 0) {
				t.Errorf("%s: %d names with trailers: got status %d", what, headers.MaxNames+extra, response.StatusCode)
			}
		}
		g.jar = jar
	}
}

// Names are learnt from those who are known, and no flood of them makes an
// ordinary request a dear one.
func TestNamesAreLearntFromVerifiedRequests(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/healthz"} })
	known := func() int {
		names, _ := g.l.passes.guard.Harmless()
		return len(names)
	}
	before := known()
	g.do(withNames(fetch(t, "/healthz"), headers.MaxNames))
	g.do(withNames(fetch(t, "/app"), headers.MaxNames))
	g.do(withNames(bearer(t, "/app", "forged"), headers.MaxNames))
	if got := known(); got != before {
		t.Errorf("%d names were learnt from strangers", got-before)
	}
	g.login("/app", nil)
	g.do(withNames(fetch(t, "/app"), headers.MaxNames-1))
	if got := known(); got <= before || got > headers.MaxNames {
		t.Errorf("%d names are known, before there were %d", got, before)
	}
	// As many known names as there may be, and one more, are not a pass's.
	r := fetch(t, "/app")
	names, _ := g.l.passes.guard.Harmless()
	for name := range names {
		if name != "Authorization" && name != "X-Api-Key" && r.Header[name] == nil {
			r.Header[name] = []string{"a"}
		}
	}
	if response := g.do(withNames(r, headers.MaxNames+1)); response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got status %d", response.StatusCode)
	}
}

// What comes by the ten thousand is looked through by compiled code.
func TestLinesByTheThousand(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Public = []string{"/healthz"} })
	_, credential := g.give(nil)
	for _, path := range []string{"/app", "/healthz"} {
		for _, name := range []string{"Authorization", "X-Api-Key"} {
			r := fetch(t, path)
			r.Header[name] = append(strings.Split(strings.Repeat("x\n", 24000), "\n"), "Token\t"+credential)
			g.do(r)
			if g.upstream != nil && g.upstream.Header[name] != nil {
				t.Errorf("%s: the upstream got %d lines of %s", path, len(g.upstream.Header[name]), name)
			}
			if through := g.upstream != nil; through != (path == "/healthz") {
				t.Errorf("%s: %s: reached the upstream: %v", path, name, through)
			}
		}
	}
	r := fetch(t, "/healthz")
	r.Header["X-Api-Key"] = []string{"a", "lk", "xlk_", "b"}
	g.do(r)
	if got := len(g.upstream.Header["X-Api-Key"]); got != 4 {
		t.Errorf("what is no token is gone: %d lines are left", got)
	}
}

// Thousands of cookies are not read, and ours among a few are found.
func TestCookiesByTheThousand(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	mine := g.l.set.cookie.Name + "=" + g.jar[g.l.set.cookie.Name]
	g.jar = map[string]string{}
	for others, want := range map[int]int{maxCookieCount - 1: http.StatusOK, maxCookieCount: http.StatusUnauthorized, 2900: http.StatusUnauthorized} {
		r := fetch(t, "/app")
		r.Header.Set("Cookie", strings.Repeat("a=b; ", others)+mine)
		g.expectStatus(fmt.Sprint(others, " others"), g.do(r), want)
	}
	for others, want := range map[int]int{10: 2, maxMentions: 0} {
		r := navigate(t, "/app")
		r.Header.Set("Cookie", g.l.flowPrefix()+"a=1; x=2;"+g.l.flowPrefix()+"b =2"+strings.Repeat("; x="+g.l.set.cookie.Name, others-1))
		if got := len(g.l.flowStates(r)); got != want {
			t.Errorf("%d mentions: found %d flows, want %d", others, got, want)
		}
	}
}

// A cookie that is set with an answer of the upstream's is not for shared caches.
func TestAnswersWithCookiesArePrivate(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.IdleTimeout = "80m" })
	g.login("/app", nil)
	g.l.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Cache-Control", "public, max-age=600") // as Traefik's proxy adds
	})
	for _, after := range []int{0, 40} {
		g.clock.at.Add(int64(after) * 60)
		response := g.do(fetch(t, "/app"))
		set := len(response.Header["Set-Cookie"]) > 0
		if got := strings.Join(response.Header["Cache-Control"], "; "); strings.HasPrefix(got, "private; ") != set {
			t.Errorf("after %d minutes: cookies set: %v, Cache-Control: %q", after, set, got)
		}
		if set != (after > 0) {
			t.Errorf("after %d minutes: cookies set: %v", after, set)
		}
	}
}

// Requests of ever other Accept headers do not fill the memory.
func TestShapesAreBounded(t *testing.T) {
	table := newPassBudget(10, func() uint64 { return 1 }).open("", "")
	for i := 0; i < 3*maxShapes; i++ {
		table.learnShape(fmt.Sprint("GETtext/", i))
		if n := len(table.shapes); n > maxShapes || !table.shapes[fmt.Sprint("GETtext/", i)] {
			t.Fatalf("%d shapes after %d, or the last one is not known", n, i)
		}
	}
	before := len(table.shapes)
	table.learnShape("GET" + strings.Repeat("x", maxShape))
	if len(table.shapes) != before {
		t.Error("a long one is kept")
	}
}

// Whatever a client sends by the thousand takes no more than in proportion, on
// every way that a stranger's request can go.
func TestCostsGrowWithTheirInputAtMost(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Public = []string{"/healthz"} })
	name := g.l.set.cookie.Name
	lines := func(header, line string) func(h http.Header, n int) {
		return func(h http.Header, n int) { h[header] = strings.Split(strings.Repeat(line+"\n", n), "\n") }
	}
	cookies := func(each string) func(h http.Header, n int) {
		return func(h http.Header, n int) { h["Cookie"] = []string{strings.Repeat(each+"; ", n)} }
	}
	floods := map[string]func(h http.Header, n int){
		"names":         func(h http.Header, n int) { withNames(&http.Request{Header: h}, n) },
		"API keys":      lines("X-Api-Key", "x"),
		"credentials":   lines("Authorization", "Basic x"),
		"media types":   lines("Accept", "a/b"),
		"listed names":  lines("Connection", "x"),
		"offers":        lines("Upgrade", "h2c"),
		"cookie lines":  lines("Cookie", "a=b"),
		"cookies":       cookies("a=b"),
		"our cookies":   cookies(name + "=x"),
		"chunks":        cookies(name + "-1=x"),
		"login flows":   cookies(name + "-flow-x=y"),
		"none of ours":  cookies("x" + name + "=y"),
		"forwarded for": lines("X-Forwarded-Proto", "https"),
	}
	for what, flood := range floods {
		for _, target := range []string{"/app", "/healthz", "/oauth2/login", "/oauth2/userinfo"} {
			cost := func(n int) float64 {
				return testing.AllocsPerRun(2, func() {
					r := navigate(t, target)
					flood(r.Header, n)
					g.do(r)
					g.jar = map[string]string{}
				})
			}
			if few, many := cost(500), cost(4000); many > 10*few {
				t.Errorf("%s, %s: 500 take %.0f allocations, 4000 take %.0f", what, target, few, many)
			}
		}
	}
}
