package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	workers       = 8
	maxGoroutines = 10
	maxHeap       = 0.05
)

// Reloads build every middleware anew. No request is lost or answered wrongly meanwhile, and what was there for the old
// configurations goes. What Traefik itself keeps of a reload is measured by the same reloads without the plugin.
func TestReloads(t *testing.T) {
	needed(t)
	bare := reloaded(t, "bare", false)
	latchkey := reloaded(t, "latchkey", true)
	t.Log(table(
		fmt.Sprintf("%d reloads|seconds|requests|wrong|goroutines before|after|heap MiB before|after|growth %%", *reloads),
		"without the plugin|"+bare.String(), "with it|"+latchkey.String(),
	))
	if more := latchkey.goroutines() - bare.goroutines(); more > maxGoroutines || more < -maxGoroutines {
		t.Errorf("%d goroutines more than without the plugin, want at most %d", more, maxGoroutines)
	}
	if more := latchkey.heap() - bare.heap(); more > maxHeap {
		t.Errorf("the heap grew by %.1f %% more than without the plugin, want at most %.1f %%", 100*more, 100*maxHeap)
	}
}

// reload is what a run of reloads led to.
type reload struct {
	took          time.Duration
	requests      int64
	wrong         int64
	before, after harness.Memory
}

func (r reload) goroutines() int64 { return r.after.Goroutines - r.before.Goroutines }

// heap is by how much of itself the heap has grown.
func (r reload) heap() float64 {
	return float64(r.after.HeapAlloc-r.before.HeapAlloc) / float64(r.before.HeapAlloc)
}

func (r reload) String() string {
	return fmt.Sprintf("%.0f|%d|%d|%d|%d|%s|%s|%.1f", r.took.Seconds(), r.requests, r.wrong,
		r.before.Goroutines, r.after.Goroutines, mib(r.before.HeapAlloc), mib(r.after.HeapAlloc), 100*r.heap())
}

