package revocation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// A Redis that refuses writes is read all the same: one revocation that waits
// stops nobody from hearing of others. It is written once that is possible.
func TestReadingNeverWaitsForWriting(t *testing.T) {
	for name, c := range map[string]struct{ refuse, allow []string }{
		"full":           {[]string{"CONFIG", "SET", "maxmemory", "1"}, []string{"CONFIG", "SET", "maxmemory", "0"}},
		"too few copies": {[]string{"CONFIG", "SET", "min-replicas-to-write", "1"}, []string{"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"not allowed":    {[]string{"ACL", "SETUSER", "writer", "-xadd"}, []string{"ACL", "SETUSER", "writer", "+xadd"}},
	} {
		g := newRig(t)
		g.server.Command("ACL", "SETUSER", "writer", "on", "nopass", "~*", "+@all")
		a := g.replicaOf(redis.Config{Username: "writer", Password: func() string { return "any" }})
		b := g.reading()
		eventually(t, "the log to be read", func() bool { return g.check(a, "nobody") == "clean" })
		g.server.Command(c.refuse...)
		if err := g.revoke(a, "waits"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: got %v, want that the others do not know", name, err)
		}
		if got := g.check(a, "waits"); got != "revoked" {
			t.Errorf("%s: here it is %s", name, got)
		}
		if name == "not allowed" {
			for i := 0; i < 3; i++ {
				g.mustRevoke(b, "other "+strconv.Itoa(i))
			}
			eventually(t, name+": all others to be heard", func() bool { return g.check(a, "other 2") == "revoked" })
		}
		g.clock.advance(tolerated + time.Minute)
		eventually(t, name+": attempts", func() bool { return a.Stats().Refused > 2 })
		if s := a.Stats(); !s.Readable || s.Pending != 1 || g.check(a, "nobody") != "clean" || g.check(b, "nobody") != "clean" {
			t.Errorf("%s: got %+v", name, s)
		}
		g.server.Command(c.allow...)
		eventually(t, name+": the other to know", func() bool { return g.check(b, "waits") == "revoked" })
		eventually(t, name+": nothing to wait", func() bool { return a.Stats().Pending == 0 })
	}
}

// What waits for a Redis that refuses is not asked for without a pause.
func TestWritingBacksOff(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	g.server.Command("CONFIG", "SET", "maxmemory", "1")
	_ = g.revoke(l, "a")
	began := time.Now()
	eventually(t, "some attempts", func() bool { return l.Stats().Refused >= 8 })
	// 20, 40, 80, 160, 320, 400, 400 ms between eight of them.
	if took := time.Since(began); took < time.Second {
		t.Errorf("8 attempts in %s", took)
	}
}

// A flushed Redis is told what it lacks, so that who starts later knows: by all
// replicas together, and hardly anything twice.
func TestWhatTheLogLacksIsWrittenBack(t *testing.T) {
	g := newRig(t)
	const n = 1000
	g.fill(n)
	var logs []*Log
	for i := 0; i < 4; i++ {
		logs = append(logs, g.reading())
	}
	g.server.Command("DEL", "test:revocations")
	count := func() int {
		have, err := strconv.Atoi(g.server.Command("XLEN", "test:revocations"))
		if err != nil {
			t.Fatal(err)
		}
		return have
	}
	eventually(t, "all to be written back", func() bool {
		restored := int64(0)
		for _, l := range logs {
			s := l.Stats()
			restored += s.Restored
			if s.Pending > 0 {
				return false
			}
		}
		return count() >= n && restored >= n
	})
	if got := count(); got > 3*n {
		t.Errorf("%d entries for %d that were lost", got, n)
	}
	late := g.reading()
	for i := 1; i <= n; i++ {
		if !late.Index().Revoked(1, []Key{filled(t, i)}) {
			t.Fatalf("entry %d is not known to who starts later", i)
		}
	}
}

// A restored backup lacks the end of the stream, also where others have written
// since.
func TestRestoredBackup(t *testing.T) {
	g := newRig(t)
	a := g.reading()
	g.mustRevoke(a, "in the backup")
	g.server.Command("COPY", "test:revocations", "backup")
	g.mustRevoke(a, "after it")
	eventually(t, "it to be read", func() bool { return a.Stats().Read == 2 })
	e := g.clock.entry(Session("since"))
	// In one go, so that the reader never sees the stream without its last entry.
	g.server.Command("EVAL", `redis.call('COPY', 'backup', KEYS[1], 'REPLACE') redis.call('XADD', KEYS[1], '*', 'k', ARGV[1], 'a', ARGV[2], 'u', ARGV[3]) return 1`,
		"1", "test:revocations", e.Key.Text(), strconv.FormatInt(e.At, 10), strconv.FormatInt(e.Until, 10))
	eventually(t, "what others have written", func() bool { return g.check(a, "since") == "revoked" })
	eventually(t, "it to be written back", func() bool { return a.Stats().Restored == 1 && a.Stats().Pending == 0 })
	late := g.reading()
	for _, session := range []string{"in the backup", "after it", "since"} {
		if got := g.check(late, session); got != "revoked" {
			t.Errorf("%s: %s for who starts later", session, got)
		}
	}
}

// What the log says already is not written again: of a session, whenever that is.
func TestNothingTwice(t *testing.T) {
	g := newRig(t)
	a := g.reading()
	b := g.reading()
	always := func(at time.Time) []Entry { return []Entry{{Key: Session("s"), At: at.UnixMilli(), Always: true}} }
	dated := func(at time.Time) []Entry { return []Entry{{Key: User("i", "u"), At: at.UnixMilli()}} }
	now := g.clock.now()
	for _, c := range []struct {
		what    string
		by      *Log
		entries []Entry
		want    int
	}{
		{"a session", a, always(now), 1},
		{"again", a, always(now), 1},
		{"and later", a, always(now.Add(time.Minute)), 1},
		{"on another replica", b, always(now.Add(time.Minute)), 1},
		{"a user", a, dated(now), 2},
		{"at that time again", a, dated(now), 2},
		{"earlier", a, dated(now.Add(-time.Second)), 2},
		{"later", a, dated(now.Add(time.Second)), 3},
		{"the key of nothing", a, []Entry{{At: now.UnixMilli()}}, 3},
	} {
		if err := c.by.Revoke(context.Background(), c.entries); err != nil {
			t.Fatal(err)
		}
		if got := g.server.Command("XLEN", "test:revocations"); got != strconv.Itoa(c.want) {
			t.Errorf("%s: %s entries, want %d", c.what, got, c.want)
		}
		eventually(t, "the other to know", func() bool { return b.Stats().Read == int64(c.want) })
	}
	// What was read back is not written again, later.
	heard := func(l *Log) int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.sent) + len(l.unheard)
	}
	eventually(t, "all to be read back", func() bool { return heard(a)+heard(b) == 0 })
}

