package apitoken

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pipe makes a named pipe, which nobody writes to. The interpreter has neither
// syscall nor os/exec.
func pipe(t *testing.T, path string) {
	t.Helper()
	made, err := os.StartProcess("/bin/sh", []string{"sh", "-c", `exec mkfifo -m 0600 "$0"`, path}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if state, err := made.Wait(); err != nil || !state.Success() {
		t.Fatalf("mkfifo: %v, %v", state, err)
	}
}

// waitsForNobody fails the test when f waits for somebody who never comes.
func waitsForNobody(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{}, 1)
	go func() {
		f()
		done <- struct{}{}
	}()
	eventually(t, what, func() bool { return len(done) == 1 })
}

// A pipe in the place of the file, or of the uses, keeps nobody waiting.
func TestPipes(t *testing.T) {
	g := newRig(t)
	pipe(t, g.path)
	waitsForNobody(t, "the pipe to be refused", func() {
		if _, err := OpenFile(g.config()); err == nil || !strings.Contains(err.Error(), "regular") {
			t.Errorf("opened a pipe: %v", err)
		}
	})
	used := newRig(t)
	used.put(fileOf(token("a", "alice")))
	pipe(t, used.path+".used")
	waitsForNobody(t, "the uses to be passed over", func() { used.open() })
}

// A folder is refused, too, when it took the file's place after the first look.
func TestSuitable(t *testing.T) {
	g := newRig(t)
	info, err := os.Stat(filepath.Dir(g.path))
	if err != nil {
		t.Fatal(err)
	}
	if err := suitable(g.path, info); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("a folder: %v", err)
	}
}

// A file that is too large is not read, nor written.
func TestFileIsBounded(t *testing.T) {
	g := newRig(t)
	put(t, g.path, "")
	if err := os.Truncate(g.path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(g.config()); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("opened: %v", err)
	}
	g.put(fileOf())
	f := g.open()
	held, err := takeLock(ctx, g.path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer held.release()
	base, _ := f.inForce()
	large := map[string]Token{id("a"): {Note: strings.Repeat("n", maxFile)}}
	if _, err := f.put(held, base, large); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("written: %v", err)
	}
	if g.content() != fileOf() {
		t.Error("the file changed")
	}
}

