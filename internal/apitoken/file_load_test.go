package apitoken

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

// The file is looked at once in a window, however many ask.
func TestOneCheckInAWindow(t *testing.T) {
	g := newRig(t)
	g.put(fileOf(token("a", "alice")))
	f := g.open()
	wantStats(t, "at first", f, Stats{Tokens: 1, Loads: 1})
	ask := func() {
		var all sync.WaitGroup
		for i := 0; i < 50; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for n := 0; n < 20; n++ {
					_, _, _ = f.Find(ctx, id("a"))
				}
			}()
		}
		all.Wait()
	}
	for window := int64(0); window < 5; window++ {
		ask()
		wantStats(t, fmt.Sprintf("window %d", window), f, Stats{Tokens: 1, Loads: 1, Checks: window})
		if got := f.Until(g.clock.now()).Sub(g.clock.now()); got != time.Minute {
			t.Errorf("window %d: good for %v", window, got)
		}
		g.clock.advance(59 * time.Second)
		ask()
		if s := f.Stats(); s.Checks != window {
			t.Errorf("window %d: %d checks before its end", window, s.Checks)
		}
		if got := f.Until(g.clock.now()).Sub(g.clock.now()); got != time.Second {
			t.Errorf("window %d: good for %v at its end", window, got)
		}
		g.clock.advance(time.Second)
	}
	g.clock.advance(-time.Hour)
	ask()
	if s := f.Stats(); s.Checks != 5 {
		t.Errorf("the clock was put back: %d checks, want 5", s.Checks)
	}
}

