package soak

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// troubles are what the relay before Redis does, each for some seconds.
var troubles = []struct {
	name    string
	trouble harness.Trouble
	slow    time.Duration
}{
	{"refused", harness.Refusing, 0},
	{"swallowed", harness.Swallowing, 0},
	{"replies lost", harness.Losing, 0},
	{"late", harness.Passing, 2 * time.Second},
	{"doubled", harness.Doubling, 0},
	{"half-closed", harness.HalfClosed, 0},
	{"bytewise", harness.Bytewise, 0},
}

const (
	troubleLasts = 4 * time.Second
	// knownWithin is how long after the trouble's end a logout of that time is known everywhere, at most: a busy machine.
	knownWithin = 10 * time.Second
)

// Whatever becomes of the connections to Redis, at both replicas: who is known goes on and is nobody else, and who
// logged out meanwhile is logged out everywhere once it is over.
func TestRedisTrouble(t *testing.T) {
	needed(t)
	d := startDrill(t, drillPlan{store: "cookie"})
	people := d.logins(6)
	lines := []string{"Redis|" + scoreColumns + "|logout known after ms|works after ms"}
	for _, trouble := range troubles {
		leaver, err := d.login(1, "user-99")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range append(people, leaver) {
			if err := d.everywhere(k, http.StatusOK); err != nil {
				t.Fatalf("before %s: %v", trouble.name, err)
			}
		}
		d.relay.Slow(trouble.slow)
		d.relay.Make(trouble.trouble)
		s := &score{}
		stop := make(chan struct{})
		running := d.load(people, s, stop)
		_ = sleep(t.Context(), troubleLasts)
		if _, err := d.logout(0, leaver); err != nil {
			t.Errorf("%s: a logout: %v", trouble.name, err)
		}
		if a, err := d.ask(0, "/page", "Cookie", leaver.cookie); err != nil || a.status == http.StatusOK {
			t.Errorf("%s: logged out here: status %d, %v", trouble.name, a.status, err)
		}
		close(stop)
		running.Wait()
		d.relay.Slow(0)
		d.relay.Make(harness.Passing)
		over := time.Now()
		d.within(knownWithin, trouble.name+": the logout to be known everywhere", func() error { return d.everywhere(leaver, http.StatusUnauthorized) })
		heard := time.Since(over)
		d.within(knownWithin, trouble.name+": a login", d.works)
		lines = append(lines, fmt.Sprintf("%s|%s|%d|%d", trouble.name, s, heard.Milliseconds(), time.Since(over).Milliseconds()))
		s.good(t, trouble.name)
	}
	t.Log(table(lines...))
}

// The connection to Redis is cut in the middle of refreshes. Each refresh token is used once, and each session lives.
func TestCutInRefreshes(t *testing.T) {
	needed(t)
	const sessions, life = 80, 5 * time.Second
	d := startDrill(t, drillPlan{})
	d.Provider.SetAccessTokenLifetime(time.Minute)
	people := d.logins(sessions)
	d.Provider.ResetGrants()
	for _, k := range people {
		if err := d.everywhere(k, http.StatusOK); err != nil {
			t.Fatal(err)
		}
	}
	// Once half of a token's life is over each request refreshes; an hour of life for what comes.
	d.Provider.SetAccessTokenLifetime(time.Hour)
	d.within(time.Minute, "access tokens to be due", func() error {
		if left := time.Until(people[len(people)-1].since.Add(31 * time.Second)); left > 0 {
			return fmt.Errorf("%v left", left)
		}
		return nil
	})
	d.Provider.SlowTokens(time.Second)
	s := &score{}
	stop := make(chan struct{})
	running := d.load(people, s, stop)
	d.within(20*time.Second, "grants to be under way", func() error {
		if d.Provider.Grants().InFlight == 0 {
			return errStill
		}
		return nil
	})
	d.relay.Make(harness.Refusing)
	_ = sleep(t.Context(), life)
	d.relay.Make(harness.Passing)
	d.Provider.MendTokens()
	alive := 0
	d.within(time.Minute, "the sessions to go on", func() error {
		alive = 0
		for _, k := range people {
			if err := d.everywhere(k, http.StatusOK); err != nil {
				return fmt.Errorf("%d alive: %w", alive, err)
			}
			alive++
		}
		return nil
	})
	close(stop)
	running.Wait()
	g := d.Provider.Grants()
	t.Log(table("sessions|alive|grants|refused|"+scoreColumns, fmt.Sprintf("%d|%d|%d|%d|%s", sessions, alive, g.Succeeded, g.Refused, s)))
	if g.Succeeded != sessions || g.Refused != 0 || s.others > 0 {
		t.Errorf("%d grants, %d refused, %d answers of another person; want %d, none and none", g.Succeeded, g.Refused, s.others, sessions)
	}
	// One whose access token ends while Redis is away is 503, and not ended.
	if s.statuses[http.StatusUnauthorized] > 0 || s.lost > 0 {
		t.Errorf("%d answers were 401, %d were lost: %v", s.statuses[http.StatusUnauthorized], s.lost, s.first)
	}
}

// The master dies, and the sentinels make its replica the new one.
func TestFailover(t *testing.T) {
	needed(t)
	sentinels, err := harness.StartSentinels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sentinels.Stop)
	d := startDrill(t, drillPlan{address: sentinels.Addresses(), settings: func(s harness.Settings) harness.Settings {
		return s.With("redis", "mode", "sentinel").With("redis", "masterName", harness.MasterName)
	}})
	people := d.logins(19)
	for _, k := range people {
		if err := d.everywhere(k, http.StatusOK); err != nil {
			t.Fatal(err)
		}
	}
	s := &score{}
	stop := make(chan struct{})
	running := d.load(people[:6], s, stop)
	began := time.Now()
	if err := sentinels.Failover(t.Context()); err != nil {
		t.Fatal(err)
	}
	failover := time.Since(began)
	works := d.within(30*time.Second, "a login", d.works)
	close(stop)
	running.Wait()
	good := 0
	for _, k := range people {
		if d.everywhere(k, http.StatusOK) == nil {
			good++
		}
	}
	t.Log(table("sessions|good afterwards|failover s|works after s|"+scoreColumns,
		fmt.Sprintf("%d|%d|%.1f|%.1f|%s", len(people), good, failover.Seconds(), works.Seconds(), s)))
	if good != len(people) {
		t.Errorf("%d of %d sessions are good", good, len(people))
	}
	s.good(t, "sessions that are known")
}
