package revocation

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Redis' clock is an hour or a day behind the replicas', or ahead of them: what one
// revokes the other knows, who starts later too, and nothing of it is let go.
func TestRedisClockIsWrong(t *testing.T) {
	for _, ahead := range []time.Duration{-25 * time.Hour, -time.Hour, time.Hour, 25 * time.Hour} {
		g := newRig(t)
		g.clock.advance(-ahead)
		a := g.replica()
		b := g.replica()
		a.Retain(30*time.Minute, 30*time.Minute)
		for _, l := range []*Log{a, b} {
			eventually(t, "the log to be read", func() bool { return g.check(l, "nobody") == "clean" })
		}
		for i := 0; i < 250; i++ {
			g.mustRevoke(a, name(i))
		}
		eventually(t, "the difference to be measured", func() bool {
			gap := a.Stats().Gap - ahead
			return gap > -2*time.Second && gap < 2*time.Second
		})
		a.sweep(context.Background(), &position{tail: origin})
		g.mustRevoke(a, "last")
		late := g.reading()
		for _, l := range []*Log{a, b, late} {
			eventually(t, "the last one", func() bool { return g.check(l, "last") == "revoked" })
			for i := 0; i < 250; i++ {
				if got := g.check(l, name(i)); got != "revoked" {
					t.Fatalf("Redis %s ahead: entry %d is %s", ahead, i, got)
				}
			}
		}
		if got := g.server.Command("XLEN", "test:revocations"); got != "251" {
			t.Errorf("Redis %s ahead: %s entries, want 251", ahead, got)
		}
	}
}

// An entry is let go once its writer's times are over by this process' clock, and
// Redis' has gone as far: one of them alone may be wrong.
func TestIsOver(t *testing.T) {
	l := NewLog(Config{})
	defer l.Close()
	now := time.Unix(1700000000, 0)
	l.now = func() time.Time { return now }
	l.measured = true
	l.shared = time.Hour
	id := func(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) + "-0" }
	entry := func(at time.Time, life time.Duration) Entry {
		return Entry{Key: Session("a"), At: at.UnixMilli(), Until: at.Add(life).Unix()}
	}
	for _, c := range []struct {
		what    string
		entries []Entry
		last    time.Time // by Redis' clock
		gap     time.Duration
		want    bool
	}{
		{"long ago", []Entry{entry(now.Add(-2*time.Hour), time.Hour)}, now.Add(-2 * time.Hour), 0, true},
		{"just now", []Entry{entry(now, time.Hour)}, now, 0, false},
		{"one of two", []Entry{entry(now.Add(-2*time.Hour), time.Hour), entry(now.Add(-50*time.Minute), time.Hour)}, now.Add(-2 * time.Hour), 0, false},
		{"long ago, with a longer life", []Entry{entry(now.Add(-2*time.Hour), 3*time.Hour)}, now.Add(-2 * time.Hour), 0, false},
		{"long ago, another replica needs it", []Entry{entry(now.Add(-50*time.Minute), time.Minute)}, now.Add(-2 * time.Hour), 0, false},
		{"this process' clock is ahead", []Entry{entry(now.Add(-25*time.Hour), time.Hour)}, now.Add(-25 * time.Hour), -25 * time.Hour, false},
		{"its writer's clock is behind", []Entry{entry(now.Add(-25*time.Hour), time.Hour)}, now, 0, false},
		{"its writer's clock is ahead", []Entry{entry(now, time.Hour)}, now.Add(-25 * time.Hour), 0, false},
		{"Redis was behind when it got it", []Entry{entry(now, time.Hour)}, now.Add(-25 * time.Hour), 0, false},
		{"Redis is ahead by now", []Entry{entry(now, time.Hour)}, now, 25 * time.Hour, false},
		{"Redis was and is behind", []Entry{entry(now.Add(-2*time.Hour), time.Hour)}, now.Add(-27 * time.Hour), -25 * time.Hour, true},
		{"no entries", nil, now.Add(-2 * time.Hour), 0, true},
		{"no entries, of just now", nil, now, 0, false},
		{"until the year 9999", []Entry{{Key: Session("a"), At: now.Add(-2 * maxLife).UnixMilli(), Until: 253402300799}}, now.Add(-2 * maxLife), 0, true},
	} {
		l.gap = c.gap
		if got := l.isOver(page{entries: c.entries, last: id(c.last)}, origin); got != c.want {
			t.Errorf("%s: over: %v, want %v", c.what, got, c.want)
		}
	}
	l.measured = false
	l.gap = 0
	old := page{entries: []Entry{entry(now.Add(-2*time.Hour), time.Hour)}, last: id(now.Add(-2 * time.Hour))}
	if l.isOver(old, id(now.Add(-2*time.Hour))) || !l.isOver(old, id(now)) {
		t.Error("with a clock that cannot be asked for, the last entry's time is not Redis' now")
	}
}

