package revocation

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A process keeps what it knows until it can no longer matter: neither a flushed
// nor a new Redis brings anything back, and both are read on.
func TestFlushedOrNewRedis(t *testing.T) {
	g := newRig(t)
	a := g.reading()
	b := g.reading()
	g.mustRevoke(a, "early")
	eventually(t, "the other to know", func() bool { return g.check(b, "early") == "revoked" })
	for _, c := range []struct {
		what string
		lose func()
	}{
		{"flushed", func() { g.server.Command("FLUSHALL") }},
		{"new and empty", func() { g.server.Restart() }},
	} {
		c.lose()
		for _, l := range []*Log{a, b} {
			if got := g.check(l, "early"); got != "revoked" {
				t.Errorf("%s: what was revoked is %s", c.what, got)
			}
		}
		g.clock.advance(2 * time.Second) // for the client's probe
		eventually(t, "a write", func() bool { g.clock.advance(time.Second); return g.revoke(a, "after "+c.what) == nil })
		eventually(t, "the other to read on", func() bool { return g.check(b, "after "+c.what) == "revoked" })
		eventually(t, "the first to read on", func() bool { return a.Stats().Read > 0 && g.check(a, "early") == "revoked" })
	}
}

// The stream of another server may end long before the place where we were.
func TestStreamThatEndsEarlier(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	g.mustRevoke(l, "a")
	eventually(t, "it to be read", func() bool { return l.Stats().Read == 1 })
	g.server.Command("DEL", "test:revocations")
	e := g.clock.entry(Session("b"))
	g.server.Command("XADD", "test:revocations", "5-1", "k", e.Key.Text(), "a", "99999999999999", "u", "99999999999")
	eventually(t, "an entry of an earlier time", func() bool { return g.check(l, "b") == "revoked" })
	if got := g.check(l, "a"); got != "revoked" {
		t.Errorf("what was revoked before is %s", got)
	}
}

// While Redis is away, what is known counts, for as long as is tolerated by the
// clock. Then nobody knows, and what was found clean is not any more.
func TestRedisAway(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	g.mustRevoke(l, "a")
	eventually(t, "it to be read", func() bool { return l.Stats().Read == 1 })
	told := make(chan struct{}, 100)
	l.Index().Watch(func(_ []Entry) { told <- struct{}{} })
	generation := l.Index().Generation()
	g.server.Stop()
	eventually(t, "the reader to notice", func() bool { return absent(l) })
	g.clock.advance(tolerated - time.Second)
	if g.check(l, "a") != "revoked" || g.check(l, "b") != "clean" || l.Index().Generation() != generation {
		t.Error("what is known does not count any more before it is time")
	}
	if s := l.Stats(); s.Lag != tolerated-time.Second || !s.Readable {
		t.Errorf("got %+v", s)
	}
	g.clock.advance(time.Second)
	eventually(t, "nobody to know", func() bool { return g.check(l, "a") == "unavailable" && g.check(l, "b") == "unavailable" })
	if l.Index().Generation() == generation || len(told) != 1 {
		t.Errorf("generation %d, before %d; told %d times, want once", l.Index().Generation(), generation, len(told))
	}
	if _, err := l.Check(context.Background(), 1, nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}

	generation = l.Index().Generation()
	g.server.Restart()
	eventually(t, "the log to be read again", func() bool { g.clock.advance(time.Second); return g.check(l, "b") == "clean" })
	if got := g.check(l, "a"); got != "revoked" {
		t.Errorf("what was revoked is %s after the outage", got)
	}
	if l.Index().Generation() == generation {
		t.Error("the generation did not move when the log was read again")
	}
}

func absent(l *Log) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.absent
}

// With nothing tolerated, the first read that fails is one too many.
func TestNothingTolerated(t *testing.T) {
	g := newRig(t)
	l := g.replica()
	l.tolerate = 0
	eventually(t, "the log to be read", func() bool { return g.check(l, "a") == "clean" })
	g.server.Stop()
	eventually(t, "nobody to know", func() bool { return g.check(l, "a") == "unavailable" })
}

// What is revoked while Redis is away counts here at once, and everywhere as
// soon as it is back.
func TestRevokedWhileAway(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	other := g.reading()
	g.server.Stop()
	eventually(t, "the readers to notice", func() bool { return absent(l) && absent(other) })
	if err := g.revoke(l, "a"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want that the others do not know", err)
	}
	if got := g.check(l, "a"); got != "revoked" {
		t.Errorf("here it is %s", got)
	}
	if got := l.Stats().Pending; got != 1 {
		t.Errorf("%d entries wait, want 1", got)
	}
	g.server.Restart()
	eventually(t, "the other to know", func() bool {
		g.clock.advance(time.Second)
		return g.check(other, "a") == "revoked"
	})
	if s := l.Stats(); s.Pending != 0 || s.Written != 1 {
		t.Errorf("got %+v", s)
	}
}

// What waits is written even where others never stop writing.
func TestPendingIsWrittenToABusyStream(t *testing.T) {
	g := newRig(t)
	l := g.reading()
	other := g.reading()
	l.owe([]Entry{g.clock.entry(Session("late"))})
	busy := 0
	eventually(t, "the entry that waited", func() bool {
		g.mustRevoke(other, name(busy))
		busy++
		return g.check(other, "late") == "revoked"
	})
}

// A process that has never read the log knows nothing, and says so soon.
func TestNeverRead(t *testing.T) {
	g := newRig(t)
	g.server.Stop()
	l := g.replica()
	began := time.Now()
	if got := g.check(l, "a"); got != "unavailable" {
		t.Errorf("the first check: %s", got)
	}
	if took := time.Since(began); took > 3*firstRead {
		t.Errorf("the first check took %s", took)
	}
	eventually(t, "the reader to fail", func() bool { return absent(l) })
	began = time.Now()
	for i := 0; i < 5; i++ {
		if got := g.check(l, "a"); got != "unavailable" {
			t.Errorf("check %d: %s", i, got)
		}
	}
	if took := time.Since(began); took > firstRead {
		t.Errorf("5 checks took %s", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.replica().Check(ctx, 1, nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a caller that left: got %v", err)
	}
	g.server.Restart()
	eventually(t, "the log to be read", func() bool { g.clock.advance(time.Second); return g.check(l, "a") == "clean" })
}
