// Package e2e tries Latchkey on the bench of package harness: through a real Traefik, against a real OpenID provider,
// with a real browser. Each test has a site of its own, so they can be read, and run, one at a time.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// plan says in what the site of a test differs from the standard one.
type plan struct {
	provider harness.ProviderOptions
	traefik  harness.TraefikOptions
	// settings changes those of the middleware.
	settings func(*harness.Site, harness.Settings) harness.Settings
	// dynamic changes Traefik's configuration.
	dynamic func(*harness.Site, harness.Dynamic) harness.Dynamic
}

// bench is a running site and the test that uses it.
type bench struct {
	*harness.Site
	t *testing.T
}

// start starts a site for the test. When the test fails, Traefik's log is shown.
func start(t *testing.T, p plan) *bench {
	t.Helper()
	site, err := harness.StartSite(t.Context(), p.provider, p.traefik, p.configure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Traefik's log:\n%s", tail(site.Traefik.Log(), 200))
		}
		site.Stop()
	})
	return &bench{Site: site, t: t}
}

func (p plan) configure(s *harness.Site) harness.Dynamic {
	settings := s.Settings().With("log", "level", "debug")
	if p.settings != nil {
		settings = p.settings(s, settings)
	}
	dynamic := s.Dynamic(settings)
	if p.dynamic != nil {
		dynamic = p.dynamic(s, dynamic)
	}
	return dynamic
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// tab opens a tab in a browser of its own.
func (b *bench) tab() *harness.Tab {
	b.t.Helper()
	return b.tabs(1)[0]
}

// tabs opens tabs in one new browser.
func (b *bench) tabs(n int) []*harness.Tab {
	b.t.Helper()
	browser, err := harness.StartBrowser()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(browser.Stop)
	var tabs []*harness.Tab
	for range n {
		tab, err := browser.Tab()
		if err != nil {
			b.t.Fatal(err)
		}
		tabs = append(tabs, tab)
	}
	b.t.Cleanup(func() {
		if b.t.Failed() {
			b.picture(tabs)
		}
	})
	return tabs
}

// picture leaves pictures of the tabs where they can be looked at after the test.
func (b *bench) picture(tabs []*harness.Tab) {
	for i, tab := range tabs {
		path := filepath.Join(".bin", fmt.Sprintf("%s-%d.png", strings.ReplaceAll(b.t.Name(), "/", "-"), i))
		if err := tab.Screenshot(path); err != nil {
			b.t.Logf("tab %d: no picture: %v", i, err)
			continue
		}
		b.t.Logf("tab %d: picture in %s", i, path)
	}
}

// session logs user in without a browser. The client has the cookies for the TLS entry point: they are Secure.
func (b *bench) session(user string) *http.Client {
	b.t.Helper()
	client := harness.Client()
	stop := client.CheckRedirect
	client.CheckRedirect = nil
	where, err := b.Provider.Login(b.t.Context(), client, b.Traefik.TLSURL+"/landing?by="+user, user)
	if err != nil {
		b.t.Fatalf("log in as %q: %v", user, err)
	}
	if want := b.Traefik.TLSURL + "/landing?by=" + user; where.String() != want {
		b.t.Fatalf("log in as %q: ended at %q, want %q", user, where, want)
	}
	client.CheckRedirect = stop
	b.t.Cleanup(client.CloseIdleConnections)
	return client
}

// bearer is an access token of user's.
func (b *bench) bearer(user string) string {
	b.t.Helper()
	tokens, err := b.Provider.Tokens(b.t.Context(), user)
	if err != nil {
		b.t.Fatal(err)
	}
	return tokens.AccessToken
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// seen is the request that the app answered with.
func (a answer) seen(t *testing.T) harness.Seen {
	t.Helper()
	var seen harness.Seen
	if err := json.Unmarshal([]byte(a.body), &seen); err != nil {
		t.Fatalf("read the app's answer: %v\nstatus %d\n%s", err, a.status, a.body)
	}
	return seen
}

// do sends a request with these headers, given as name, value, name, value, ...
func (b *bench) do(client *http.Client, method, url string, headers ...string) answer {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{status: res.StatusCode, header: res.Header, body: string(body)}
}

// get is do with GET.
func (b *bench) get(client *http.Client, url string, headers ...string) answer {
	b.t.Helper()
	return b.do(client, http.MethodGet, url, headers...)
}

// navigate is get with the headers of a browser that opens a page.
func (b *bench) navigate(client *http.Client, url string) answer {
	b.t.Helper()
	return b.get(client, url, "Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
}

// isIdentity checks that the app was told of user, and of user alone.
func isIdentity(t *testing.T, seen harness.Seen, user, groups string) {
	t.Helper()
	want := map[string]string{
		"X-Auth-Request-User":   user,
		"X-Auth-Request-Email":  user + "@example.com",
		"X-Auth-Request-Groups": groups,
	}
	for name, value := range want {
		if got := seen.Header[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s: header %s is %q, want %q", seen.Path, name, got, value)
		}
	}
}

// at checks where a tab is.
func at(t *testing.T, tab *harness.Tab, want string) {
	t.Helper()
	got, err := tab.URL()
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("tab is at %q, want %q", got, want)
	}
}

// atProvider checks that a tab shows something of the provider.
func (b *bench) atProvider(tab *harness.Tab) {
	b.t.Helper()
	got, err := tab.URL()
	if err != nil {
		b.t.Fatal(err)
	}
	if !strings.HasPrefix(got, b.Provider.Issuer) {
		b.t.Errorf("tab is at %q, want the provider, %q", got, b.Provider.Issuer)
	}
}

// untouched checks that no request for the path reached the app.
func (b *bench) untouched(path string) {
	b.t.Helper()
	if seen := b.Apps.Seen(path); len(seen) > 0 {
		b.t.Errorf("%d requests for %s reached the app, want none; the first is a %s with headers %v", len(seen), path, seen[0].Method, slices.Sorted(maps.Keys(seen[0].Header)))
	}
}

func host(t *testing.T, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