// What is written there, by whichever clock, neither revokes what is issued far in
// the future nor lasts for ever; nor is it over before what it revokes here.
func TestBound(t *testing.T) {
	l := NewLog(Config{})
	defer l.Close()
	now := time.Unix(1700000000, 0)
	l.now = func() time.Time { return now }
	l.Retain(time.Hour, 2*time.Hour)
	own := int64((time.Hour + slack).Seconds()) + 1
	dated := int64((2*time.Hour + slack).Seconds()) + 1
	at := now.UnixMilli()
	latest := now.Add(maxAhead).UnixMilli()
	for _, c := range []struct {
		what      string
		in        Entry
		at, until int64
	}{
		{"an entry of today", Entry{At: at, Until: now.Unix() + 3*3600}, at, now.Unix() + 3*3600},
		{"of a replica with shorter lives", Entry{At: at, Until: now.Unix() + 60}, at, now.Unix() + dated},
		{"the same of a session", Entry{At: at, Until: now.Unix() + 60, Always: true}, at, now.Unix() + own},
		{"of the year 9999", Entry{At: 253402300799000, Until: 253402300799}, latest, latest/1000 + int64(maxLife/time.Second)},
		{"without end", Entry{At: at, Until: 1 << 62}, at, now.Unix() + int64(maxLife/time.Second)},
		{"of an hour ahead", Entry{At: at + 3599000, Until: now.Unix() + 4*3600}, at + 3599000, now.Unix() + 4*3600},
	} {
		list := []Entry{c.in}
		l.bound(list)
		if list[0].At != c.at || list[0].Until != c.until {
			t.Errorf("%s: got at %d until %d, want %d and %d", c.what, list[0].At, list[0].Until, c.at, c.until)
		}
	}
}

// A clock that is ahead at a start, and is set right later, has let go of nothing:
// an entry is over once Redis' clock says so too.
func TestClockIsSetRight(t *testing.T) {
	g := newRig(t)
	g.mustRevoke(g.reading(), "a")
	g.clock.advance(25 * time.Hour)
	l := g.reading()
	g.clock.advance(-25 * time.Hour)
	if got := g.check(l, "a"); got != "revoked" {
		t.Errorf("it is %s", got)
	}
}

// A lifetime that is raised counts for what was revoked before.
func TestLivesGrow(t *testing.T) {
	l := NewLog(Config{Now: newClock().now})
	defer l.Close()
	l.Retain(time.Hour, time.Hour)
	at := l.now().UnixMilli()
	if err := l.Revoke(context.Background(), []Entry{{Key: Session("a"), At: at, Always: true}, {Key: User("i", "u"), At: at}}); err != nil {
		t.Fatal(err)
	}
	l.Retain(3*time.Hour, 5*time.Hour)
	for key, want := range map[Key]time.Duration{Session("a"): 3 * time.Hour, User("i", "u"): 5 * time.Hour} {
		if left := time.Duration(l.index.find(key).until-l.now().Unix()) * time.Second; left < want || left > want+2*slack {
			t.Errorf("remembered for %s, want %s", left, want)
		}
	}
}

// Each replica lets go only of what none of them needs.
func TestLivesAreShared(t *testing.T) {
	g := newRig(t)
	short := g.replica()
	long := g.replica()
	long.Retain(9*time.Hour, 9*time.Hour)
	ctx := context.Background()
	short.shareLives(ctx)
	long.shareLives(ctx)
	short.shareLives(ctx)
	if short.shared != 9*time.Hour+slack+time.Second || long.shared < 9*time.Hour+slack {
		t.Errorf("got %s and %s, want 9h for both", short.shared, long.shared)
	}
	if ttl := g.server.Command("PTTL", "test:revocations:lives"); strings.HasPrefix(ttl, "-") {
		t.Errorf("what was told stays for ever: %s", ttl)
	}
	g.server.Command("SET", "test:revocations:lives", "99999999999999999")
	short.shareLives(ctx)
	if short.shared > maxLife {
		t.Errorf("%s is believed", short.shared)
	}
}

// A clock that differs is logged, at most once a minute.
func TestGapIsLogged(t *testing.T) {
	for ahead, want := range map[time.Duration]int{0: 0, -time.Hour: 1, time.Hour: 1} {
		g := newRig(t)
		g.clock.advance(-ahead)
		l := g.replica()
		var said strings.Builder
		l.log = logger(&said)
		for i := 0; i < 3; i++ {
			l.measure(context.Background())
		}
		if got := strings.Count(said.String(), "clock"); (got > 0) != (want > 0) || got > 2 {
			t.Errorf("%s ahead: %q", ahead, said.String())
		}
	}
}
