package latchkey

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/headers"
)

// forget empties the caches behind the passes, so that only a pass can let a
// request by without a verification.
func (g *rig) forget() { g.l.tokens.current = map[cacheKey]*verified{} }

func (g *rig) verifications() int64 { return g.l.counters.verifications.Load() }

func TestPassServesTheSecondRequest(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	token := g.accessToken(nil)
	for what, send := range map[string]func() *http.Response{
		"a session": func() *http.Response { return g.do(fetch(t, "/app")) },
		"a bearer token": func() *http.Response {
			jar := g.jar
			g.jar = map[string]string{}
			response := g.do(bearer(t, "/app", token))
			g.jar = jar
			return response
		},
	} {
		g.expectStatus(what, send(), http.StatusOK)
		g.forget()
		before := g.verifications()
		g.expectStatus(what+" again", send(), http.StatusOK)
		if g.verifications() != before {
			t.Errorf("%s was verified again", what)
		}
		if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "alice" {
			t.Errorf("%s: the upstream got user %q", what, got)
		}
		if got := g.upstream.Header["Cookie"]; got != nil {
			t.Errorf("%s: the upstream got cookies %q", what, got)
		}
	}
}

func TestPassKeepsOtherCookies(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.jar["theme"] = "dark"
	for i := 0; i < 2; i++ {
		r := fetch(t, "/app")
		r.Header.Set("Cookie", "theme=dark; "+g.l.set.cookie.Name+"="+g.jar[g.l.set.cookie.Name])
		jar := g.jar
		g.jar = map[string]string{}
		g.expectStatus("a session beside a cookie", g.do(r), http.StatusOK)
		g.jar = jar
		if got := g.upstream.Header.Get("Cookie"); got != "theme=dark" {
			t.Errorf("request %d: the upstream got cookies %q", i, got)
		}
	}
}

// warm logs in and warms the pass of fetch's headers.
func warm(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	g := newRig(t, change)
	g.login("/app", map[string]interface{}{"groups": []string{"ops"}})
	g.expectStatus("warming", g.do(fetch(t, "/app")), http.StatusOK)
	if len(g.l.byCookie.passes) != 1 {
		t.Fatalf("%d passes", len(g.l.byCookie.passes))
	}
	return g
}

