package e2e

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// fleetPlan says what the replicas of a test are.
type fleetPlan struct {
	replicas int    // 0: two
	store    string // session.store
	alone    bool   // without Redis
	traefik  harness.TraefikOptions
	settings func(harness.Settings) harness.Settings
}

// fleet is replicas that share a Redis, and the test that uses them.
type fleet struct {
	*bench
	Traefiks []*harness.Traefik
	Redis    *harness.Redis
	dynamic  harness.Dynamic
}

// barePath is a path that Latchkey does not see.
const barePath = "/without-latchkey"

// startFleet starts replicas for the test. They are asked over plain HTTP: the storms are not about TLS.
func startFleet(t *testing.T, p fleetPlan) *fleet {
	t.Helper()
	f := &fleet{}
	if !p.alone {
		f.Redis = startRedis(t)
	}
	configure := func(s *harness.Site) harness.Dynamic {
		settings := s.Settings().
			With("log", "level", "debug").
			With("provider", "scopes", []string{"openid", "profile", "email", "offline_access"}).
			With("session", "store", p.store).
			With("session", "cookie", "secure", false)
		if !p.alone {
			// On a busy machine an answer may take its time; what is too late for the plugin is a test of its own.
			settings = settings.With("redis", "addresses", []string{f.Redis.Address}).With("redis", "timeout", "2s")
		}
		if p.settings != nil {
			settings = p.settings(settings)
		}
		f.dynamic = s.Dynamic(settings)
		f.dynamic.Routers["bare"] = harness.Router{Rule: "PathPrefix(`" + barePath + "`)", Service: "app"}
		return f.dynamic
	}
	replicas, err := harness.StartReplicas(t.Context(), cmp.Or(p.replicas, 2), harness.ProviderOptions{}, p.traefik, configure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for i, traefik := range replicas.Traefiks {
				t.Logf("what replica %d logged besides logins:\n%s", i, tail(remarkable(traefik.Log()), 40))
			}
		}
		replicas.Stop()
	})
	f.bench, f.Traefiks = &bench{replicas.Site, t}, replicas.Traefiks
	return f
}

// remarkable is what Latchkey logged besides logins, and what ended Traefik.
func remarkable(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		_, of, latchkey := strings.Cut(line, "> level=")
		switch {
		case latchkey && !strings.Contains(of, `msg="logged in"`):
			lines = append(lines, line[:min(20, len(line))]+" "+of)
		case strings.Contains(line, "panic:"):
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func startRedis(t *testing.T) *harness.Redis {
	t.Helper()
	r, err := harness.StartRedis(t.Context(), harness.RedisOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r
}

// with is the same fleet for a subtest.
func (f *fleet) with(t *testing.T) *fleet {
	copied := *f
	copied.bench = &bench{f.Site, t}
	return &copied
}

// reload has a replica build its middlewares anew.
func (f *fleet) reload(replica int) error {
	d := f.dynamic
	d.Routers = maps.Clone(d.Routers)
	d.Routers["more"] = harness.Router{Rule: "PathPrefix(`/more`)", Middlewares: []string{"login"}, Service: "app"}
	return f.Traefiks[replica].Reload(f.t.Context(), d)
}

// person is somebody who is logged in.
type person struct {
	user   string
	client *http.Client // with a cookie jar, which knows no ports: the cookies are good for all replicas
	cookie string       // the Cookie header as it was after the login
	since  time.Time    // the login was not before
}

// login logs user in at a replica.
func (f *fleet) login(replica int, user string) *person {
	f.t.Helper()
	p, err := f.tryLogin(replica, user)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

func (f *fleet) tryLogin(replica int, user string) (*person, error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	p := &person{user: user, client: harness.Client(), since: time.Now()}
	defer p.client.CloseIdleConnections()
	stop := p.client.CheckRedirect
	p.client.CheckRedirect = nil
	landing := f.Traefiks[replica].URL + "/landing"
	where, err := f.Provider.Login(ctx, p.client, landing, user)
	if err != nil {
		return nil, fmt.Errorf("log in as %q: %w", user, err)
	}
	if where.String() != landing {
		return nil, fmt.Errorf("log in as %q: ended at %q, want %q", user, where, landing)
	}
	p.client.CheckRedirect = stop
	p.cookie = cookieHeader(p.client.Jar, where)
	return p, nil
}

// logins logs in n people at the replicas in turn, the i-th as name(i).
func (f *fleet) logins(n int, name func(i int) string) []*person {
	f.t.Helper()
	people := make([]*person, n)
	began := time.Now()
	err := side(4, n, func(i int) error {
		var err error
		people[i], err = f.tryLogin(i%len(f.Traefiks), name(i))
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Logf("%d logins took %v", n, time.Since(began).Round(100*time.Millisecond))
	return people
}

func numbered(i int) string { return fmt.Sprintf("user-%d", i) }

func cookieHeader(jar http.CookieJar, u *url.URL) string {
	var pairs []string
	for _, c := range jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// side does do(0) to do(n-1), so many at once, and returns an error if there was one.
func side(at, n int, do func(i int) error) error {
	var running sync.WaitGroup
	turns := make(chan int)
	errs := make(chan error, n)
	for range min(at, n) {
		running.Go(func() {
			for i := range turns {
				errs <- do(i)
			}
		})
	}
	for i := range n {
		turns <- i
	}
	close(turns)
	running.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
