package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	// foundInRedis is how many sessions a replica finds in Redis at once.
	foundInRedis = 300
	// settled is how many goroutines more or less there may be afterwards.
	settled = 20
)

// A burst of sessions that a replica has never seen leaves nothing behind in it, even where they cannot all be kept in
// memory at once.
func TestBurstOfUnknownSessions(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "redis", traefik: harness.TraefikOptions{LogLevel: "INFO", Debug: true},
		settings: func(s harness.Settings) harness.Settings { return s.With("cache", "backfillQueue", 10) }})
	elsewhere := f.with(t)
	elsewhere.Traefiks = f.Traefiks[1:]
	people := elsewhere.logins(foundInRedis, numbered)
	here := f.with(t)
	here.Traefiks = f.Traefiks[:1]
	here.answers(people[0].cookie, http.StatusOK, "the first one")
	crowd.CloseIdleConnections()
	before := here.goroutines()
	var cookies []string
	for _, p := range people {
		cookies = append(cookies, p.cookie)
	}
	for range 2 {
		answers := here.storm(t.Context(), cookies)
		here.isAll(answers, http.StatusOK)
		for i, a := range answers {
			if a.status == http.StatusOK && a.seen(t).Header.Get("X-Auth-Request-User") != people[i].user {
				t.Fatalf("the session of %s was taken for %q", people[i].user, a.seen(t).Header.Get("X-Auth-Request-User"))
			}
		}
	}
	here.within(30*time.Second, "goroutines to be as before", func() error {
		crowd.CloseIdleConnections()
		// Traefik keeps connections to the app, two goroutines each.
		f.Apps.HangUp()
		if more := here.goroutines() - before; more > settled || more < -settled {
			return fmt.Errorf("%d more", more)
		}
		return nil
	})
}

// What was changed in Redis is no session, least of all somebody else's.
func TestSpoiltRecords(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "redis"})
	people := f.logins(60, numbered)
	if err := f.Traefiks[1].Restart(t.Context()); err != nil { // it knows none of them now
		t.Fatal(err)
	}
	keys, err := f.Redis.Client.Keys(t.Context(), "*session:*").Result()
	if err != nil || len(keys) != len(people) {
		t.Fatalf("%d records, error %v, want %d", len(keys), err, len(people))
	}
	values := make([][]byte, len(keys))
	for i, key := range keys {
		if values[i], err = f.Redis.Client.Get(t.Context(), key).Bytes(); err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range keys {
		if err := spoil(t.Context(), f.Redis.Client, key, values, i); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range people {
		a, err := f.ask(t.Context(), 1, "/page", p.cookie)
		if err != nil || a.status != http.StatusUnauthorized {
			t.Errorf("%s: status %d, error %v, want 401\n%s", p.user, a.status, err, strings.TrimSpace(a.body))
		}
	}
	fresh := f.login(1, "alice")
	f.answers(fresh.cookie, http.StatusOK, "a new session")
}

// spoil changes the i-th value: cut short, emptied, one bit flipped, another one's, or the same twice.
func spoil(ctx context.Context, client *redis.Client, key string, values [][]byte, i int) error {
	value := bytes.Clone(values[i])
	switch i % 5 {
	case 0:
		value = value[:len(value)-1-i%len(value)/2]
	case 1:
		value = nil
	case 2:
		value[i*7%len(value)] ^= 1
	case 3:
		value = values[(i+1)%len(values)]
	case 4:
		value = append(value, value...)
	}
	return client.Set(ctx, key, value, redis.KeepTTL).Err()
}