// A pass lets nothing by that the steps would not.
func TestPassIsNoWayRound(t *testing.T) {
	g := warm(t, func(c *Config) { c.Public = []string{"/healthz"} })
	g.do(withLookAlikes(fetch(t, "/app")))
	g.expectClean("look-alikes on a warm session")

	r := fetch(t, "/app")
	r.Trailer = http.Header{"X-Auth-Request-User": {"mallory"}, "X-Sum": {"1"}}
	g.expectStatus("a trailer", g.do(r), http.StatusOK)
	if len(g.upstream.Trailer) != 1 {
		t.Errorf("the upstream got trailers %v", g.upstream.Trailer)
	}
	g.expectStatus("a public path", g.do(fetch(t, "/healthz")), http.StatusOK)
	if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "" {
		t.Errorf("a public path got user %q", got)
	}
	if response := g.do(fetch(t, "/oauth2/userinfo")); response.StatusCode != 200 || g.upstream != nil {
		t.Errorf("an endpoint: got %d, reached the upstream: %v", response.StatusCode, g.upstream != nil)
	}
	g.expectStatus("a bad token beside it", g.do(bearer(t, "/app", "garbage")), http.StatusUnauthorized)

	twice := g.withJar(fetch(t, "/app"))
	twice.Header["Cookie"] = append(twice.Header["Cookie"], twice.Header["Cookie"][0])
	jar := g.jar
	g.jar = map[string]string{}
	g.expectStatus("the cookie in two lines", g.do(twice), http.StatusUnauthorized)
	g.jar = jar
	other := g.router(func(c *Config) { c.Authorize = "OneOf(`groups`, `hr`)" })
	g.expectStatus("another router's rule", g.doAt(other, fetch(t, "/app")), http.StatusForbidden)
	g.clock.advance(24 * time.Hour)
	g.expectStatus("after the session's end", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// A cookie is no Authorization header, though it reads like one: another host of
// the domain can set it.
func TestPassKeepsHeadersApart(t *testing.T) {
	g := newRig(t, nil)
	token := g.accessToken(nil)
	g.expectStatus("warming", g.do(bearer(t, "/app", token)), http.StatusOK)
	r := request(t, "GET", "/app")
	r.Header.Set("Cookie", "Bearer "+token)
	g.expectStatus("the token as a cookie", g.do(r), http.StatusUnauthorized)

	g.login("/app", nil)
	g.do(fetch(t, "/app"))
	r = request(t, "GET", "/app")
	r.Header.Set("Authorization", g.withJar(request(t, "GET", "/")).Header.Get("Cookie"))
	g.jar = map[string]string{}
	g.expectStatus("the cookie as Authorization", g.do(r), http.StatusUnauthorized)
}

// A pass stands for no longer than recheck: then the secret is asked again.
func TestPassIsRechecked(t *testing.T) {
	g := warm(t, nil)
	before := g.verifications()
	g.clock.advance((recheck - 1) * time.Second)
	g.do(fetch(t, "/app"))
	if g.verifications() != before {
		t.Error("verified again before its time")
	}
	g.clock.advance(time.Second)
	g.do(fetch(t, "/app"))
	if g.verifications() != before+1 {
		t.Errorf("verified %d times more, want once", g.verifications()-before)
	}
}

func TestPassesAreBoundedTogether(t *testing.T) {
	b := newPassBudget(100, func() uint64 { return 1 })
	guard := headers.NewGuard(headers.NewNames(), nil, func() {})
	views := []*passTables{}
	for i := 0; i < 7; i++ {
		views = append(views, &passTables{byCookie: b.open("", ""), byCredential: b.open("", ""), budget: b})
	}
	held := func() int {
		n := 0
		for table := range b.tables {
			n += len(table.passes)
		}
		return n
	}
	for i := 0; i < 2000; i++ {
		v := views[i%len(views)]
		b.put(v.byCookie, strconv.Itoa(i), &view{}, guard, 1)
		b.put(v.byCookie, strconv.Itoa(i), &view{}, guard, 1) // in place of the first
		if b.held != held() || b.held > 100 {
			t.Fatalf("counts %d passes and holds %d, want at most 100", b.held, held())
		}
	}
	for _, v := range views {
		b.close(v)
	}
	if b.held != 0 || len(b.tables) != 0 {
		t.Errorf("%d passes in %d tables after all are closed", b.held, len(b.tables))
	}
	b.put(views[0].byCookie, "late", &view{}, guard, 1)
	if b.held != 0 {
		t.Error("a closed table took a pass")
	}
	off := newPassBudget(0, func() uint64 { return 1 })
	table := off.open("", "")
	off.put(table, "a", &view{}, guard, 1)
	if len(table.passes) != 0 {
		t.Error("a cache that is off kept a pass")
	}
}

func TestLongHeadersArePassedBy(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.jar["long"] = strings.Repeat("x", maxPassHeader)
	g.expectStatus("a long header", g.do(fetch(t, "/app")), http.StatusOK)
	if len(g.l.byCookie.passes) != 0 {
		t.Error("a header over the bound was kept")
	}
}

// One session with cookies of ever other values beside it gets its share alone.
func TestPassesOfOneCredential(t *testing.T) {
	g := warm(t, nil)
	for i := 0; i < 3*maxPasses; i++ {
		g.jar["counter"] = strconv.Itoa(i)
		g.expectStatus("a varied cookie", g.do(fetch(t, "/app")), http.StatusOK)
	}
	if n := len(g.l.byCookie.passes); n != maxPasses {
		t.Errorf("%d passes for one session, want %d", n, maxPasses)
	}
	g.clock.advance(recheck * time.Second)
	g.do(fetch(t, "/app"))
	if n := len(g.l.byCookie.passes); n != maxPasses+1 {
		t.Errorf("%d passes after the next verification, want one more", n)
	}
}

// Routers with the same settings share their passes, and the last one takes
// them along.
func TestPassesAreSharedAndReleased(t *testing.T) {
	g := warm(t, nil)
	same := g.router(nil)
	if same.passes != g.l.passes {
		t.Error("two routers with the same settings have passes of their own")
	}
	ctx, end := context.WithCancel(context.Background())
	released := make(chan struct{}, 100)
	resources.after = func(_ time.Duration, f func()) { f(); released <- struct{}{} }
	c := validConfig()
	c.Authorize = "Equals(`a`, `b`)"
	l, err := newLatchkey(ctx, http.NotFoundHandler(), c, "test", g.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	tables := len(l.passes.budget.tables)
	end()
	for deadline := time.After(10 * time.Second); ; {
		select {
		case <-released:
		case <-deadline:
			t.Fatal("the tables of a router that is gone stay")
		}
		l.passes.budget.mu.Lock()
		left := len(l.passes.budget.tables)
		l.passes.budget.mu.Unlock()
		if left == tables-2 {
			return
		}
	}
}