// An edit in place shows by its time or its size, whichever of them stays.
func TestEditsInPlace(t *testing.T) {
	at := time.Unix(1500000000, 0)
	edit := func(g *rig, content string, at time.Time) {
		if err := os.WriteFile(g.path, []byte(content), 0o600); err != nil {
			g.t.Fatal(err)
		}
		if err := os.Chtimes(g.path, at, at); err != nil {
			g.t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what    string
		content string
		at      time.Time
		want    string
	}{
		{"another time", fileOf(token("b", "alice")), at.Add(time.Nanosecond), "b"},
		{"another size", fileOf(token("a", "alice"), token("b", "bob")), at, "ab"},
	} {
		g := newRig(t)
		edit(g, fileOf(token("a", "alice")), at)
		f := g.open()
		edit(g, c.content, c.at)
		g.settle(f)
		if got := listed(t, f, ""); got != c.want {
			t.Errorf("%s: tokens %s, want %s", c.what, got, c.want)
		}
	}
}

// Of requests that find the window over at the same moment one looks.
func TestOneOfManyLooks(t *testing.T) {
	g := newRig(t)
	f := g.open()
	g.clock.advance(time.Minute)
	now := g.clock.now()
	for n := 0; n < 3; n++ {
		f.look(ctx, now)
	}
	if n := f.Stats().Checks; n != 1 {
		t.Errorf("%d looks", n)
	}
}

// A set that was made from another than is in force now does not take its place:
// neither a loader's nor a writer's.
func TestOvertakenSets(t *testing.T) {
	g := newRig(t)
	f := g.open()
	base, swaps := f.inForce()
	mustCreate(t, f, token("a", "alice"))
	if f.swap(base, swaps) {
		t.Error("a loader put an older set in force")
	}
	if f.swapOwn(base, swaps, false) {
		t.Error("a writer put an older set in force")
	}
	if got := listed(t, f, ""); got != "a" {
		t.Errorf("tokens %s", got)
	}
}

// What a writer of this process has put in the file, and will have in force in a
// moment, is no edit from outside; what it has not, is.
func TestOwnWrites(t *testing.T) {
	g := newRig(t)
	g.put(fileOf(token("a", "alice")))
	f := g.open()
	next := fileOf(token("b", "bob"))
	f.expect(digestOf([]byte(next)))
	g.put(next)
	g.settle(f)
	if got := listed(t, f, "") + g.deaths(); got != "a" {
		t.Errorf("taken for an edit: tokens %s", got)
	}
	f.expect("")
	g.settle(f)
	if got := listed(t, f, ""); got != "b" {
		t.Errorf("not taken for an edit: tokens %s", got)
	}
	// A write that failed, or is in force, expects nothing more.
	for what, spoil := range map[string]func(){"failed": func() { _ = os.Remove(g.path + ".lock") }, "done": func() {}} {
		do := spoil
		_, _ = f.Update(ctx, id("b"), func(t Token) (Token, error) {
			do()
			t.Note = what
			return t, nil
		})
		f.mu.RLock()
		own := f.own
		f.mu.RUnlock()
		if own != "" {
			t.Errorf("%s: a content is expected", what)
		}
	}
}

// spoiling is a file's description that does something when it is read.
type spoiling struct {
	fs.FileInfo
	spoil func()
}

func (s *spoiling) Mode() fs.FileMode {
	s.spoil()
	mode := s.FileInfo.Mode()
	return mode
}

// A lock that was lost while the new file was being written leaves the old one in
// place, and so does an editor who was quicker.
func TestLockLostWhileWriting(t *testing.T) {
	for what, want := range map[string]string{"another has the lock": "was lost", "it was held for too long": "was lost"} {
		g := newRig(t)
		g.put(fileOf(token("a", "alice")))
		f := g.open()
		held, err := takeLock(ctx, g.path+".lock")
		if err != nil {
			t.Fatal(err)
		}
		spoil := func() { put(t, g.path+".lock", "another") }
		if what != "another has the lock" {
			spoil = func() { age(t, g.path+".lock", 9*time.Second) }
		}
		base, _ := f.inForce()
		spoilt := &set{tokens: base.tokens, digest: base.digest, info: &spoiling{FileInfo: base.info, spoil: spoil}}
		_, err = f.put(held, spoilt, map[string]Token{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
		if g.content() != fileOf(token("a", "alice")) || strings.Contains(g.folder(), tempMark) {
			t.Errorf("%s: the file changed; in the folder: %s", what, g.folder())
		}
	}
}

// Renewed, a lock is new.
func TestRenewedLockIsNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := takeLock(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	age(t, path, 7*time.Second)
	if err := l.renew(); err != nil {
		t.Fatal(err)
	}
	if s, err := seen(path); err != nil || s.age > 5*time.Second {
		t.Errorf("%v old, %v", s.age, err)
	}
}

// Nothing is written through what stands in the new file's place, and a link that
// leads nowhere stays.
func TestLinksInTheWay(t *testing.T) {
	g := newRig(t)
	folder := filepath.Dir(g.path)
	victim := filepath.Join(folder, "victim")
	put(t, victim, "mine")
	if err := os.Symlink(victim, g.path+tempMark+"1"); err != nil {
		t.Fatal(err)
	}
	if _, err := writeTemp(g.path+tempMark+"1", []byte("x"), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written through a link: %v", err)
	}
	if content, err := os.ReadFile(victim); err != nil || string(content) != "mine" {
		t.Errorf("the victim has %q, %v", content, err)
	}
	if err := os.Symlink("nowhere", g.path); err != nil {
		t.Fatal(err)
	}
	f := g.open()
	if err := f.Create(ctx, token("a", "alice"), 0); !errors.Is(err, ErrUnavailable) {
		t.Errorf("created behind a link to nowhere: %v", err)
	}
	if info, err := os.Lstat(g.path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
}

// Where root writes, the file stays its owner's.
func TestOwnerStays(t *testing.T) {
	if os.Geteuid() != 0 {
		return // nobody else may give a file away
	}
	g := newRig(t)
	g.put(fileOf())
	if err := os.Chown(g.path, 12345, 54321); err != nil {
		return // not even root may, in some containers
	}
	mustCreate(t, g.open(), token("a", "alice"))
	info, err := os.Stat(g.path)
	if err != nil {
		t.Fatal(err)
	}
	if user, group, ok := ownerOf(info); !ok || user != 12345 || group != 54321 {
		t.Errorf("it belongs to %d:%d, %v", user, group, ok)
	}
}

// A change gets a copy: what it does to it is not in force before it is written.
func TestChangeGetsACopy(t *testing.T) {
	g := newRig(t)
	f := g.open()
	one := token("a", "alice")
	one.Scopes = []string{"read"}
	mustCreate(t, f, one)
	_, err := f.Update(ctx, id("a"), func(t Token) (Token, error) {
		t.Scopes[0] = "admin"
		return t, errOwn
	})
	if got := find(t, f, id("a")); !errors.Is(err, errOwn) || got.Scopes[0] != "read" {
		t.Errorf("%v, and the scopes are %v", err, got.Scopes)
	}
}

// Of the uses in a minute one has them written, and none while one is about it.
func TestOneWritesUses(t *testing.T) {
	g := newRig(t)
	u := openUses(g.path+".used", nil)
	exists := func(_ string) bool { return true }
	for i, c := range []struct {
		digit string
		at    int64
		done  bool // the one before is
		want  bool
	}{
		{"a", 1000, false, true}, {"b", 1100, false, false}, {"c", 1059, true, false}, {"d", 1060, true, true}, {"e", 1061, true, false},
	} {
		if c.done {
			u.begin()
		}
		if got := u.note(id(c.digit), c.at, exists); got != c.want {
			t.Errorf("note %d: %v, want %v", i, got, c.want)
		}
	}
}