// An entry that Redis took, and lost before anybody read it, is written again.
func TestTakenAndLost(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	e := []Entry{{Key: Session("s"), At: g.clock.now().UnixMilli(), Until: g.clock.now().Unix() + 3600, Always: true}}
	l.mu.Lock()
	l.sent[e[0].Key] = e[0]
	l.mu.Unlock()
	l.index.Add(e, 1)
	late := g.reading()
	eventually(t, "another replica to know", func() bool { return g.check(late, "s") == "revoked" })
	if s := l.Stats(); s.Restored != 1 || s.Written != 1 {
		t.Errorf("got %+v", s)
	}
}

// An entry that could not be written is tried again by whoever asks for it again.
func TestAskedForAgain(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	g.server.Command("CONFIG", "SET", "maxmemory", "1")
	for i := 0; i < 3; i++ {
		if err := l.Revoke(context.Background(), []Entry{{Key: Session("s"), At: g.clock.now().UnixMilli(), Always: true}}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("time %d: got %v", i, err)
		}
	}
	if got := l.Stats().Pending; got != 1 {
		t.Errorf("%d entries wait, want 1", got)
	}
}

// A server that does not say the id of an entry has not written it.
func TestUnwritten(t *testing.T) {
	for what, c := range map[string]struct {
		reply redis.Reply
		good  bool
	}{
		"an id":    {redis.Reply{Kind: redis.Text, Text: "1700000000000-0"}, true},
		"null":     {redis.Reply{}, false},
		"OK":       {redis.Reply{Kind: redis.Text, Text: "OK"}, false},
		"a number": {redis.Reply{Kind: redis.Integer, Int: 1}, false},
		"refused":  {redis.Reply{Err: redis.ErrCommand}, false},
	} {
		if err := unwritten([]redis.Reply{{Kind: redis.Text, Text: "1-1"}, c.reply}); (err == nil) != c.good {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

// A key of another type does not stand in the way for ever. It is not deleted: it
// may be somebody's.
func TestAnotherType(t *testing.T) {
	for kind, make := range map[string][]string{
		"a text": {"SET", "test:revocations", "somebody's"}, "a list": {"RPUSH", "test:revocations", "somebody's"},
		"a set": {"ZADD", "test:revocations", "1", "somebody's"}, "a hash": {"HSET", "test:revocations", "f", "somebody's"},
	} {
		g := newRig(t)
		l := g.reading()
		var said strings.Builder
		l.log = logger(&said)
		g.mustRevoke(l, "before")
		g.server.Command("DEL", "test:revocations")
		g.server.Command(make...)
		eventually(t, kind+": the log to be whole again", func() bool { s := l.Stats(); return !s.Failing && s.Pending == 0 && s.Restored > 0 })
		if g.check(l, "before") != "revoked" || g.check(l, "nobody") != "clean" {
			t.Errorf("%s: what is known does not count", kind)
		}
		if got := g.check(g.reading(), "before"); got != "revoked" {
			t.Errorf("%s: for who starts later it is %s", kind, got)
		}
		kept := g.server.Command("KEYS", "*set-aside:*")
		if !strings.HasPrefix(kept, "test:revocations:set-aside:{test:revocations}:") || g.server.Command("TYPE", kept) == "none" {
			t.Errorf("%s: it is kept as %q", kind, kept)
		}
		l.Close() // it may still be speaking
		if got := strings.Count(said.String(), "begins anew"); got != 1 || !strings.Contains(said.String(), kept) {
			t.Errorf("%s: said %d times: %s", kind, got, said.String())
		}
	}
}

// Where it cannot be renamed the log says so, and goes on once it is gone. A
// stream is never renamed.
func TestAnotherTypeThatStays(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	var said strings.Builder
	l.log = logger(&said)
	g.mustRevoke(l, "before")
	g.server.Command("ACL", "SETUSER", "default", "-rename", "-renamenx")
	g.server.Command("DEL", "test:revocations")
	g.server.Command("SET", "test:revocations", "somebody's")
	eventually(t, "the trouble to show", func() bool { return l.Stats().Failing })
	eventually(t, "the renaming to be tried", func() bool { return strings.Contains(g.server.Command("INFO", "commandstats"), "cmdstat_type:") })
	if got := g.server.Command("GET", "test:revocations"); got != "somebody's" {
		t.Errorf("it is %q now", got)
	}
	if g.check(l, "before") != "revoked" || g.check(l, "nobody") != "clean" {
		t.Error("what is known does not count")
	}
	g.server.Command("DEL", "test:revocations")
	eventually(t, "the log to be whole again", func() bool { s := l.Stats(); return !s.Failing && s.Pending == 0 && s.Restored > 0 })
	g.server.Command("ACL", "SETUSER", "default", "+rename", "+renamenx")
	at := &position{}
	l.setAside(context.Background(), at, fmt.Errorf("%w: WRONGTYPE it is", redis.ErrCommand))
	if at.aside.IsZero() || g.server.Command("TYPE", "test:revocations") != "stream" || g.server.Command("KEYS", "*set-aside*") != "" {
		t.Error("a stream was renamed")
	}
	l.Close()
	if got := strings.Count(said.String(), "cannot be renamed"); got != 1 {
		t.Errorf("said %d times: %s", got, said.String())
	}
}
