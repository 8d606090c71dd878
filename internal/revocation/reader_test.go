package revocation

import (
	"context"
	"strconv"
	"testing"
)

// A Redis that comes back may be another one, whose clock is behind: what it got
// before we were back has an earlier id than what was read last.
func TestAnEarlierClock(t *testing.T) {
	g := newRig(t)
	l := g.replica()
	last := g.clock.now().UnixMilli()
	e := g.clock.entry(Session("a"))
	for _, id := range []int64{last - 1000, last + 1000} {
		g.server.Command("XADD", "test:revocations", strconv.FormatInt(id, 10)+"-0",
			"k", e.Key.Text(), "a", strconv.FormatInt(e.At, 10), "u", strconv.FormatInt(e.Until, 10))
		e = g.clock.entry(Session("b"))
	}
	at := &position{tail: strconv.FormatInt(last, 10) + "-0", doubt: true, page: largestPage}
	for i := 0; i < 5; i++ {
		if err := l.step(context.Background(), at); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b"} {
		if !l.Index().Revoked(1, []Key{Session(id)}) {
			t.Errorf("the entry of %s was not read", id)
		}
	}
}
