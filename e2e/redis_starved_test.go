package e2e

import (
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/e2e/process"
)

const (
	starvedSessions = 20
	starvedRequests = 20 // for each session, half of them at each replica
)

// A machine that is busy is no Redis that is away: sessions whose access tokens have ended all wake up at once, on
// replicas that have one thread each, beside a busy process on each core. All are answered, and each refresh token is
// used once. Only answers and grants are counted; Redis has the time-out of the settings.
func TestRefreshesOnABusyMachine(t *testing.T) {
	f := startFleet(t, fleetPlan{store: "redis",
		traefik:  harness.TraefikOptions{LogLevel: "DEBUG", Env: []string{"GOMAXPROCS=1"}},
		settings: func(s harness.Settings) harness.Settings { return s.With("redis", "timeout", "500ms") }})
	f.Provider.SetAccessTokenLifetime(shortLife)
	people := f.logins(starvedSessions, numbered)
	f.outlast(shortLife, people...)
	f.Provider.SetAccessTokenLifetime(0)
	f.Provider.ResetGrants()
	f.busy()
	var cookies []string
	for _, p := range people {
		cookies = append(cookies, slices.Repeat([]string{p.cookie}, starvedRequests)...)
	}
	began := time.Now()
	answers := f.storm(t.Context(), cookies)
	t.Logf("%d requests of %d ended sessions were answered in %v", len(cookies), len(people), time.Since(began).Round(10*time.Millisecond))
	f.isAll(answers, http.StatusOK)
	f.granted(starvedSessions, 0)
}

// busy keeps each core busy until the test has ended.
func (f *fleet) busy() {
	f.t.Helper()
	for range runtime.NumCPU() {
		p, err := process.Start(exec.Command("sh", "-c", "while :; do :; done"))
		if err != nil {
			f.t.Fatal(err)
		}
		f.t.Cleanup(p.Kill)
	}
}
