package latchkey

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"
)

// testContext ends when the test does, as Traefik's does before a reload.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}

// graceOver collects what waits for the grace period, for the test to run.
type graceOver struct {
	mu      sync.Mutex
	waiting []func()
	added   chan struct{}
}

func newGrace() *graceOver { return &graceOver{added: make(chan struct{}, 100)} }

func (g *graceOver) after(_ time.Duration, f func()) {
	g.mu.Lock()
	g.waiting = append(g.waiting, f)
	g.mu.Unlock()
	g.added <- struct{}{}
}

// pass lets the grace period of n ended contexts pass.
func (g *graceOver) pass(t *testing.T, n int) {
	t.Helper()
	g.wait(t, n)
	g.run()
}

// wait waits until n uses have ended.
func (g *graceOver) wait(t *testing.T, n int) {
	t.Helper()
	for i := 0; i < n; i++ {
		select {
		case <-g.added:
		case <-time.After(10 * time.Second):
			t.Fatal("an ended context released nothing")
		}
	}
}

// run lets the grace period of all that wait for it pass.
func (g *graceOver) run() {
	g.mu.Lock()
	waiting := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

func TestRegistrySharesAndReleases(t *testing.T) {
	grace := newGrace()
	g := &registry{after: grace.after}
	opened, closed := 0, 0
	use := func(ctx context.Context, key string) interface{} {
		return g.use(ctx, key, func() (interface{}, func()) {
			opened++
			return opened, func() { closed++ }
		})
	}
	first, endFirst := context.WithCancel(context.Background())
	second, endSecond := context.WithCancel(context.Background())
	a := use(first, "a")
	if use(second, "a") != a || opened != 1 {
		t.Errorf("two users of one fingerprint opened %d resources", opened)
	}
	if use(second, "b") == a {
		t.Error("two fingerprints share a resource")
	}
	endFirst()
	grace.pass(t, 1)
	if closed != 0 || g.held() != 2 {
		t.Errorf("closed %d resources that are in use", closed)
	}
	// A reload: the next configuration takes over within the grace period.
	endSecond()
	third, endThird := context.WithCancel(context.Background())
	if use(third, "a") != a {
		t.Error("a reload lost the resource")
	}
	grace.pass(t, 2)
	if closed != 1 || g.held() != 1 {
		t.Errorf("closed %d and held %d after a reload without b, want 1 and 1", closed, g.held())
	}
	endThird()
	grace.pass(t, 1)
	if closed != 2 || g.held() != 0 {
		t.Errorf("closed %d and held %d after the last user, want 2 and 0", closed, g.held())
	}
}

// New many times over leaves nothing behind but what is in use.
func TestReloadsReleaseEverything(t *testing.T) {
	grace := newGrace()
	own := resources
	resources = &registry{after: grace.after}
	defer func() { resources = own }()
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	uses := 0
	for i := 0; i < 20; i++ {
		ctx, end := context.WithCancel(context.Background())
		if _, err := New(ctx, next, validConfig(), "test"); err != nil {
			t.Fatal(err)
		}
		uses = resources.held()
		end()
		grace.pass(t, uses)
		if held := resources.held(); held != 0 {
			t.Fatalf("%d resources are held after reload %d", held, i)
		}
	}
	if uses == 0 {
		t.Error("nothing was shared")
	}
}
