package latchkey

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"
)

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

// A request that looked at its session before that was ended comes after the
// refusal: the dead token is not tried again.
func TestRefusedTokenIsNotTriedAgain(t *testing.T) {
	clk := newClock()
	c := newTestCoordinator(clk)
	g := openGrants()
	g.err = errGrantRefused
	for i := 0; i < 3; i++ {
		if got := call(c, context.Background(), "key", g); got != "refused" {
			t.Errorf("got %q", got)
		}
		clk.advance(10 * time.Second)
	}
	if g.count.Load() != 1 || c.refused.Load() != 1 {
		t.Errorf("%d tries, %d refusals counted, want 1", g.count.Load(), c.refused.Load())
	}
	if call(c, context.Background(), "key", g); g.count.Load() != 2 {
		t.Errorf("%d tries after the time of a shared result, want 2", g.count.Load())
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
