package revocation

import (
	"context"
	"strconv"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// An entry says when it was written and when it is over, by the clock of its
// writer, the clock that its credentials were issued by. Redis' clock, which ids
// are made of, and this process' may be wrong: an entry is over once both say so.

const (
	// clockGap is by how much clocks may differ.
	clockGap = 2 * time.Second
	// choreEvery is how often Redis' clock is asked for, and sweepEvery how often the
	// stream is looked at for what is over, in terms of that.
	choreEvery = 10 * time.Second
	// sweepPage is how many entries are let go together, and maxSweep how many pages
	// at a time.
	sweepPage = 1000
	maxSweep  = 50
	// maxAhead is how far in the future an entry counts at most, and maxLife how long:
	// whatever else was written there, by whichever clock.
	maxAhead = time.Hour
	maxLife  = 366 * 24 * time.Hour
)

// earliest is now by the clock that is behind (Unix seconds).
func (g *Log) earliest() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if g.measured && g.gap < 0 {
		now = now.Add(g.gap)
	}
	return now.Unix()
}

// bound has entries count neither from far in the future nor without end, and
// for as long as what they revoke may live here: another replica may know of
// shorter lives.
func (g *Log) bound(entries []Entry) {
	g.mu.Lock()
	latest := g.now().Add(maxAhead)
	if g.measured && g.gap > 0 {
		latest = latest.Add(g.gap)
	}
	own, dated := g.lives()
	g.mu.Unlock()
	bound(entries, latest.UnixMilli(), own, dated, larger(int64(maxLife/time.Second), larger(own, dated)))
}

// bound is one loop without a call, for a million of them.
func bound(entries []Entry, latest, own, dated, most int64) {
	for i := range entries {
		e := entries[i]
		least := dated
		if e.Always {
			least = own
		}
		if e.At > latest {
			e.At = latest
		}
		left := e.Until - e.At/1000
		if left < least {
			e.Until = e.At/1000 + least
		}
		if left > most {
			e.Until = e.At/1000 + most
		}
		entries[i] = e
	}
}

// doChores measures Redis' clock, and looks what in the stream is over. What fails
// is done another time.
func (g *Log) doChores(ctx context.Context, at *position) {
	if !at.chore.IsZero() && time.Since(at.chore) < choreEvery {
		return
	}
	at.chore = time.Now()
	g.measure(ctx)
	g.shareLives(ctx)
	g.sweep(ctx, at)
}

// measure asks for Redis' clock, of the server that has the stream.
func (g *Log) measure(ctx context.Context) {
	began := g.now()
	reply, err := g.client.Block(ctx, 0, "EVAL", "return redis.call('TIME')", "1", g.stream)
	took := g.now().Sub(began)
	if err != nil || len(reply.Items) != 2 || took < 0 || took > clockGap {
		return
	}
	there := time.Unix(number(reply.Items[0].Text), 1000*number(reply.Items[1].Text))
	gap := there.Sub(began.Add(took / 2))
	g.mu.Lock()
	g.gap = gap
	g.measured = true
	g.mu.Unlock()
	if gap > clockGap || gap < -clockGap {
		g.say("Redis' clock is not this process' clock", "it is ahead by "+gap.Round(time.Millisecond).String())
	}
}

// shareLives tells the other replicas for how long this one needs entries, and
// learns it of them: none lets go of what another one needs.
func (g *Log) shareLives(ctx context.Context) {
	g.mu.Lock()
	longest := g.own
	if g.dated > longest {
		longest = g.dated
	}
	g.mu.Unlock()
	key := g.stream + ":lives"
	reply, err := g.client.Do(ctx, "GET", key)
	if err != nil || reply.Kind == redis.Integer {
		return
	}
	shared := time.Duration(smaller(number(reply.Text), int64(maxLife/time.Second))) * time.Second
	if shared <= longest {
		shared = longest
		_, _ = g.client.Do(ctx, "SET", key, strconv.FormatInt(int64(longest/time.Second)+1, 10), "PX", strconv.FormatInt(2*longest.Milliseconds()+1, 10))
	}
	g.mu.Lock()
	g.shared = shared
	g.mu.Unlock()
}

func larger(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

func smaller(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

// sweep finds the pages at the beginning of the stream that are over, which the
// next write lets go.
func (g *Log) sweep(ctx context.Context, at *position) {
	id := origin
	for i := 0; i < maxSweep; i++ {
		p, err := g.readPage(ctx, "on", id, sweepPage)
		if err != nil || p.size() == 0 || !g.isOver(p, at.tail) {
			break
		}
		id = p.last
	}
	if id == origin {
		return
	}
	g.mu.Lock()
	g.over = id
	g.mu.Unlock()
}

// isOver says whether all of a page is over: by this process' clock, and by how
// far Redis' has gone since it got them.
func (g *Log) isOver(p page, tail string) bool {
	g.mu.Lock()
	now, gap, measured, shared := g.now(), g.gap, g.measured, g.shared
	g.mu.Unlock()
	there := now.Add(gap).UnixMilli()
	if !measured {
		there = timeOf(tail)
	}
	g.bound(p.entries)
	life := int64(shared / time.Second)
	for _, e := range p.entries {
		life = larger(life, e.Until-e.At/1000)
	}
	for _, e := range p.entries {
		if now.Unix() <= e.At/1000+life {
			return false
		}
	}
	return there-timeOf(p.last) > 1000*life
}
