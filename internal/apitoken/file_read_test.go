package apitoken

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// badFiles are not to be used, each for one reason.
func badFiles() map[string]string {
	whole := fileOf(token("a", "alice"))
	one := `{"hash":"` + hash("a") + `","owner":"alice","created":1}`
	file := func(tokens string) string { return `{"version":1,"tokens":{` + tokens + `}}` }
	named := func(name, token string) string { return file(`"` + name + `":` + token) }
	return map[string]string{
		"nothing":                     "",
		"space":                       " \n",
		"NUL":                         "\x00\x00\x00",
		"null":                        "null",
		"a list":                      "[]",
		"no member":                   "{}",
		"no version":                  `{"tokens":{}}`,
		"no tokens":                   `{"version":1}`,
		"tokens null":                 `{"version":1,"tokens":null}`,
		"tokens a list":               `{"version":1,"tokens":[]}`,
		"an unknown version":          `{"version":2,"tokens":{}}`,
		"a version in words":          `{"version":"1","tokens":{}}`,
		"an unknown member":           `{"version":1,"tokens":{},"more":1}`,
		"tokens twice":                `{"version":1,"tokens":{},"tokens":{}}`,
		"version twice":               `{"version":1,"version":1,"tokens":{}}`,
		"text after the end":          whole + "{}",
		"a bracket after the end":     whole + "}",
		"a token twice":               file(`"` + id("a") + `":` + one + `,"` + id("a") + `":` + one),
		"a token null":                named(id("a"), "null"),
		"a token of another id":       named(id("a"), `{"id":"`+id("b")+`",`+one[1:]),
		"a short id":                  named("aaaa", one),
		"an id in upper case":         named(strings.Repeat("A", 16), one),
		"a credential as id":          named(good+goodSum, one),
		"a short hash":                named(id("a"), strings.Replace(one, "aa", "a", 1)),
		"no owner":                    named(id("a"), strings.Replace(one, "alice", "", 1)),
		"a scope with a space":        named(id("a"), `{"scopes":["a b"],`+one[1:]),
		"a misspelled name":           named(id("a"), `{"expire":5,`+one[1:]),
		"an end in words":             named(id("a"), `{"expires":"2030-01-01",`+one[1:]),
		"an end in fractions":         named(id("a"), `{"expires":1.5,`+one[1:]),
		"an end beyond all time":      named(id("a"), `{"expires":99999999999999999999,`+one[1:]),
		"an end before time":          named(id("a"), `{"expires":-5,`+one[1:]),
		"a good one and then a bad":   file(`"` + id("a") + `":` + one + `,"` + id("b") + `":{}`),
		"two files, one in the other": whole + whole,
	}
}

// Nothing of a bad file counts: what was in force stays so. It is logged once, and
// counted each time; so is its end.
func TestBadFiles(t *testing.T) {
	for what, content := range badFiles() {
		g := newRig(t)
		g.put(fileOf(token("a", "alice"), token("c", "carol")))
		f := g.open()
		g.put(content)
		for n := int64(1); n <= 3; n++ {
			g.settle(f)
			wantStats(t, fmt.Sprintf("%s, %d times", what, n), f, Stats{Tokens: 2, Loads: 1, Failures: n, Checks: n})
		}
		if got := listed(t, f, ""); got != "ac" || g.deaths() != "" {
			t.Errorf("%s: tokens %s", what, got)
		}
		if n := g.log.count("cannot be used"); n != 1 {
			t.Errorf("%s: logged %d times", what, n)
		}
		g.put(fileOf(token("c", "carol")))
		g.settle(f)
		g.settle(f)
		if got := listed(t, f, ""); got != "c" || g.log.count("used again") != 1 {
			t.Errorf("%s: mended, tokens %s, logged %d times", what, got, g.log.count("used again"))
		}
		if g.log.count(hash("a")[:20]) != 0 || g.log.count(good) != 0 {
			t.Errorf("%s: the log has a secret's hash or a credential", what)
		}
		// At first it is a mistake.
		g.put(content)
		_, err := OpenFile(g.config())
		if err == nil || !strings.Contains(err.Error(), g.path) || strings.Contains(err.Error(), good) {
			t.Errorf("%s: opened: %v", what, err)
		}
	}
}

// A file that is cut off anywhere is none.
func TestTruncatedFile(t *testing.T) {
	whole := strings.TrimSpace(fileOf(token("a", "alice"), token("b", "bob")))
	for n := 0; n < len(whole); n++ {
		if tokens, err := parse([]byte(whole[:n])); err == nil || tokens != nil {
			t.Fatalf("the first %d bytes of %d count as a file", n, len(whole))
		}
	}
	if tokens, err := parse([]byte(whole)); err != nil || len(tokens) != 2 {
		t.Errorf("the whole: %v", err)
	}
}

