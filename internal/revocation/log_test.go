package revocation

import (
	"context"
	"strconv"
	"testing"
	"time"
)

func TestLogWithoutRedis(t *testing.T) {
	clk := newClock()
	l := NewLog(Config{Now: clk.now})
	defer l.Close()
	ctx := context.Background()
	if err := l.Revoke(ctx, []Entry{clk.entry(Session("a"))}); err != nil {
		t.Fatal(err)
	}
	for session, want := range map[string]bool{"a": true, "b": false} {
		revoked, err := l.Check(ctx, clk.now().UnixMilli(), []Key{Session(session)})
		if err != nil || revoked != want {
			t.Errorf("%s: revoked: %v, %v, want %v", session, revoked, err, want)
		}
	}
	if s := l.Stats(); !s.Readable || s.Lag != 0 || s.Entries != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestReplicasSeeOneAnother(t *testing.T) {
	g := newRig(t)
	a := g.reading()
	b := g.reading()
	generation := b.Index().Generation()
	g.mustRevoke(a, "of a")
	if got := g.check(a, "of a"); got != "revoked" {
		t.Errorf("here, at once: %s", got)
	}
	eventually(t, "the other to know", func() bool { return g.check(b, "of a") == "revoked" })
	if b.Index().Generation() == generation {
		t.Error("the generation did not move")
	}
	g.mustRevoke(b, "of b")
	eventually(t, "the first to know", func() bool { return g.check(a, "of b") == "revoked" })
	if g.check(a, "of neither") != "clean" || g.check(b, "of neither") != "clean" {
		t.Error("something else is revoked")
	}
	if s := a.Stats(); s.Written != 1 || !s.Readable || s.Bad != 0 || s.Pending != 0 {
		t.Errorf("got %+v", s)
	}
}

// Several entries go with one call.
func TestRevokeSeveral(t *testing.T) {
	g := newRig(t)
	a := g.reading()
	b := g.reading()
	var entries []Entry
	for i := 0; i < 5; i++ {
		entries = append(entries, g.clock.entry(Session(name(i))))
	}
	if err := a.Revoke(context.Background(), entries); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 5; i++ {
		k := i
		eventually(t, "the other to know all", func() bool { return g.check(b, name(k)) == "revoked" })
	}
}

// Who starts late reads the whole stream, page by page, before the first answer.
func TestLateStarter(t *testing.T) {
	g := newRig(t)
	early := g.reading()
	const n = 2*largestPage + 500
	for from := 0; from < n; from += 500 {
		var entries []Entry
		for i := from; i < from+500; i++ {
			entries = append(entries, g.clock.entry(Session(name(i))))
		}
		if err := early.Revoke(context.Background(), entries); err != nil {
			t.Fatal(err)
		}
	}
	late := g.reading()
	for _, i := range []int{0, largestPage - 1, largestPage, 2*largestPage - 1, 2 * largestPage, n - 1} {
		if got := g.check(late, name(i)); got != "revoked" {
			t.Errorf("entry %d: %s", i, got)
		}
	}
	if s := late.Stats(); s.Read != n {
		t.Errorf("%d entries read, want %d", s.Read, n)
	}
}

// A verdict that nobody here could give is none: the first answer waits for the
// log.
func TestFirstCheckWaits(t *testing.T) {
	g := newRig(t)
	early := g.reading()
	g.mustRevoke(early, "a")
	late := g.replica()
	if got := g.check(late, "a"); got != "revoked" {
		t.Errorf("the first check: %s", got)
	}
}

// What can no longer matter leaves the stream.
func TestStreamIsTrimmed(t *testing.T) {
	g := newRig(t)
	for i := 0; i < 300; i++ {
		g.server.Command("XADD", "test:revocations", strconv.Itoa(i+1)+"-1", "k", "old")
	}
	l := g.reading()
	eventually(t, "what is over to be found", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.over != ""
	})
	g.mustRevoke(l, "a")
	if got := g.server.Command("XLEN", "test:revocations"); got == "301" {
		t.Error("entries of 1970 are still there")
	}
	if got := g.server.Command("XREVRANGE", "test:revocations", "+", "-", "COUNT", "1"); got == "" {
		t.Error("the new entry is gone, too")
	}
}

