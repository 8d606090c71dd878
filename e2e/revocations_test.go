package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	manyRevocations = 200_000
	// startedWithin is how much of a processor a replica may take after its start to
	// judge all sessions by so many revocations: on a busy machine it waits for one.
	startedWithin = 3 * time.Second
)

// fillRevocations writes entries as older replicas did, each of a key of its own.
const fillRevocations = `
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  redis.call('XADD', KEYS[1], '*', 'k', string.format('AAAAAAAAAA%08dAAAA', n), 'a', ARGV[3], 'u', ARGV[4])
end`

// A replica that starts with 200,000 revocations in Redis reads them with the time-out of a request, and with the breaker
// closed. What was revoked is refused from its first answer on.
func TestManyRevocations(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "cookie", settings: func(s harness.Settings) harness.Settings {
		return s.With("redis", "timeout", "500ms")
	}})
	ended, stays := f.login(0, "alice"), f.login(0, "bob")
	f.logout(0, ended.cookie)
	now := time.Now()
	for from := 1; from <= manyRevocations; from += 20_000 {
		err := f.Redis.Client.Eval(t.Context(), fillRevocations, []string{"latchkey:revocations"},
			from, from+19_999, now.UnixMilli(), now.Add(time.Hour).Unix()).Err()
		if err != nil && !strings.Contains(err.Error(), "nil") {
			t.Fatal(err)
		}
	}
	if err := f.Traefiks[1].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	started := &bench{&harness.Site{Traefik: f.Traefiks[1]}, t}
	began, worked := time.Now(), started.cpu(t)
	f.within(normalAfter, "200 of the replica that started", func() error {
		if status := f.status(1, ended.cookie); status == http.StatusOK {
			t.Error("the ended session got 200")
		}
		if status := f.status(1, stays.cookie); status != http.StatusOK {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	took := started.cpu(t) - worked
	t.Logf("the good session got 200 after %s, %s of a processor", time.Since(began), took)
	if took > startedWithin {
		t.Errorf("the good session got 200 after %s of a processor, want %s at most", took, startedWithin)
	}
	if status := f.status(1, ended.cookie); status != http.StatusUnauthorized {
		t.Errorf("the ended session: status %d, want 401", status)
	}
	m := f.metrics(1)
	if m["latchkey_revocations_read_total"] != manyRevocations+1 || m["latchkey_redis_failures_total"] != 0 {
		t.Errorf("%v read, %v failures of Redis; want %d and none", m["latchkey_revocations_read_total"], m["latchkey_redis_failures_total"], manyRevocations+1)
	}
}

// A Redis that takes no writes: a logout counts where it was made, both replicas go on past staleFor and say what is
// wrong, and it is known everywhere as soon as Redis takes writes again.
func TestRedisTakesNoWrites(t *testing.T) {
	t.Parallel()
	const stale = 2 * time.Second
	f := startFleet(t, fleetPlan{store: "cookie", settings: func(s harness.Settings) harness.Settings {
		return s.With("redis", "staleFor", stale.String())
	}})
	ended, stays := f.login(0, "alice"), f.login(1, "bob")
	for _, p := range []*person{ended, stays} {
		f.answers(p.cookie, http.StatusOK, p.user)
	}
	set := func(limit string) {
		t.Helper()
		if err := f.Redis.Client.ConfigSet(t.Context(), "maxmemory", limit).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set("1")
	f.logout(0, ended.cookie)
	if status := f.status(0, ended.cookie); status != http.StatusUnauthorized {
		t.Errorf("where the logout was: status %d, want 401", status)
	}
	for began := time.Now(); time.Since(began) < 2*stale; {
		f.answers(stays.cookie, http.StatusOK, "a session while Redis takes no writes")
	}
	a, err := f.ask(t.Context(), 0, "/oauth2/status", "")
	if err != nil || !strings.Contains(a.body, `"status":"degraded"`) || !strings.Contains(a.body, `"revocations":"pending"`) {
		t.Errorf("the status is %s, error %v", a.body, err)
	}
	if got := f.metrics(0)["latchkey_revocations_pending"]; got != 1 {
		t.Errorf("%v revocations wait, want 1", got)
	}
	if status := f.status(1, ended.cookie); status != http.StatusOK {
		t.Errorf("the other replica cannot know: status %d", status)
	}
	set("0")
	began := time.Now()
	f.within(normalAfter, "401 at the other replica", func() error {
		if f.status(1, ended.cookie) != http.StatusUnauthorized {
			return errors.New("it has not heard")
		}
		return nil
	})
	t.Logf("known at the other replica after %s", time.Since(began))
	f.within(normalAfter, "good health", func() error {
		a, err := f.ask(t.Context(), 0, "/oauth2/status", "")
		if err != nil || !strings.Contains(a.body, `"status":"ok"`) {
			return fmt.Errorf("%s, %w", a.body, err)
		}
		return nil
	})
}

// A cookie that was logged out, shown 200 times at two replicas, causes nothing more.
func TestDeadCookie(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "cookie"})
	p := f.login(0, "alice")
	f.logout(0, p.cookie)
	f.soon(p.cookie, http.StatusUnauthorized)
	for i := range 200 {
		a, err := f.ask(t.Context(), i%2, "/oauth2/logout", p.cookie)
		if err != nil || a.status != http.StatusOK || !strings.Contains(a.body, "You are logged out.") {
			t.Fatalf("logout %d: status %d, error %v\n%s", i, a.status, err, a.body)
		}
	}
	entries, err := f.Redis.Client.XLen(t.Context(), "latchkey:revocations").Result()
	if err != nil || entries != 1 {
		t.Errorf("%d entries, error %v, want 1", entries, err)
	}
	if here, there := f.metrics(0), f.metrics(1); here["latchkey_logouts_total"]+there["latchkey_logouts_total"] != 1 {
		t.Errorf("%v and %v logouts, want one", here["latchkey_logouts_total"], there["latchkey_logouts_total"])
	}
}
