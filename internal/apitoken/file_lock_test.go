package apitoken

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A dead writer's lock is taken over, a live one's is waited for.
func TestStaleLock(t *testing.T) {
	g := newRig(t)
	f := g.open()
	for _, c := range []struct {
		what    string
		content string
		old     time.Duration
		want    bool
	}{
		{"a live one's", "live", 0, false},
		{"one of 5 seconds", "live", 5 * time.Second, false},
		{"one of 11 seconds", "dead", 11 * time.Second, true},
		{"an empty one of 11 seconds", "", 11 * time.Second, true},
		{"one of the future", "live", -time.Hour, false},
	} {
		put(t, g.path+".lock", c.content)
		age(t, g.path+".lock", c.old)
		patient, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		if c.want {
			patient = ctx
		}
		err := f.Create(patient, token("a", "alice"), 0)
		cancel()
		if (err == nil) != c.want {
			t.Errorf("%s: %v, want it taken over: %v", c.what, err, c.want)
		}
		if err == nil {
			if _, err := f.Delete(ctx, id("a")); err != nil {
				t.Error(err)
			}
		}
		_ = os.Remove(g.path + ".lock")
	}
	if g.folder() != "tokens.json" {
		t.Errorf("left in the folder: %s", g.folder())
	}
}

// The wait ends when the lock is given back, and with the caller.
func TestLockIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := takeLock(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *lock, 1)
	go func() {
		second, err := takeLock(ctx, path)
		if err != nil {
			t.Error(err)
		}
		got <- second
	}()
	brief, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if _, err := takeLock(brief, path); err == nil {
		t.Error("taken twice")
	}
	if len(got) != 0 {
		t.Error("taken while another has it")
	}
	first.release()
	second := <-got
	if err := second.renew(); err != nil {
		t.Error(err)
	}
	if err := first.renew(); err == nil {
		t.Error("the first thinks that it has what the second has")
	}
	first.release()
	if err := second.renew(); err != nil {
		t.Errorf("the first gave back the second's: %v", err)
	}
	second.release()
	if _, err := os.Stat(path); err == nil {
		t.Error("given back, and there")
	}
}

// Of many that take over one dead writer's lock one wins at a time.
func TestOneTakesOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var holders, worst, wins atomic.Int64
	for round := 0; round < 20; round++ {
		put(t, path, "dead")
		age(t, path, time.Minute)
		var all sync.WaitGroup
		for i := 0; i < 8; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				l, err := takeLock(ctx, path)
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n > worst.Load() {
					worst.Store(n)
				}
				if l.renew() == nil {
					wins.Add(1)
				}
				holders.Add(-1)
				l.release()
			}()
		}
		all.Wait()
	}
	if worst.Load() != 1 || wins.Load() != 160 {
		t.Errorf("%d had it at once, and %d of 160 had it", worst.Load(), wins.Load())
	}
}

// The takers' steps, one after the other, in the order that would let both win.
func TestTakersInterleaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	put(t, path, "dead")
	age(t, path, time.Minute)
	dead, err := seen(path)
	if err != nil {
		t.Fatal(err)
	}
	a := &lock{path: path, holder: "a"}
	b := &lock{path: path, holder: "b"}
	// Both saw the dead one's; a is about to remove it.
	guard := path + "." + dead.id
	if err := makeFile(guard, "a"); err != nil {
		t.Fatal(err)
	}
	b.remove(path, dead.id)
	if s, err := seen(path); err != nil || s.id != dead.id {
		t.Errorf("b removed the lock under a's guard: %v", err)
	}
	_ = os.Remove(guard)
	a.remove(path, dead.id)
	if err := makeFile(path, "a"); err != nil {
		t.Fatalf("the lock is not free for a: %v", err)
	}
	// Only now does b come to remove what it saw.
	b.remove(path, dead.id)
	if err := a.renew(); err != nil {
		t.Errorf("b removed a's lock: %v", err)
	}
	// An empty lock is told from another empty one by its time.
	put(t, path, "")
	age(t, path, time.Minute)
	empty, err := seen(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, "")
	b.remove(path, empty.id)
	if _, err := seen(path); err != nil {
		t.Error("a lock that is just being made was taken for the dead one")
	}
}

// A taker may die, too, with its guard in place.
func TestDeadTaker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	put(t, path, "dead")
	age(t, path, time.Hour)
	s, err := seen(path)
	if err != nil {
		t.Fatal(err)
	}
	guard := path + "." + s.id
	put(t, guard, "taker")
	brief, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := takeLock(brief, path); err == nil {
		t.Error("taken over while another is about it")
	}
	age(t, guard, time.Minute)
	l, err := takeLock(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	l.release()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