func TestRetainIsTheLongest(t *testing.T) {
	l := NewLog(Config{})
	defer l.Close()
	for _, d := range []time.Duration{time.Hour, 3 * time.Hour, 2 * time.Hour} {
		l.Retain(d, 2*d)
	}
	if l.own != 3*time.Hour+slack || l.dated != 6*time.Hour+slack {
		t.Errorf("kept for %s and %s, want 3h and 6h, and %s", l.own, l.dated, slack)
	}
}

// What is no entry is counted and passed over.
func TestGarbageInTheStream(t *testing.T) {
	g := newRig(t)
	key := Session("a").Text()
	bad := [][]string{
		{"x", "y"},
		{"k", "", "a", "1", "u", "2"},
		{"k", "AAAA", "a", "1", "u", "2"},
		{"k", key + "AA", "a", "1", "u", "2"},
		{"k", key, "a", "1"},
		{"k", key, "u", "99999999999"},
		{"k", key, "a", "soon", "u", "99999999999"},
		{"k", key, "a", "1", "u", "99999999999999999999999"},
		{"k", "\r\n$-1\r\n", "a", "1", "u", "2"},
	}
	for _, fields := range bad {
		g.server.Command(append([]string{"XADD", "test:revocations", "*"}, fields...)...)
	}
	l := g.reading()
	eventually(t, "all to be read", func() bool { return l.Stats().Bad == int64(len(bad)) })
	if s := l.Stats(); s.Entries != 0 || s.Read != 0 {
		t.Errorf("got %+v", s)
	}
	g.mustRevoke(g.reading(), "a")
	eventually(t, "the entry after them", func() bool { return g.check(l, "a") == "revoked" })
	if s := l.Stats(); s.Bad != int64(len(bad)) || s.Read != 1 {
		t.Errorf("got %+v, want all to be read once", s)
	}

	g.server.Command("DEL", "test:revocations")
	g.server.Command("SET", "test:revocations", "no stream")
	eventually(t, "the failure to show", func() bool { return g.revoke(l, "b") != nil })
	g.server.Command("DEL", "test:revocations")
	other := g.reading()
	eventually(t, "what could not be written", func() bool { return g.check(other, "b") == "revoked" })
}

// The key of nothing, which whatever lacks one would have, revokes nothing: read as
// a column or item by item.
func TestKeyOfNothing(t *testing.T) {
	g := newRig(t)
	g.server.Command("XADD", "test:revocations", "*", "k", noKey.Text(), "a", "99999999999999", "u", "99999999999")
	for _, plain := range []bool{false, true} {
		l := g.replica()
		if plain {
			g.server.Command("ACL", "SETUSER", "default", "-eval")
		}
		eventually(t, "the log to be read", func() bool { return g.check(l, "nobody") == "clean" })
		if s := l.Stats(); s.Bad != 1 || s.Read != 0 || s.Entries != 0 || l.Index().Revoked(1, []Key{noKey}) {
			t.Errorf("item by item: %v: got %+v", plain, s)
		}
	}
}

// Close ends the goroutine, whatever it does, and does not hang.
func TestClose(t *testing.T) {
	g := newRig(t)
	ended := func(what string, l *Log) {
		t.Helper()
		done := make(chan struct{})
		go func() {
			l.Close()
			l.Close()
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: Close does not return", what)
		}
		select {
		case <-l.read:
		default:
			t.Errorf("%s: the goroutine goes on", what)
		}
	}
	ended("never started", g.replica())
	blocked := g.reading()
	eventually(t, "a blocked read", func() bool { return g.server.Command("INFO", "clients") != "" && blocked.Stats().Readable })
	ended("while Redis holds the read", blocked)
	paused := g.reading()
	g.server.Pause()
	ended("while Redis hangs", paused)
	g.server.Resume()
	away := g.reading()
	g.server.Stop()
	ended("while Redis is away", away)
	var none Config
	ended("without Redis", NewLog(none))
}
