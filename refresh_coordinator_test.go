package latchkey

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

func newTestCoordinator(clk *clock) *RefreshCoordinator {
	return NewRefreshCoordinator(20*time.Second, 30*time.Second, clk.now, nil)
}

// grants is a provider that grants when it is let, and counts.
type grants struct {
	count   atomic.Int64
	arrived chan struct{}
	gate    chan struct{}
	err     error
}

func newGrants() *grants {
	return &grants{arrived: make(chan struct{}, 1000), gate: make(chan struct{})}
}

// open is one that grants at once.
func openGrants() *grants {
	g := newGrants()
	close(g.gate)
	return g
}

func (g *grants) grant(ctx context.Context) (*granted, error) {
	n := g.count.Add(1)
	g.arrived <- struct{}{}
	if err := wait.For(ctx, g.gate); err != nil {
		return nil, err
	}
	if g.err != nil {
		return nil, g.err
	}
	return &granted{AccessToken: "access " + strconv.FormatInt(n, 10), RefreshToken: "refresh", At: 1}, nil
}

// call is CoordinateRefresh, with what it gave in a word.
func call(c *RefreshCoordinator, ctx context.Context, key string, g *grants) string {
	result, err := c.CoordinateRefresh(ctx, key, func(ctx context.Context) (*granted, error) {
		result, err := g.grant(ctx)
		return result, err
	})
	switch {
	case errors.Is(err, errGrantRefused):
		return "refused"
	case errors.Is(err, errGrantFailed):
		return "failed"
	case err != nil:
		return "failed with " + err.Error()
	}
	return result.AccessToken
}

func TestOneGrantForAll(t *testing.T) {
	c := newTestCoordinator(newClock())
	g := newGrants()
	const callers = 200
	results := make(chan string, callers)
	for i := 0; i < callers; i++ {
		go func() { results <- call(c, context.Background(), "key", g) }()
	}
	eventually(t, "all to wait", func() bool { return c.followers.Load() == callers-1 })
	close(g.gate)
	for i := 0; i < callers; i++ {
		if got := <-results; got != "access 1" {
			t.Fatalf("got %q", got)
		}
	}
	if n := g.count.Load(); n != 1 || c.grants.Load() != 1 {
		t.Errorf("%d grants, %d counted, want 1", n, c.grants.Load())
	}
	if len(c.flights) != 0 || c.queued.Load() != 0 || len(c.slots) != 0 {
		t.Errorf("%d flights, %d queued, %d slots are left", len(c.flights), c.queued.Load(), len(c.slots))
	}
}

// A grant belongs to no request: whoever began it may leave.
func TestLeaderLeaves(t *testing.T) {
	c := newTestCoordinator(newClock())
	g := newGrants()
	leader, leave := context.WithCancel(context.Background())
	left := make(chan string, 1)
	go func() { left <- call(c, leader, "key", g) }()
	take(t, "the grant", g.arrived)
	leave()
	if got := <-left; got != "failed" {
		t.Errorf("who left got %q", got)
	}
	follower := make(chan string, 1)
	go func() { follower <- call(c, context.Background(), "key", g) }()
	eventually(t, "a follower", func() bool { return c.followers.Load() == 1 })
	close(g.gate)
	if got := <-follower; got != "access 1" {
		t.Errorf("a follower got %q", got)
	}
	if got := call(c, context.Background(), "key", g); got != "access 1" || g.count.Load() != 1 {
		t.Errorf("who came later got %q, after %d grants", got, g.count.Load())
	}
	if c.failed.Load() != 0 {
		t.Error("somebody leaving counts as a failure")
	}
}

// The grant's time is its own.
func TestGrantTimeout(t *testing.T) {
	clk := newClock()
	c := NewRefreshCoordinator(50*time.Millisecond, 30*time.Second, clk.now, nil)
	g := newGrants()
	result, err := c.CoordinateRefresh(context.Background(), "key", func(ctx context.Context) (*granted, error) {
		if _, ok := ctx.Deadline(); !ok {
			return nil, errGrantRefused
		}
		result, err := g.grant(ctx)
		return result, err
	})
	if result != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v, want the end of the time", result, err)
	}
}

func TestResultIsShared(t *testing.T) {
	clk := newClock()
	c := newTestCoordinator(clk)
	g := openGrants()
	for _, step := range []struct {
		after time.Duration
		key   string
		want  string
	}{
		{0, "key", "access 1"},
		{0, "key", "access 1"},
		{29 * time.Second, "key", "access 1"},
		{0, "another key", "access 2"},
		{time.Second, "key", "access 3"},
	} {
		clk.advance(step.after)
		if got := call(c, context.Background(), step.key, g); got != step.want {
			t.Errorf("%s: got %q, want %q", step.key, got, step.want)
		}
	}
}

// The result comes out as it went in.
func TestResultIsWhole(t *testing.T) {
	c := newTestCoordinator(newClock())
	want := granted{IDToken: "i", AccessToken: "a", AccessEnds: 5, AccessIsJWT: true, RefreshToken: "r", At: 7}
	for i := 0; i < 2; i++ {
		got, err := c.CoordinateRefresh(context.Background(), "key", func(_ context.Context) (*granted, error) {
			result := want
			return &result, nil
		})
		if err != nil || *got != want {
			t.Errorf("call %d: got %+v, %v, want %+v", i, got, err, want)
		}
	}
}

