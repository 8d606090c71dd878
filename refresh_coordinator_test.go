package latchkey

import (
	"context"
	"errors"
	"strconv"
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
