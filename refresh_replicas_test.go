package latchkey

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// coordinators are two replicas.
func coordinators(t *testing.T, server *redistest.Server) (a, b *RefreshCoordinator) {
	t.Helper()
	clk := newClock()
	a = NewRefreshCoordinator(20*time.Second, 30*time.Second, clk.now, replicas(t, server))
	b = NewRefreshCoordinator(20*time.Second, 30*time.Second, clk.now, replicas(t, server))
	return a, b
}

func TestOneGrantForAllReplicas(t *testing.T) {
	server := redistest.Start(t)
	a, b := coordinators(t, server)
	g := newGrants()
	results := make(chan string, 100)
	for i := 0; i < 50; i++ {
		go func() { results <- call(a, context.Background(), "key", g) }()
	}
	take(t, "the grant", g.arrived)
	for i := 0; i < 50; i++ {
		go func() { results <- call(b, context.Background(), "key", g) }()
	}
	eventually(t, "all to wait", func() bool {
		return a.followers.Load() == 49 && b.followers.Load() == 49 && b.leaseWaits.Load() == 1
	})
	left, err := strconv.Atoi(server.Command("PTTL", "test:lease:key"))
	if err != nil || left < 20000 || left > 25000 {
		t.Errorf("the lease lasts %d ms yet, want more than the grant's 20 seconds", left)
	}
	close(g.gate)
	for i := 0; i < 100; i++ {
		if got := <-results; got != "access 1" {
			t.Fatalf("got %q", got)
		}
	}
	if n := g.count.Load(); n != 1 || a.grants.Load() != 1 || b.grants.Load() != 0 {
		t.Errorf("%d grants, %d and %d counted", n, a.grants.Load(), b.grants.Load())
	}
	if got := server.Command("EXISTS", "test:lease:key"); got != "0" {
		t.Error("the lease was not given back")
	}

	// Who starts later finds the result, sealed and for a while.
	third, _ := coordinators(t, server)
	if got := call(third, context.Background(), "key", g); got != "access 1" || g.count.Load() != 1 {
		t.Errorf("a third replica got %q, after %d grants", got, g.count.Load())
	}
	if value := server.Command("GET", "test:refresh:key"); value == "" || strings.Contains(value, "access") {
		t.Errorf("Redis holds %q", value)
	}
	left, err = strconv.Atoi(server.Command("PTTL", "test:refresh:key"))
	if err != nil || left <= 0 || left > 30000 {
		t.Errorf("the result is shared for %d ms yet, want at most 30 seconds", left)
	}
}

// A result is for its key alone; what Redis has under another is none.
func TestSwappedResult(t *testing.T) {
	server := redistest.Start(t)
	a, b := coordinators(t, server)
	if got := call(a, context.Background(), "key", openGrants()); got != "access 1" {
		t.Fatalf("got %q", got)
	}
	value := server.Command("GET", "test:refresh:key")
	for key, bad := range map[string]string{"swapped": value, "truncated": value[:len(value)-3], "garbage": "{}"} {
		server.Command("SET", "test:refresh:"+key, bad)
		g := openGrants()
		if got := call(b, context.Background(), key, g); got != "access 1" || g.count.Load() != 1 {
			t.Errorf("%s: got %q after %d grants, want one", key, got, g.count.Load())
		}
	}
}

// The lease of a replica that died runs out, and the next one tries.
func TestDeadHolder(t *testing.T) {
	server := redistest.Start(t)
	a, _ := coordinators(t, server)
	server.Command("SET", "test:lease:key", "dead", "PX", "300")
	holder := ""
	result, err := a.CoordinateRefresh(context.Background(), "key", func(_ context.Context) (*granted, error) {
		holder = server.Command("GET", "test:lease:key")
		return &granted{AccessToken: "mine"}, nil
	})
	if err != nil || result.AccessToken != "mine" {
		t.Fatalf("got %v, %v", result, err)
	}
	if holder == "dead" || holder == "" {
		t.Errorf("granted under the lease of %q", holder)
	}
	if a.leaseWaits.Load() != 1 {
		t.Errorf("%d waits counted, want 1", a.leaseWaits.Load())
	}
}

// One replica's failure is its own: the other tries for itself.
func TestFailureIsNotShared(t *testing.T) {
	for _, failure := range []error{errGrantFailed, errGrantRefused} {
		server := redistest.Start(t)
		a, b := coordinators(t, server)
		failing, granting := newGrants(), openGrants()
		failing.err = failure
		first, second := make(chan string, 1), make(chan string, 1)
		go func() { first <- call(a, context.Background(), "key", failing) }()
		take(t, "the grant", failing.arrived)
		go func() { second <- call(b, context.Background(), "key", granting) }()
		eventually(t, "the other to wait", func() bool { return b.leaseWaits.Load() == 1 })
		close(failing.gate)
		if got := <-first; got != "failed" && got != "refused" {
			t.Errorf("the first got %q", got)
		}
		if got := <-second; got != "access 1" {
			t.Errorf("the second got %q", got)
		}
	}
}

// Nobody grants who cannot know whether another does.
func TestNoGrantWithoutRedis(t *testing.T) {
	server := redistest.Start(t)
	clk := newClock()
	p := replicas(t, server)
	c := NewRefreshCoordinator(20*time.Second, 30*time.Second, clk.now, p)
	server.Stop()
	g := openGrants()
	if got := call(c, context.Background(), "key", g); got != "failed" || g.count.Load() != 0 {
		t.Errorf("got %q after %d grants", got, g.count.Load())
	}
	server.Restart()
	eventually(t, "a grant when Redis is back", func() bool {
		clk.advance(time.Second)
		return call(c, context.Background(), "key", g) == "access 1"
	})
}

// A replica that looked for a result just before there was one, and took the
// lease just after, finds it: Redis holds its SET back until the other has
// shared.
func TestResultIsLookedForUnderTheLease(t *testing.T) {
	server := redistest.Start(t)
	a, _ := coordinators(t, server)
	other := replicas(t, server)
	if _, err := other.result(context.Background(), "key"); err != nil {
		t.Fatal(err) // and it is connected
	}
	blocked := func() int { return strings.Count(server.Command("CLIENT", "LIST"), "flags=b") }
	server.Command("CLIENT", "PAUSE", "20000", "WRITE")
	shared := make(chan struct{})
	go func() {
		other.share("key", &granted{AccessToken: "of the other"}, time.Minute)
		close(shared)
	}()
	eventually(t, "the other's result to be held back", func() bool { return blocked() == 1 })
	got := make(chan string, 1)
	g := openGrants()
	go func() { got <- call(a, context.Background(), "key", g) }()
	eventually(t, "the lease to be held back", func() bool { return blocked() == 2 })
	server.Command("CLIENT", "UNPAUSE")
	take(t, "the other's result", shared)
	if result := <-got; result != "of the other" || g.count.Load() != 0 {
		t.Errorf("got %q after %d grants", result, g.count.Load())
	}
}