func TestModes(t *testing.T) {
	for mode := os.FileMode(0); mode <= 0o777; mode++ {
		if mode&0o700 != 0o600 && mode != 0o444 && mode != 0o400 && mode != 0o777 {
			continue // of those others only the owner's bits differ
		}
		g := newRig(t)
		g.put(fileOf(token("a", "alice")))
		f := g.open()
		if err := os.Chmod(g.path, mode); err != nil {
			t.Fatal(err)
		}
		want := mode&0o027 == 0
		_, err := OpenFile(g.config())
		if (err == nil) != want {
			t.Errorf("mode %04o: %v, want it good: %v", mode, err, want)
		}
		if err != nil && (!strings.Contains(err.Error(), "chmod") || !strings.Contains(err.Error(), g.path)) {
			t.Errorf("mode %04o: the error names no mend: %v", mode, err)
		}
		// Time and size are what they were.
		g.settle(f)
		if failed := f.Stats().Failures != 0; failed == want {
			t.Errorf("mode %04o: seen to be wrong: %v", mode, failed)
		}
		if err := os.Chmod(g.path, 0o600); err != nil {
			t.Fatal(err)
		}
		g.settle(f)
		if !want && g.log.count("used again") != 1 {
			t.Errorf("mode %04o: mended, and not seen", mode)
		}
		if got := listed(t, f, ""); got != "a" {
			t.Errorf("mode %04o: tokens %s", mode, got)
		}
	}
}

// What is no file is not read.
func TestNoFile(t *testing.T) {
	g := newRig(t)
	if err := os.Mkdir(g.path, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := OpenFile(g.config())
	if err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("opened a folder: %v", err)
	}
	g.path = "/dev/null"
	if _, err := OpenFile(g.config()); err == nil {
		t.Error("opened a device")
	}
}

// A file that was never there is empty; one that is gone is a failure.
func TestMissingFile(t *testing.T) {
	g := newRig(t)
	f := g.open()
	g.settle(f)
	wantStats(t, "never there", f, Stats{Loads: 1, Checks: 1})
	if n := g.log.count("does not exist"); n != 0 {
		t.Errorf("never there: logged %d times, and not as what it is: no news", n)
	}
	g.put(fileOf(token("a", "alice")))
	g.settle(f)
	wantStats(t, "there by now", f, Stats{Tokens: 1, Generation: 1, Loads: 2, Checks: 2})
	if err := os.Remove(g.path); err != nil {
		t.Fatal(err)
	}
	for n := int64(1); n <= 2; n++ {
		g.settle(f)
		wantStats(t, "gone", f, Stats{Tokens: 1, Generation: 1, Loads: 2, Failures: n, Checks: 2 + n})
		if logged := g.log.count("it is gone"); logged != 1 {
			t.Errorf("gone: logged %d times", logged)
		}
	}
	if got := listed(t, f, "") + g.deaths(); got != "a" {
		t.Errorf("gone: tokens and deaths %s", got)
	}
}

// Kubernetes mounts files through a symbolic link to a folder, which it replaces.
func TestSymbolicLink(t *testing.T) {
	g := newRig(t)
	folder := filepath.Dir(g.path)
	at := time.Unix(1500000000, 0)
	for _, c := range []struct{ name, digit string }{{"one", "a"}, {"two", "b"}} {
		real := filepath.Join(folder, c.name)
		if err := os.Mkdir(real, 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(real, "tokens.json"), fileOf(token(c.digit, "alice")))
		if err := os.Chtimes(filepath.Join(real, "tokens.json"), at, at); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(folder, "data")
	link := func(target, name string) {
		if err := os.Symlink(target, name+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
	link("one", data)
	link("data/tokens.json", g.path)
	f := g.open()
	link("two", data)
	g.settle(f)
	if got := listed(t, f, ""); got != "b" {
		t.Errorf("after the swap to a file of the same time and size: tokens %s", got)
	}
	mustCreate(t, f, token("c", "carol"))
	if info, err := os.Lstat(g.path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("a write replaced the link: %v", err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "two", "tokens.json"))
	if err != nil || !strings.Contains(string(content), id("c")) {
		t.Errorf("a write did not come to where the link leads: %v", err)
	}
}

// Somebody who left has the load go on.
func TestFinderLeaves(t *testing.T) {
	g := newRig(t)
	f := g.open()
	g.put(fileOf(token("a", "alice")))
	g.clock.advance(time.Minute)
	left, leave := context.WithCancel(ctx)
	leave()
	_, _, _ = f.Find(left, id("a"))
	eventually(t, "the edit", func() bool {
		_, found, _ := f.Find(ctx, id("a"))
		return found
	})
}
