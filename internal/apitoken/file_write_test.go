package apitoken

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A write is seen here at once, and is no edit from outside; another process sees
// it with its next window.
func TestWritesAreSeenAtOnce(t *testing.T) {
	g := newRig(t)
	f := g.open()
	other := g.open()
	mustCreate(t, f, token("a", "alice"))
	wantStats(t, "created", f, Stats{Tokens: 1, Generation: 1, Loads: 1})
	if _, err := f.Update(ctx, id("a"), setNote("x")); err != nil {
		t.Fatal(err)
	}
	g.settle(f)
	wantStats(t, "updated, and looked at", f, Stats{Tokens: 1, Generation: 2, Loads: 1, Checks: 1})
	if dead := g.deaths(); dead != "" {
		t.Errorf("told of an own change: %s", dead)
	}
	if got := listed(t, other, ""); got != "a" || find(t, other, id("a")).Note != "x" {
		t.Errorf("the other has %q", got)
	}
	g.settle(other)
	g.deaths()
	if _, err := f.Delete(ctx, id("a")); err != nil {
		t.Fatal(err)
	}
	wantStats(t, "deleted", f, Stats{Generation: 3, Loads: 1, Checks: 1})
	if dead := g.deaths(); dead != "" {
		t.Errorf("told of an own deletion: %s", dead)
	}
	g.settle(other)
	if dead := g.deaths(); listed(t, other, "") != "" || dead != id("a")+" aaaa" {
		t.Errorf("the other was told of %q", dead)
	}
	if info, err := os.Stat(g.path); err != nil || info.Mode() != 0o600 || g.folder() != "tokens.json" {
		t.Errorf("mode %v, %v; in the folder %s", info.Mode(), err, g.folder())
	}
	if strings.Contains(g.content(), `"id"`) {
		t.Error("the file has each id twice")
	}
}

// An edit that was not seen yet is kept, and told.
func TestEditsAreKept(t *testing.T) {
	g := newRig(t)
	a, b := token("a", "alice"), token("b", "bob")
	g.put(fileOf(a, b))
	f := g.open()
	b.Hash = hash("1")
	g.put(fileOf(b, token("c", "carol")))
	updated, err := f.Update(ctx, id("b"), setNote("x"))
	if err != nil || updated.Hash != hash("1") {
		t.Errorf("changed what was not in the file: %+v, %v", updated, err)
	}
	if dead := g.deaths(); dead != id("a")+" aaaa, "+id("b")+" bbbb" {
		t.Errorf("told of %q", dead)
	}
	if got := listed(t, f, ""); got != "bc" || f.Stats().Loads != 2 {
		t.Errorf("tokens %s, %+v", got, f.Stats())
	}
	// The one that is to be updated was deleted.
	g.put(fileOf())
	if _, err := f.Update(ctx, id("b"), setNote("y")); !errors.Is(err, ErrNotFound) {
		t.Errorf("updated what is gone: %v", err)
	}
	g.settle(f)
	if got := listed(t, f, ""); got != "" {
		t.Errorf("tokens %s", got)
	}
}

// What this process wrote is an edit from outside when somebody puts it back.
func TestOwnContentPutBack(t *testing.T) {
	g := newRig(t)
	f := g.open()
	mustCreate(t, f, token("a", "alice"))
	own := g.content()
	g.put(fileOf())
	g.settle(f)
	g.put(own)
	g.settle(f)
	if got := listed(t, f, ""); got != "a" {
		t.Errorf("tokens %q", got)
	}
}

// Two processes, each with writers: no change is lost.
func TestTwoWriters(t *testing.T) {
	g := newRig(t)
	one := token("a", "alice")
	one.Note = "0"
	first := g.open()
	mustCreate(t, first, one)
	second := g.open()
	const each, writers = 50, 3
	var all sync.WaitGroup
	for _, f := range []*File{first, second} {
		for w := 0; w < writers; w++ {
			s := f
			all.Add(1)
			go func() {
				defer all.Done()
				for n := 0; n < each; n++ {
					if _, err := s.Update(ctx, id("a"), addOne); err != nil {
						t.Error(err)
						return
					}
				}
			}()
		}
	}
	all.Wait()
	g.settle(first)
	g.settle(second)
	want := fmt.Sprint(2 * writers * each)
	if got, other := find(t, first, id("a")).Note, find(t, second, id("a")).Note; got != want || other != want {
		t.Errorf("%s changes, of which %s and %s are left", want, got, other)
	}
	if g.folder() != "tokens.json" {
		t.Errorf("left in the folder: %s", g.folder())
	}
	if g.log.count("cannot be used") != 0 {
		t.Error("a reader came across a bad file")
	}
}

