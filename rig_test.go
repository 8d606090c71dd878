package latchkey

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// clock is moved by hand.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Now().Unix())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.at.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d / time.Second)) }

// rig is a middleware between a provider and an upstream that remembers what it
// got, with a browser's cookies in front.
type rig struct {
	t        *testing.T
	clock    *clock
	provider *oidctest.Provider
	l        *Latchkey
	jar      map[string]string
	upstream *http.Request // the last request that got through; nil: none
}

// newRig makes one with the smallest settings, changed.
func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	own := resources
	resources = &registry{after: func(_ time.Duration, f func()) { f() }}
	t.Cleanup(func() { resources = own })
	g := &rig{t: t, clock: newClock(), provider: oidctest.New(t), jar: map[string]string{}}
	g.provider.Set(func(b *oidctest.Behavior) { b.Now = g.clock.now })
	g.l = g.router(change)
	return g
}

// router makes another middleware of the same process.
func (g *rig) router(change func(*Config)) *Latchkey {
	g.t.Helper()
	return g.routerUntil(testContext(g.t), change)
}

// routerUntil makes one that is replaced when ctx ends.
func (g *rig) routerUntil(ctx context.Context, change func(*Config)) *Latchkey {
	g.t.Helper()
	c := validConfig()
	c.Provider.Issuer = g.provider.Issuer()
	c.Provider.ClientID = oidctest.ClientID
	c.Provider.ClientSecret = oidctest.ClientSecret
	c.Bearer.Audiences = []string{oidctest.Audience}
	c.Log.Level = "error"
	if change != nil {
		change(c)
	}
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.upstream = r
		w.Write([]byte("app"))
	})
	l, err := newLatchkey(ctx, next, c, "test", g.clock.now)
	if err != nil {
		g.t.Fatal(err)
	}
	l.left = func(t time.Time) time.Duration { return t.Sub(g.clock.now()) }
	return l
}

// navigate is a browser opening a page.
func navigate(t *testing.T, target string) *http.Request {
	t.Helper()
	r := request(t, http.MethodGet, target)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "none")
	r.Header.Set("X-Forwarded-Proto", "https")
	return r
}

// fetch is a script's request.
func fetch(t *testing.T, target string) *http.Request {
	t.Helper()
	r := request(t, http.MethodGet, target)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("X-Forwarded-Proto", "https")
	return r
}

// do sends the request with the jar's cookies and keeps those of the answer.
func (g *rig) do(r *http.Request) *http.Response {
	g.t.Helper()
	return g.doAt(g.l, r)
}

func (g *rig) doAt(l *Latchkey, r *http.Request) *http.Response {
	g.t.Helper()
	g.upstream = nil
	recorder := httptest.NewRecorder()
	l.ServeHTTP(recorder, g.withJar(r))
	response := recorder.Result()
	for _, c := range response.Cookies() {
		if c.MaxAge < 0 {
			delete(g.jar, c.Name)
		} else {
			g.jar[c.Name] = c.Value
		}
	}
	return response
}

// location is where the answer redirects to.
func location(t *testing.T, response *http.Response) string {
	t.Helper()
	if response.StatusCode != http.StatusFound {
		t.Fatalf("got status %d, want 302", response.StatusCode)
	}
	return response.Header.Get("Location")
}

// begin opens a path without a session and returns the callback's path and
// query that the provider sends the browser to.
func (g *rig) begin(path string, claims map[string]interface{}) string {
	g.t.Helper()
	authorization := location(g.t, g.do(navigate(g.t, path)))
	return pathOf(g.t, g.provider.Authorize(g.t, authorization, claims))
}

// login logs the person in and returns where the browser ends.
func (g *rig) login(path string, claims map[string]interface{}) string {
	g.t.Helper()
	return location(g.t, g.do(navigate(g.t, g.begin(path, claims))))
}

func pathOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// sessionCookies are the names in the jar that belong to the session.
func (g *rig) sessionCookies() []string {
	var names []string
	for name := range g.jar {
		if strings.HasPrefix(name, g.l.set.cookie.Name) && !strings.Contains(name, "-flow-") {
			names = append(names, name)
		}
	}
	return names
}

// expectStatus checks the answer and whether the upstream saw the request.
func (g *rig) expectStatus(what string, response *http.Response, status int) {
	g.t.Helper()
	if response.StatusCode != status {
		g.t.Errorf("%s: got status %d, want %d", what, response.StatusCode, status)
	}
	if through := g.upstream != nil; through != (status == http.StatusOK) {
		g.t.Errorf("%s: reached the upstream: %v", what, through)
	}
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// withJar adds the jar's cookies to a request that is not sent through do.
func (g *rig) withJar(r *http.Request) *http.Request {
	for name, value := range g.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// noise is a text of n bytes that cannot be compressed by much.
func noise(n int) string {
	random := make([]byte, n)
	if _, err := rand.Read(random); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(random)[:n]
}