// An edit shows with the next window, to the one that finds it at once. What
// opened changed tokens is told, and nothing else.
func TestEditsFromOutside(t *testing.T) {
	g := newRig(t)
	a, b, c := token("a", "alice"), token("b", "bob"), token("c", "carol")
	b.PreviousHash = hash("d")
	g.put(fileOf(a, b, c))
	f := g.open()
	generation := int64(0)
	for _, step := range []struct {
		what  string
		edit  func()
		moves bool
		dead  string
		list  string
	}{
		{"nothing", func() {}, false, "", "abc"},
		{"touched", func() { touch(t, g.path) }, false, "", "abc"},
		{"written again", func() { g.put(fileOf(a, b, c)) }, false, "", "abc"},
		{"one more", func() { g.put(fileOf(a, b, c, token("e", "eve"))) }, true, "", "abce"},
		{"one less", func() { g.put(fileOf(a, b, c)) }, true, id("e") + " eeee", "abc"},
		{"one changed", func() { a.Scopes = []string{"x"}; g.put(fileOf(a, b, c)) }, true, id("a") + " aaaa", "abc"},
		{"one in its grace changed", func() { b.Note = "x"; g.put(fileOf(a, b, c)) }, true, id("b") + " bbbb, " + id("b") + " dddd", "abc"},
		{"others of the same size", func() { g.put(fileOf(a, b, token("f", "carol"))) }, true, id("c") + " cccc", "abf"},
		{"none", func() { g.put(fileOf()) }, true, id("a") + " aaaa, " + id("b") + " bbbb, " + id("b") + " dddd, " + id("f") + " ffff", ""},
	} {
		step.edit()
		if dead := g.deaths(); dead != "" || f.Stats().Generation != generation {
			t.Errorf("%s: told of %s before the window's end", step.what, dead)
		}
		g.settle(f)
		if got := listed(t, f, ""); got != step.list {
			t.Errorf("%s: tokens %s, want %s", step.what, got, step.list)
		}
		if dead := g.deaths(); dead != step.dead {
			t.Errorf("%s: dead: %s, want %s", step.what, dead, step.dead)
		}
		if moved := f.Stats().Generation != generation; moved != step.moves {
			t.Errorf("%s: the generation moved: %v", step.what, moved)
		}
		generation = f.Stats().Generation
	}
	if s := f.Stats(); s.Generation != 6 || s.Loads != 7 || s.Failures != 0 {
		t.Errorf("at the end %+v", s)
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// The request that finds the file changed has what is in it, if that is quick.
func TestFinderWaits(t *testing.T) {
	g := newRig(t)
	f := g.open()
	for round := 0; round < 20; round++ {
		g.put(fileOf(token("a", "alice")))
		g.clock.advance(time.Minute)
		began := time.Now()
		if _, found, _ := f.Find(ctx, id("a")); !found && time.Since(began) < patience {
			t.Fatalf("round %d: did not wait", round)
		}
		eventually(t, "the load to end", func() bool { return !f.isLoading() })
		g.put(fileOf())
		g.settle(f)
	}
}

// Nobody waits for a load that hangs, and only one is under way. The next window
// is not lost over it.
func TestLoadThatHangs(t *testing.T) {
	g := newRig(t)
	c := g.config()
	entered := make(chan struct{}, 10)
	leave := make(chan struct{})
	c.Changed = func(_ []Secret) {
		entered <- struct{}{}
		<-leave
	}
	g.put(fileOf(token("a", "alice")))
	f, err := OpenFile(c)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g.put(fileOf(token("b", "alice")))
	g.clock.advance(time.Minute)
	began := time.Now()
	_, _, _ = f.Find(ctx, id("b"))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the request waited %v", took)
	}
	<-entered
	if now := g.clock.now(); f.Until(now).After(now) {
		t.Error("an answer stands though a load is under way")
	}
	if _, found, _ := f.Find(ctx, id("b")); !found {
		t.Error("the new set is not in force before it is told of")
	}
	g.put(fileOf(token("c", "alice")))
	g.clock.advance(time.Minute)
	_, _, _ = f.Find(ctx, id("c"))
	if len(entered) != 0 || f.Stats().Checks != 2 {
		t.Errorf("a second load began, or none was noted: %+v", f.Stats())
	}
	close(leave)
	eventually(t, "the later edit, in the same window", func() bool {
		_, found, _ := f.Find(ctx, id("c"))
		return found
	})
	eventually(t, "the load to end", func() bool { return !f.isLoading() })
	if f.Stats().Checks != 2 {
		t.Errorf("%d checks", f.Stats().Checks)
	}
}

// A panic while loading ends neither the process nor the loading.
func TestLoadThatPanics(t *testing.T) {
	g := newRig(t)
	c := g.config()
	c.Changed = func(_ []Secret) { panic("told") }
	g.put(fileOf(token("a", "alice")))
	f, err := OpenFile(c)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g.put(fileOf())
	g.settle(f)
	if s := f.Stats(); s.Failures != 1 || s.Tokens != 0 {
		t.Errorf("got %+v", s)
	}
	g.put(fileOf(token("b", "bob")))
	g.settle(f)
	if got := listed(t, f, ""); got != "b" {
		t.Errorf("tokens %s", got)
	}
}

// Of two that found the window over, the second finds it begun anew.
func TestWindowIsBegunOnce(t *testing.T) {
	g := newRig(t)
	f := g.open()
	g.clock.advance(time.Minute)
	first := f.beginWindow(g.clock.now())
	second := f.beginWindow(g.clock.now())
	if !first || second {
		t.Errorf("begun: %v, %v", first, second)
	}
}

// A load and a write of this process, step by step in the orders that matter.
func TestLoadBesideWrite(t *testing.T) {
	g := newRig(t)
	g.put(fileOf(token("a", "alice")))
	f := g.open()

	// The load has read the file before the write.
	base, swaps := f.inForce()
	mustCreate(t, f, token("b", "bob"))
	if f.swap(base, swaps) {
		t.Error("what was read before the write is in force")
	}
	if got := listed(t, f, ""); got != "ab" {
		t.Errorf("tokens %s", got)
	}

	// The load reads what the write has put in place, and not in force.
	before := f.Stats()
	next := fileOf(token("b", "bob"))
	f.expect(digestOf([]byte(next)))
	g.put(next)
	f.loadNow()
	wantStats(t, "the write is not done", f, before)
	if dead := g.deaths(); dead != "" {
		t.Errorf("told of an own change: %s", dead)
	}

	// Without the write it is an edit from outside.
	f.expect("")
	f.loadNow()
	if dead := g.deaths(); dead != id("a")+" aaaa" {
		t.Errorf("told of %s", dead)
	}
}

// A window ends on a whole second: callers count in those.
func TestWindowsEndOnSeconds(t *testing.T) {
	g := newRig(t)
	g.clock.advance(500 * time.Millisecond)
	f := g.open()
	for i := 0; i < 3; i++ {
		now := g.clock.now()
		_, _, _ = f.Find(ctx, id("a"))
		end := f.Until(now)
		if end.Nanosecond() != 0 || end.Sub(now) > time.Minute || end.Sub(now) <= time.Minute-time.Second {
			t.Errorf("at %v the window ends at %v", now, end)
		}
		g.clock.advance(time.Minute + 300*time.Millisecond)
	}
}

// Who waits for a load goes on when it has ended, and not when its patience has.
func TestEndOfALoadIsTold(t *testing.T) {
	g := newRig(t)
	f := g.open()
	g.put(fileOf(token("a", "alice")))
	info, err := os.Stat(g.path)
	if err != nil {
		t.Fatal(err)
	}
	done := f.beginLoad(info)
	f.load(done)
	if !wait.Now(done) {
		t.Error("the load has ended, and nobody is told")
	}
}