// Writers, readers and an editor at once.
func TestReadersAndWriters(t *testing.T) {
	g := newRig(t)
	f := g.open()
	mustCreate(t, f, token("a", "alice"))
	other := g.open()
	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := 0; n < 100; n++ {
				g.clock.advance(time.Minute)
				if _, found, _ := f.Find(ctx, id("a")); !found {
					t.Error("a reader found nothing")
					return
				}
				_, _, _ = other.Find(ctx, id("a"))
			}
		}()
	}
	for n := 0; n < 30; n++ {
		if _, err := f.Update(ctx, id("a"), setNote(fmt.Sprint(n))); err != nil {
			t.Error(err)
		}
		if got := find(t, f, id("a")).Note; got != fmt.Sprint(n) {
			t.Errorf("wrote %d, and found %s", n, got)
		}
	}
	all.Wait()
	if dead := g.deaths(); f.Stats().Generation != 31 || f.Stats().Failures+other.Stats().Failures != 0 {
		t.Errorf("got %+v, told of %s", f.Stats(), dead)
	}
}

// A write that fails leaves the old file, and nothing beside it.
func TestWritesThatFail(t *testing.T) {
	whole := fileOf(token("a", "alice"))
	for _, c := range []struct {
		what   string
		spoil  func(g *rig)
		change func(t Token) (Token, error)
		folder string
	}{
		{"a bad file", func(g *rig) { g.put("{") }, nil, "tokens.json"},
		{"a file with a wrong mode", func(g *rig) { _ = os.Chmod(g.path, 0o666) }, nil, "tokens.json"},
		{"a file that is gone", func(g *rig) { _ = os.Remove(g.path) }, nil, ""},
		{"a folder that is gone", func(g *rig) { _ = os.RemoveAll(filepath.Dir(g.path)) }, nil, "gone"},
		{"a link to nowhere", func(g *rig) { _ = os.Remove(g.path); _ = os.Symlink("nowhere", g.path) }, nil, "tokens.json"},
		{"a folder for the lock", func(g *rig) { _ = os.Mkdir(g.path+".lock", 0o700) }, nil, "tokens.json tokens.json.lock"},
	} {
		g := newRig(t)
		g.put(whole)
		f := g.open()
		c.spoil(g)
		before, _ := os.ReadFile(g.path)
		brief, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		_, err := f.Update(brief, id("a"), setNote("x"))
		cancel()
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", c.what, err)
		}
		after, _ := os.ReadFile(g.path)
		if string(before) != string(after) {
			t.Errorf("%s: the file is %q", c.what, after)
		}
		if _, err := os.Stat(filepath.Dir(g.path)); err == nil && g.folder() != c.folder {
			t.Errorf("%s: in the folder: %s", c.what, g.folder())
		}
		if got := find(t, f, id("a")); got.Note != "" || f.Stats().Generation != 0 {
			t.Errorf("%s: here it was made: %+v", c.what, f.Stats())
		}
		_ = os.Remove(g.path + ".lock")
		eventually(t, c.what+": the writer to end", func() bool { return !f.isWriting() })
	}
}

// Trouble in the midst of a write, when the new file is written and not in place.
func TestWritesThatFailMidway(t *testing.T) {
	whole := fileOf(token("a", "alice"))
	edited := fileOf(token("a", "alice"), token("b", "bob"))
	for _, c := range []struct {
		what  string
		spoil func(g *rig)
		want  string // the file's content
	}{
		{"an editor was quicker", func(g *rig) { g.put(edited) }, edited},
		{"the lock was taken over", func(g *rig) { put(g.t, g.path+".lock", "another") }, whole},
		{"the lock is gone", func(g *rig) { _ = os.Remove(g.path + ".lock") }, whole},
		{"the lock is old", func(g *rig) { age(g.t, g.path+".lock", 9*time.Second) }, whole},
		{"the folder cannot be written to", func(g *rig) {
			_ = os.Remove(g.path)
			_ = os.Mkdir(g.path, 0o700)
			_ = os.WriteFile(g.path+"/x", nil, 0o600)
		}, ""},
	} {
		g := newRig(t)
		g.put(whole)
		f := g.open()
		_, err := f.Update(ctx, id("a"), func(t Token) (Token, error) {
			c.spoil(g)
			t.Note = "x"
			return t, nil
		})
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", c.what, err)
		}
		got, _ := os.ReadFile(g.path)
		if string(got) != c.want || strings.Contains(g.folder(), tempMark) {
			t.Errorf("%s: the file is %q; in the folder: %s", c.what, got, g.folder())
		}
		if got := find(t, f, id("a")); got.Note != "" {
			t.Errorf("%s: here it was made", c.what)
		}
		if err := os.Remove(g.path + ".lock"); err == nil && !strings.HasPrefix(c.what, "the lock was") {
			t.Errorf("%s: the lock stayed", c.what)
		}
	}
}

// A change that panics leaves neither lock nor turn behind.
func TestChangeThatPanics(t *testing.T) {
	g := newRig(t)
	f := g.open()
	mustCreate(t, f, token("a", "alice"))
	func() {
		defer func() { _ = recover() }()
		_, _ = f.Update(ctx, id("a"), func(_ Token) (Token, error) { panic("change") })
	}()
	if _, err := f.Update(ctx, id("a"), setNote("x")); err != nil {
		t.Error(err)
	}
}

// A file that the disk did not take is not put in force: a pipe takes what is
// written, and cannot be synced.
func TestContentThatIsNotSynced(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	if _, err := fill(writer, []byte("content"), nil); err == nil {
		t.Error("it passes for written")
	}
}
