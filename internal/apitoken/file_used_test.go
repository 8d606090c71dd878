package apitoken

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func (g *rig) usedFile() string {
	content, err := os.ReadFile(g.path + ".used")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func lastUse(t *testing.T, s Store, digit string) int64 {
	t.Helper()
	times, err := s.LastUse(ctx, []string{id(digit)})
	if err != nil {
		t.Fatal(err)
	}
	return times[id(digit)]
}

// Uses are written beside the file once a minute, and at the end; of tokens that
// exist only.
func TestUsedFile(t *testing.T) {
	g := newRig(t)
	f := g.open()
	mustCreate(t, f, token("a", "alice"), token("b", "bob"))
	f.Used(ctx, id("a"), 1000)
	f.Used(ctx, id("f"), 1000)
	eventually(t, "the first use", func() bool { return g.usedFile() == `{"`+id("a")+`":1000}` })
	if info, err := os.Stat(g.path + ".used"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	f.Used(ctx, id("b"), 1059)
	f.Used(ctx, id("f"), 1059)
	if lastUse(t, f, "b") != 1059 || lastUse(t, f, "f") != 0 {
		t.Error("a use is not known before it is written, or one of no token is")
	}
	if strings.Contains(g.usedFile(), id("b")) {
		t.Error("written twice in a minute")
	}
	f.Used(ctx, id("a"), 1060)
	eventually(t, "the next minute", func() bool { return g.usedFile() == `{"`+id("a")+`":1060,"`+id("b")+`":1059}` })
	if _, err := f.Delete(ctx, id("b")); err != nil {
		t.Fatal(err)
	}
	f.Used(ctx, id("a"), 1130)
	eventually(t, "a token that is gone", func() bool { return g.usedFile() == `{"`+id("a")+`":1130}` })
	mustCreate(t, f, token("c", "carol"))
	f.Used(ctx, id("c"), 1131)
	f.Close()
	if got := g.usedFile(); got != `{"`+id("a")+`":1130,"`+id("c")+`":1131}` {
		t.Errorf("at the end %s", got)
	}
	f.Used(ctx, id("a"), 9000)
	again := g.open()
	if lastUse(t, again, "a") != 1130 || lastUse(t, again, "c") != 1131 {
		t.Error("not known to the next")
	}
	if g.log.count("last use") != 0 {
		t.Error("logged, and nothing was wrong")
	}
}

// Two processes have the later of their notes.
func TestUsesOfTwoProcesses(t *testing.T) {
	g := newRig(t)
	first := g.open()
	mustCreate(t, first, token("a", "alice"), token("b", "bob"))
	second := g.open()
	first.Used(ctx, id("a"), 1000)
	eventually(t, "the first", func() bool { return g.usedFile() != "" })
	second.Used(ctx, id("b"), 900)
	eventually(t, "both", func() bool { return g.usedFile() == `{"`+id("a")+`":1000,"`+id("b")+`":900}` })
	if lastUse(t, second, "a") != 1000 {
		t.Error("what the other noted is not taken over")
	}
}

// A bad file of uses is begun anew, and troubles nobody.
func TestBadUsedFile(t *testing.T) {
	for _, content := range []string{"", "null", "[]", `{"a":"b"}`, "{", `{"` + id("a") + `":99999999999999999999}`, `{"` + id("a") + `":-5}`} {
		g := newRig(t)
		g.put(fileOf(token("a", "alice")))
		put(t, g.path+".used", content)
		f := g.open()
		if lastUse(t, f, "a") != 0 {
			t.Errorf("%q: known", content)
		}
		f.Used(ctx, id("a"), 1000)
		f.Close()
		times := map[string]int64{}
		if err := json.Unmarshal([]byte(g.usedFile()), &times); err != nil || times[id("a")] != 1000 {
			t.Errorf("%q: then %q", content, g.usedFile())
		}
	}
	g := newRig(t)
	g.put(fileOf(token("a", "alice")))
	if err := os.Mkdir(g.path+".used", 0o700); err != nil {
		t.Fatal(err)
	}
	f := g.open()
	f.Used(ctx, id("a"), 1000)
	f.Close()
	if lastUse(t, f, "a") != 1000 || g.folder() != "tokens.json tokens.json.used" {
		t.Errorf("a folder in its place: %s", g.folder())
	}
}

// A use in the future, which a wrong clock left, does not stop the noting.
func TestUseInTheFuture(t *testing.T) {
	g := newRig(t)
	g.put(fileOf(token("a", "alice")))
	f := g.open()
	f.Used(ctx, id("a"), 5000)
	f.Used(ctx, id("a"), 1000)
	if got := lastUse(t, f, "a"); got != 1000 {
		t.Errorf("last used at %d", got)
	}
}

// After the end nothing is written any more: the file may be somebody else's.
func TestNoUseAfterTheEnd(t *testing.T) {
	g := newRig(t)
	g.put(fileOf(token("a", "alice")))
	f := g.open()
	f.Close()
	f.uses.mu.Lock()
	f.uses.written = 0
	f.uses.mu.Unlock()
	if f.uses.note(id("a"), g.clock.now().Unix(), func(_ string) bool { return true }) {
		t.Error("a use is to be written after the end")
	}
}
