package apitoken

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// waiting waits until so many jobs do.
func waiting(t *testing.T, f *File, first, then int) {
	t.Helper()
	eventually(t, "the jobs to wait", func() bool {
		f.queue.mu.Lock()
		defer f.queue.mu.Unlock()
		return len(f.queue.first) == first && len(f.queue.then) == then
	})
}

// All that waits is written at once, and what was revoked comes before whatever
// waited for longer.
func TestWritesAreGrouped(t *testing.T) {
	g := newRig(t)
	g.put(fileOf(token("a", "alice"), token("b", "bob")))
	f := g.open()
	held, err := takeLock(context.Background(), g.path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	var all sync.WaitGroup
	errs := make([]error, n+1)
	for i := 0; i < n; i++ {
		k := i
		all.Add(1)
		go func() {
			defer all.Done()
			_, errs[k] = f.Update(context.Background(), id("a"), func(t Token) (Token, error) {
				t.Note += "x"
				return t, nil
			})
		}()
	}
	waiting(t, f, 0, n)
	var late error
	all.Add(2)
	go func() {
		defer all.Done()
		_, late = f.Update(context.Background(), id("b"), func(t Token) (Token, error) { return t, nil })
	}()
	waiting(t, f, 0, n+1)
	go func() {
		defer all.Done()
		_, errs[n] = f.Delete(context.Background(), id("b"))
	}()
	waiting(t, f, 1, n+1)
	_, before := f.inForce()
	held.release()
	all.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if !errors.Is(late, ErrNotFound) {
		t.Errorf("a change of what is revoked: %v", late)
	}
	if _, after := f.inForce(); after != before+1 {
		t.Errorf("the file was replaced %d times, want once", after-before)
	}
	kept, found, err := f.Find(context.Background(), id("a"))
	if err != nil || !found || strings.Count(kept.Note, "x") != n {
		t.Errorf("after all of them the note is %q, %v", kept.Note, err)
	}
}

// Who has given up by the time that the file can be written is not written.
func TestGivenUpIsNotWritten(t *testing.T) {
	g := newRig(t)
	g.put(fileOf(token("a", "alice")))
	f := g.open()
	held, err := takeLock(context.Background(), g.path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- f.Create(ctx, token("b", "bob"), 0) }()
	waiting(t, f, 0, 1)
	other := make(chan error)
	go func() { other <- f.Create(context.Background(), token("c", "carol"), 0) }()
	waiting(t, f, 0, 2)
	cancel()
	if err := <-done; !errors.Is(err, ErrUnavailable) {
		t.Errorf("given up: %v", err)
	}
	held.release()
	if err := <-other; err != nil {
		t.Errorf("the other: %v", err)
	}
	if got := listed(t, f, ""); got != "ac" {
		t.Errorf("tokens %s", got)
	}
}

// A file that could not be parsed is not tried again until its time or size tell
// that it is another, unless it is too young for them to tell.
func TestBadFileIsNotParsedAgain(t *testing.T) {
	good := fileOf(token("a", "alice"))
	spoilt := strings.Replace(good, "version", "Version", 1)
	now := time.Now()
	for what, c := range map[string]struct {
		age, later time.Duration
		want       string
	}{
		"the same":        {time.Minute, 0, ""},
		"a second later":  {time.Minute, time.Second, "a"},
		"the same, young": {0, 0, "a"},
	} {
		g := newRig(t)
		g.put(spoilt)
		at := now.Add(-c.age)
		if err := os.Chtimes(g.path, at, at); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFile(g.config())
		if err == nil {
			t.Fatalf("%s: opened", what)
		}
		if _, _, err := f.Find(context.Background(), id("a")); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: found: %v", what, err)
		}
		// In place, as no editor does, so that it is the same file.
		if err := os.WriteFile(g.path, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
		at = at.Add(c.later)
		if err := os.Chtimes(g.path, at, at); err != nil {
			t.Fatal(err)
		}
		g.settle(f)
		g.settle(f)
		got := ""
		if list, err := f.List(context.Background(), ""); err == nil {
			for range list {
				got += "a"
			}
		}
		if got != c.want {
			t.Errorf("%s: tokens %q, want %q", what, got, c.want)
		}
		f.Close()
	}
}

// A damaged file of any size is refused before anything is made of it.
func TestDamagedFileCostsLittle(t *testing.T) {
	const tokens = 3000
	var text strings.Builder
	text.WriteString(`{"version":1,"tokens":{`)
	for i := 0; i < tokens; i++ {
		fmt.Fprintf(&text, `"%016x":{"hash":"%s","owner":"alice","created":1},`, i, hash("a"))
	}
	content := []byte(text.String())
	if n := testing.AllocsPerRun(3, func() {
		if _, err := parse(content); err == nil {
			t.Error("parsed")
		}
	}); n > tokens {
		t.Errorf("%v allocations", n)
	}
}
