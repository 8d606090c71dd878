package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// A reload builds every middleware anew. Sessions do not notice, what is shared is kept, and nothing is left over.
func TestReload(t *testing.T) {
	t.Parallel()
	var dynamic harness.Dynamic
	b := start(t, plan{dynamic: func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
		dynamic = d
		return d
	}})
	client := b.session("alice")
	before := b.shared()
	if before == 0 {
		t.Fatal("the status endpoint tells of no shared resources")
	}
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+b.bearer("alice"))
	discoveries, keys := b.Provider.Count(harness.DiscoveryPath), b.Provider.Count(harness.KeysPath)
	for i := range 10 {
		dynamic.Routers[fmt.Sprintf("more-%d", i)] = harness.Router{
			Rule: fmt.Sprintf("PathPrefix(`/more-%d`)", i), Middlewares: []string{"login"}, Service: "app",
		}
		if err := b.Traefik.Reload(t.Context(), dynamic); err != nil {
			t.Fatal(err)
		}
		b.isOpen(client, fmt.Sprintf("/more-%d/page", i))
	}
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+b.bearer("bob"))
	if n := b.Provider.Count(harness.DiscoveryPath); n != discoveries {
		t.Errorf("the reloads made %d discovery requests, want none: what is known is kept", n-discoveries)
	}
	if n := b.Provider.Count(harness.KeysPath); n != keys {
		t.Errorf("the reloads made %d requests for keys, want none: what is known is kept", n-keys)
	}

	// A middleware with settings of its own has resources of its own, which go with it.
	other := dynamic.Middlewares["login"].With("provider", "clientID", "another").With("cache", "tokens", 77)
	dynamic.Middlewares["other"] = other
	dynamic.Routers["other"] = harness.Router{Rule: "PathPrefix(`/other`)", Middlewares: []string{"other"}, Service: "app"}
	if err := b.Traefik.Reload(t.Context(), dynamic); err != nil {
		t.Fatal(err)
	}
	if got := b.shared(); got <= before {
		t.Errorf("with another middleware %d resources are shared, want more than %d", got, before)
	}
	delete(dynamic.Middlewares, "other")
	delete(dynamic.Routers, "other")
	if err := b.Traefik.Reload(t.Context(), dynamic); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := harness.Poll(ctx, "resources to be released", func() error {
		if got := b.shared(); got != before {
			return fmt.Errorf("%d are shared, want %d as before", got, before)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	b.isOpen(client, "/page")
}

const (
	loadedReloads = 12
	// answersEach is how many requests each kind of client gets answered during one reload, at least.
	answersEach = 10
)

// reloadChanges are what reloads change, in turn. A session and a token stay good; what is remembered of them, or where,
// is another.
var reloadChanges = []func(s harness.Settings, n int) harness.Settings{
	func(s harness.Settings, n int) harness.Settings {
		return s.With("forward", "headers", map[string]string{"X-Auth-Request-User": "sub", fmt.Sprintf("X-Also-%d", n): "sub"})
	},
	func(s harness.Settings, n int) harness.Settings { return s.With("cache", "tokens", 10_000+n) },
	func(s harness.Settings, n int) harness.Settings { return s.With("session", "lifetime", 3600+n) },
	func(s harness.Settings, n int) harness.Settings { return s.With("provider", "timeout", 10+n) },
}

// No request is lost or answered wrongly while the middlewares are made anew, whoever asks. Each reload goes on until
// everybody has been answered some times since it began, so a busy machine takes longer and sees no less.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	var settings harness.Settings
	b := start(t, plan{
		settings: func(_ *harness.Site, s harness.Settings) harness.Settings { settings = s; return s },
	})
	loaders := b.loaders()
	b.loaded(loaders, func() error {
		for i := range loadedReloads {
			change := reloadChanges[i%len(reloadChanges)]
			if err := b.Traefik.Reload(t.Context(), b.Dynamic(change(settings, i))); err != nil {
				return err
			}
			if err := b.answered(loaders); err != nil {
				return err
			}
		}
		return nil
	})
}

// loader is somebody who asks again and again.
type loader struct {
	name    string
	client  *http.Client
	url     string
	headers []string
	status  int
	user    string // that the app is told of

	answers atomic.Int64
}

func (b *bench) loaders() []*loader {
	b.t.Helper()
	page, public := b.Traefik.TLSURL+"/page", b.Traefik.TLSURL+"/public/page"
	return []*loader{
		{name: "a session", client: b.session("alice"), url: page, status: http.StatusOK, user: "alice"},
		{name: "a bearer token", client: harness.Client(), url: page, headers: []string{"Authorization", "Bearer " + b.bearer("bob")}, status: http.StatusOK, user: "bob"},
		{name: "nobody, on a public path", client: harness.Client(), url: public, headers: []string{"X-Auth-Request-User", "mallory"}, status: http.StatusOK},
		{name: "nobody", client: harness.Client(), url: page, headers: []string{"X-Auth-Request-User", "mallory"}, status: http.StatusUnauthorized},
	}
}

// loaded has all of them ask while during runs.
func (b *bench) loaded(loaders []*loader, during func() error) {
	b.t.Helper()
	ctx, stop := context.WithCancel(b.t.Context())
	var running sync.WaitGroup
	for _, l := range loaders {
		running.Go(func() {
			for ctx.Err() == nil && !b.t.Failed() {
				l.ask(b.t)
			}
		})
	}
	if err := during(); err != nil {
		b.t.Error(err)
	}
	stop()
	running.Wait()
	for _, l := range loaders {
		b.t.Logf("%s: %d answers", l.name, l.answers.Load())
	}
}

// answered waits until each of them has got some answers more.
func (b *bench) answered(loaders []*loader) error {
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	for _, l := range loaders {
		want := l.answers.Load() + answersEach
		err := harness.Poll(ctx, "answers during a reload", func() error {
			if n := l.answers.Load(); n < want && !b.t.Failed() {
				return fmt.Errorf("%s: %d answers, want %d", l.name, n, want)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ask asks once; the answer must be the one that is due.
func (l *loader) ask(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, l.url, nil)
	if err != nil {
		t.Error(err)
		return
	}
	for i := 0; i < len(l.headers); i += 2 {
		r.Header.Set(l.headers[i], l.headers[i+1])
	}
	res, err := l.client.Do(r)
	if err != nil {
		t.Errorf("%s: a request was lost: %v", l.name, err)
		return
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	var seen harness.Seen
	if err == nil && res.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, &seen)
	}
	if user := seen.Header.Get("X-Auth-Request-User"); err != nil || res.StatusCode != l.status || user != l.user {
		t.Errorf("%s: status %d as %q, %v; want %d as %q\n%s", l.name, res.StatusCode, user, err, l.status, l.user, body)
	}
	l.answers.Add(1)
}

// shared is how many resources the status endpoint says are shared.
func (b *bench) shared() int {
	b.t.Helper()
	a := b.get(harness.Client(), b.Traefik.URL+"/oauth2/status")
	var status struct{ SharedResources int }
	if err := json.Unmarshal([]byte(a.body), &status); a.status != http.StatusOK || err != nil {
		b.t.Fatalf("status endpoint: status %d, %v\n%s", a.status, err, a.body)
	}
	return status.SharedResources
}