// A key whose grant failed is left alone for a while, which grows, and ends.
func TestBackOff(t *testing.T) {
	clk := newClock()
	c := newTestCoordinator(clk)
	g := openGrants()
	g.err = errGrantFailed
	tries := int64(0)
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
		if got := call(c, context.Background(), "key", g); got != "failed" {
			t.Fatalf("got %q", got)
		}
		tries++
		clk.advance((wait - 1) * time.Second)
		for i := 0; i < 3; i++ {
			if got := call(c, context.Background(), "key", g); got != "failed" {
				t.Fatalf("got %q", got)
			}
		}
		if n := g.count.Load(); n != tries {
			t.Fatalf("%d tries within %d seconds after the failure, want %d", n, wait-1, tries)
		}
		clk.advance(time.Second)
	}
	if c.failed.Load() != tries {
		t.Errorf("%d failures counted, want %d", c.failed.Load(), tries)
	}
	if got := call(c, context.Background(), "another key", openGrants()); got != "access 1" {
		t.Errorf("another key: got %q", got)
	}
	g.err = nil
	if got := call(c, context.Background(), "key", g); got != "access 9" {
		t.Errorf("after all: got %q", got)
	}
	// A failure after a success is a first one.
	clk.advance(time.Minute)
	g.err = errGrantFailed
	call(c, context.Background(), "key", g)
	clk.advance(time.Second)
	before := g.count.Load()
	call(c, context.Background(), "key", g)
	if g.count.Load() != before+1 {
		t.Error("failures of before a success still count")
	}
}

// A failure counts once, however many wait for it, and for its key alone.
func TestFailureCountsOnce(t *testing.T) {
	for _, c := range []struct {
		err             error
		want            string
		failed, refused int64
	}{
		{errGrantFailed, "failed", 1, 0},
		{errGrantRefused, "refused", 0, 1},
	} {
		coordinator := newTestCoordinator(newClock())
		g := newGrants()
		g.err = c.err
		results := make(chan string, 50)
		for i := 0; i < 50; i++ {
			go func() { results <- call(coordinator, context.Background(), "key", g) }()
		}
		eventually(t, "all to wait", func() bool { return coordinator.followers.Load() == 49 })
		close(g.gate)
		for i := 0; i < 50; i++ {
			if got := <-results; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		}
		if failed, refused := coordinator.failed.Load(), coordinator.refused.Load(); failed != c.failed || refused != c.refused {
			t.Errorf("%v: %d failed and %d refused are counted", c.err, failed, refused)
		}
		if got := call(coordinator, context.Background(), "another key", openGrants()); got != "access 1" {
			t.Errorf("another key: got %q", got)
		}
	}
}

func TestFailuresAreBounded(t *testing.T) {
	c := newTestCoordinator(newClock())
	for i := 0; i < failuresKept+10; i++ {
		c.backOff(strconv.Itoa(i))
	}
	if len(c.failures) > failuresKept {
		t.Errorf("%d failures are kept", len(c.failures))
	}
}

// A panic is a failure of its key, and of nothing else.
func TestPanicInAGrant(t *testing.T) {
	clk := newClock()
	c := newTestCoordinator(clk)
	for i := 0; i < 2*maxGrants; i++ {
		result, err := c.CoordinateRefresh(context.Background(), strconv.Itoa(i), func(_ context.Context) (*granted, error) {
			panic("out of order")
		})
		if result != nil || !errors.Is(err, errGrantFailed) {
			t.Fatalf("got %v, %v", result, err)
		}
	}
	if len(c.slots) != 0 || len(c.flights) != 0 {
		t.Errorf("%d slots and %d flights are left", len(c.slots), len(c.flights))
	}
	if got := call(c, context.Background(), "key", openGrants()); got != "access 1" {
		t.Errorf("the next: got %q", got)
	}
}

// However many sessions are due at once, few grants are under way.
func TestGrantsInFlight(t *testing.T) {
	c := newTestCoordinator(newClock())
	const keys = 300
	var mu sync.Mutex
	now, most := 0, 0
	arrived := make(chan struct{}, keys)
	gate := make(chan struct{})
	results := make(chan error, keys)
	for i := 0; i < keys; i++ {
		key := strconv.Itoa(i)
		go func() {
			_, err := c.CoordinateRefresh(context.Background(), key, func(_ context.Context) (*granted, error) {
				mu.Lock()
				now++
				if now > most {
					most = now
				}
				mu.Unlock()
				arrived <- struct{}{}
				<-gate
				mu.Lock()
				now--
				mu.Unlock()
				return &granted{AccessToken: key}, nil
			})
			results <- err
		}()
	}
	for i := 0; i < maxGrants; i++ {
		take(t, "a grant", arrived)
	}
	eventually(t, "the others to wait", func() bool { return c.queued.Load() == keys-maxGrants })
	close(gate)
	for i := 0; i < keys; i++ {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
	if most != maxGrants {
		t.Errorf("%d grants at once, want %d", most, maxGrants)
	}
	if c.grants.Load() != keys {
		t.Errorf("%d grants, want %d", c.grants.Load(), keys)
	}
}

func TestQueueIsBounded(t *testing.T) {
	c := newTestCoordinator(newClock())
	c.queued.Store(maxQueued)
	g := openGrants()
	if got := call(c, context.Background(), "key", g); got != "failed" || g.count.Load() != 0 || c.overloaded.Load() != 1 {
		t.Errorf("got %q after %d grants, %d counted as too many", got, g.count.Load(), c.overloaded.Load())
	}
	c.queued.Store(maxQueued - 1)
	if got := call(c, context.Background(), "key", g); got != "access 1" {
		t.Errorf("got %q", got)
	}
}
