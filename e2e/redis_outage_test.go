package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	// warmSessions ask all the time, each at both replicas, with a pause of loadPause between two requests.
	warmSessions = 8
	loadPause    = 5 * time.Millisecond
	// measured is how long the load is measured, before the outage and in it.
	measured = 3 * time.Second
	// dueLife is that of an access token that is due for a refresh, but good, in the outage.
	dueLife = 13 * time.Second
	// answered is the part of warm requests that is answered.
	answered = 0.999
	// waiting is longer than a request takes that asks nobody, and heldUp the part of warm requests that takes longer at most,
	// besides what the same Traefiks take for those that Latchkey does not see, at the same time.
	waiting = 50 * time.Millisecond
	heldUp  = 0.01
	// normalAfter is how long after Redis' return all is as before.
	normalAfter = 5 * time.Second
	// slowRedis is how long Redis takes for an answer when it is slow.
	slowRedis = 2 * time.Second
	// moreGoroutines is what Traefik has more of at most while Redis does not answer.
	moreGoroutines = 100
)

// Whoever is known goes on while Redis is away, and when it is back everybody else does.
func TestRedisOutage(t *testing.T) {
	for _, test := range []struct {
		name       string
		begin, end func(f *fleet, relay *harness.Relay) error
	}{
		{"killed", func(f *fleet, _ *harness.Relay) error { f.Redis.Kill(); return nil },
			func(f *fleet, _ *harness.Relay) error { return f.Redis.Restart(f.t.Context()) }},
		{"stopped", func(f *fleet, _ *harness.Relay) error { return f.Redis.Pause() },
			func(f *fleet, _ *harness.Relay) error { return f.Redis.Resume() }},
		{"slow", func(_ *fleet, relay *harness.Relay) error { relay.Slow(slowRedis); return nil },
			func(_ *fleet, relay *harness.Relay) error { relay.Slow(0); return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			redis := startRedis(t)
			relay, err := harness.StartRelay(redis.Address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(relay.Stop)
			address := redis.Address
			if test.name == "slow" {
				address = relay.Address
			}
			f := startFleet(t, fleetPlan{store: "redis", alone: true, traefik: harness.TraefikOptions{LogLevel: "INFO", Debug: true},
				settings: func(s harness.Settings) harness.Settings {
					return s.With("redis", "addresses", []string{address}).With("redis", "timeout", "500ms")
				}})
			f.Redis = redis
			people := f.logins(warmSessions-1, numbered)
			// One is due for a refresh, which without Redis cannot be agreed on, while the access token is good.
			f.Provider.SetAccessTokenLifetime(dueLife)
			due := f.login(0, "alice")
			people = append(people, due)
			for _, p := range people {
				f.answers(p.cookie, http.StatusOK, p.user)
			}
			f.within(time.Minute, "half of an access token's life to pass", func() error {
				if left := time.Until(due.since.Add(dueLife/2 + time.Second - measured)); left > 0 {
					return fmt.Errorf("%v left", left)
				}
				return nil
			})
			before := f.load(people, measured)
			goroutines := f.goroutines()
			if err := test.begin(f, relay); err != nil {
				t.Fatal(err)
			}
			during := f.load(people, measured)
			more := f.goroutines() - goroutines
			if err := test.end(f, relay); err != nil {
				t.Fatal(err)
			}
			f.within(normalAfter, "a login, good at every replica", func() error {
				for i := range f.Traefiks {
					p, err := f.tryLogin(i, "bob")
					if err != nil {
						return err
					}
					for j := range f.Traefiks {
						if status := f.status(j, p.cookie); status != http.StatusOK {
							return fmt.Errorf("status %d", status)
						}
					}
				}
				return nil
			})
			t.Logf("before: %v", before)
			t.Logf("during: %v, %+d goroutines", during, more)
			if part := during.part(); part < answered {
				t.Errorf("%.2f %% of warm requests were answered, want %.2f %%; by status: %v", 100*part, 100*answered, during.statuses)
			}
			if warm, bare := slower(during.took), slower(during.bare); warm-bare > heldUp {
				t.Errorf("%.2f %% of warm requests took longer than %v, and %.2f %% of those without Latchkey", 100*warm, waiting, 100*bare)
			}
			if more > moreGoroutines {
				t.Errorf("%d goroutines more, want %d at most", more, moreGoroutines)
			}
			after := f.load(people, time.Second)
			if part := after.part(); part < answered {
				t.Errorf("after the return %.2f %% of warm requests were answered; by status: %v", 100*part, after.statuses)
			}
		})
	}
}

// loaded is what a load led to.
type loaded struct {
	statuses map[int]int
	took     []time.Duration
	bare     []time.Duration // without Latchkey
}

func (l loaded) part() float64 { return float64(l.statuses[http.StatusOK]) / float64(len(l.took)) }

// slower is the part that took longer than waiting.
func slower(took []time.Duration) float64 {
	n := 0
	for _, d := range took {
		if d > waiting {
			n++
		}
	}
	return float64(n) / float64(len(took))
}

func (l loaded) String() string {
	return fmt.Sprintf("%d requests, by status %v: %s; without Latchkey %s", len(l.took), l.statuses, spread(l.took), spread(l.bare))
}

func spread(took []time.Duration) string {
	at := func(i int) time.Duration { return took[i].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, at most %v", at(len(took)/2), at(len(took)*99/100), at(len(took)-1))
}

// load asks on behalf of everybody, at every replica, for some time; each time without Latchkey, too.
func (f *fleet) load(people []*person, d time.Duration) loaded {
	l := loaded{statuses: map[int]int{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	until := time.Now().Add(d)
	for _, p := range people {
		for i := range f.Traefiks {
			all.Go(func() {
				for time.Now().Before(until) {
					began := time.Now()
					status := f.status(i, p.cookie)
					took := time.Since(began)
					began = time.Now()
					_, _ = f.ask(f.t.Context(), i, barePath, "")
					bare := time.Since(began)
					mu.Lock()
					l.statuses[status]++
					l.took = append(l.took, took)
					l.bare = append(l.bare, bare)
					mu.Unlock()
					<-time.After(loadPause)
				}
			})
		}
	}
	all.Wait()
	slices.Sort(l.took)
	slices.Sort(l.bare)
	return l
}

// goroutines are those of the first replica.
func (f *fleet) goroutines() int64 {
	f.t.Helper()
	m, err := f.Traefiks[0].Memory(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return m.Goroutines
}
