package e2e

import (
	"bufio"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The numbers tell what went on, once a session was refreshed and another one ended.
func TestMetricsOfReplicas(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "redis"})
	f.Provider.SetAccessTokenLifetime(shortLife)
	p := f.login(0, "alice")
	f.outlast(shortLife, p)
	f.Provider.SetAccessTokenLifetime(0)
	f.isAll(f.storm(t.Context(), slices.Repeat([]string{p.cookie}, 20)), http.StatusOK)
	ended := f.login(1, "bob")
	f.logout(0, ended.cookie)
	f.soon(ended.cookie, http.StatusUnauthorized)
	for i := range f.Traefiks {
		numbers := f.metrics(i)
		for _, name := range []string{
			"latchkey_refresh_grants_total", "latchkey_refresh_followers_total", "latchkey_refresh_lease_waits_total",
			"latchkey_refresh_failures_total", "latchkey_refresh_in_flight", "latchkey_revocation_lag_seconds",
			"latchkey_session_reads_total", "latchkey_session_backfill_queue", "latchkey_session_backfills_total",
			"latchkey_redis_breaker", "latchkey_streams",
		} {
			if _, ok := numbers[name]; !ok {
				t.Errorf("replica %d tells no %s", i, name)
			}
		}
		if numbers["latchkey_revocation_lag_seconds"] > 5 {
			t.Errorf("replica %d lags %v s behind", i, numbers["latchkey_revocation_lag_seconds"])
		}
	}
	here, there := f.metrics(0), f.metrics(1)
	if sum := here["latchkey_refresh_grants_total"] + there["latchkey_refresh_grants_total"]; sum != 1 {
		t.Errorf("the replicas tell of %v grants together, want 1", sum)
	}
	if got := there["latchkey_revocations_read_total"]; got < 1 {
		t.Errorf("the second replica has read %v revocations, want one at least", got)
	}
	if got := here["latchkey_logouts_total"]; got != 1 {
		t.Errorf("the first replica tells of %v logouts, want 1", got)
	}
}

// metrics are a replica's numbers; those of a family's labels are added up.
func (f *fleet) metrics(replica int) map[string]float64 {
	f.t.Helper()
	a, err := f.ask(f.t.Context(), replica, "/oauth2/metrics", "")
	if err != nil || a.status != http.StatusOK {
		f.t.Fatalf("metrics: status %d, error %v", a.status, err)
	}
	numbers := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(a.body)); lines.Scan(); {
		line := lines.Text()
		name, value, ok := strings.Cut(line, " ")
		if strings.HasPrefix(line, "#") {
			// A family without a value yet is told of all the same.
			if family, isType := strings.CutPrefix(line, "# TYPE "); isType {
				numbers[strings.Fields(family)[0]] += 0
			}
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil {
			f.t.Fatalf("metrics: %q is no line of the format", line)
		}
		family, _, _ := strings.Cut(name, "{")
		numbers[family] += number
	}
	return numbers
}