// reloaded reloads a site of its own, with the plugin or without, under load.
func reloaded(t *testing.T, name string, plugin bool) (r reload) {
	t.Run(name, func(t *testing.T) {
		l := &load{plugin: plugin}
		l.bench = start(t, func(_ *harness.Site, d harness.Dynamic) harness.Dynamic { return l.configuration(d) })
		if err := l.newCredentials(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.reloads(t.Context(), len(changes)); err != nil { // warms everything up
			t.Fatal(err)
		}
		r.before = l.settled()
		l.keepProfiles(name + "-before")
		l.requests.Store(0)
		began := time.Now()
		if err := l.reloads(t.Context(), *reloads); err != nil {
			t.Fatal(err)
		}
		r.took = time.Since(began)
		r.requests, r.wrong = l.requests.Load(), l.wrong.Load()
		r.after = l.settled()
		l.keepProfiles(name + "-after")
		if r.wrong > 0 {
			t.Errorf("%d of %d requests were answered wrongly; the first: %v", r.wrong, r.requests, l.first.Load())
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return r
}

// changes are what reloads change, in turn, each time to a value of its own. A session and a token stay good, but what
// is remembered of them is of another fingerprint, and belongs to another resource.
var changes = []func(s harness.Settings, n int) harness.Settings{
	func(s harness.Settings, n int) harness.Settings {
		return s.With("forward", "headers", map[string]string{"X-Auth-Request-User": "sub", fmt.Sprintf("X-Also-%d", n): "sub"})
	},
	func(s harness.Settings, n int) harness.Settings { return s.With("cache", "tokens", 10_000+n) },
	func(s harness.Settings, n int) harness.Settings { return s.With("session", "lifetime", 3600+n) },
	func(s harness.Settings, n int) harness.Settings { return s.With("provider", "timeout", 10+n) },
}

func changed(s harness.Settings, n int) harness.Settings { return changes[n%len(changes)](s, n) }

// load is workers that ask all the time, in turn, as somebody with a session, somebody with a token, and nobody.
type load struct {
	*bench
	plugin   bool
	who      atomic.Value // credentials
	requests atomic.Int64
	wrong    atomic.Int64
	first    atomic.Value // error: the first wrong answer
}

func (l *load) newCredentials(ctx context.Context) error {
	if !l.plugin {
		l.who.Store(credentials{"a=b", "Bearer c"})
		return nil
	}
	who, err := l.login(ctx)
	if err == nil {
		l.who.Store(who)
	}
	return err
}

// configuration is d, without the plugin if that is not asked for.
func (l *load) configuration(d harness.Dynamic) harness.Dynamic {
	if l.plugin {
		return d
	}
	d.Middlewares = nil
	for name, router := range d.Routers {
		router.Middlewares = nil
		d.Routers[name] = router
	}
	return d
}

func (l *load) reload(ctx context.Context, settings harness.Settings) error {
	d := l.Dynamic(settings)
	d.Services["app"] = l.app.server.URL
	return l.Traefik.Reload(ctx, l.configuration(d))
}

// reloads changes the configuration n times under load, and in the end so that all that Latchkey remembers of the load is
// of no use any more. The load stays until that is released.
func (l *load) reloads(ctx context.Context, n int) error {
	resources, err := l.shared()
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	return all(ctx, l.run(stop), func(ctx context.Context) error {
		defer close(stop)
		for i := range n {
			if err := l.reload(ctx, changed(l.Settings(), i)); err != nil {
				return err
			}
			if i%10 == 9 { // tokens of this provider live for five minutes
				if err := l.newCredentials(ctx); err != nil {
					return err
				}
			}
		}
		if err := l.reload(ctx, l.Settings().With("cache", "tokens", 20_000+n).With("session", "lifetime", 7200+n)); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		return harness.Poll(ctx, "resources to be released", func() error {
			got, err := l.shared()
			if err == nil && got != resources {
				err = fmt.Errorf("%d are shared, want %d", got, resources)
			}
			return err
		})
	})
}

func (l *load) run(stop <-chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		var each []func(context.Context) error
		for range workers {
			each = append(each, func(ctx context.Context) error { return l.worker(ctx, stop) })
		}
		return all(ctx, each...)
	}
}

func (l *load) worker(ctx context.Context, stop <-chan struct{}) error {
	c, err := l.connect()
	if err != nil {
		return err
	}
	defer c.close()
	for {
		who := l.who.Load().(credentials)
		for _, test := range []struct {
			path, name, value string
			want              answer
		}{
			{"/page", "Cookie", who.cookie, answer{http.StatusOK, "alice"}},
			{"/page", "Authorization", who.authorization, answer{http.StatusOK, "bob"}},
			{"/public/page", "X-Auth-Request-User", "mallory", answer{http.StatusOK, ""}},
			{"/page", "X-Auth-Request-User", "mallory", answer{http.StatusUnauthorized, ""}},
		} {
			select {
			case <-ctx.Done():
				return nil
			case <-stop:
				return nil
			default:
			}
			a, err := c.get(test.path, test.name, test.value)
			if err != nil {
				return fmt.Errorf("a request was lost: %w", err)
			}
			l.requests.Add(1)
			if l.plugin && a != test.want {
				l.wrong.Add(1)
				l.first.CompareAndSwap(nil, fmt.Errorf("%s with %s: %+v, want %+v", test.path, test.name, a, test.want))
			}
			if !l.plugin && a.status != http.StatusOK {
				l.wrong.Add(1)
				l.first.CompareAndSwap(nil, fmt.Errorf("%s: status %d", test.path, a.status))
			}
		}
	}
}

// settled waits until memory comes to rest.
func (b *bench) settled() harness.Memory {
	b.t.Helper()
	b.app.hangUp()
	ctx, cancel := context.WithTimeout(b.t.Context(), 3*time.Minute)
	defer cancel()
	var last harness.Memory
	calm := 0
	err := harness.Poll(ctx, "memory to come to rest", func() error {
		m := b.memory()
		if change := m.HeapAlloc - last.HeapAlloc; m.Goroutines != last.Goroutines || max(change, -change) > m.HeapAlloc/500 {
			calm = 0
		}
		last = m
		if calm++; calm < 50 {
			return errors.New("it still changes")
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return last
}

// shared is how many resources the status endpoint says are shared. Without the plugin there are none.
func (l *load) shared() (int, error) {
	if !l.plugin {
		return 0, nil
	}
	res, err := http.Get(l.Traefik.URL + "/oauth2/status")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var status struct{ SharedResources int }
	err = json.NewDecoder(res.Body).Decode(&status)
	return status.SharedResources, err
}

// keepProfiles leaves Traefik's profiles where they can be compared after the test.
func (b *bench) keepProfiles(name string) {
	b.t.Helper()
	for profile, ending := range map[string]string{"heap": ".pb.gz", "goroutine?debug=1": ".txt"} {
		data, err := b.Traefik.Profile(b.t.Context(), profile)
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("..", ".bin", "soak-"+name+ending), data, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}
