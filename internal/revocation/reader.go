package revocation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// patience is how long Redis holds a read when there is nothing new.
	patience = time.Second
	// pause is between reads that fail, or that Redis should have held.
	pause  = 100 * time.Millisecond
	origin = "0-0"
)

// position is where in the stream the reader is. After a start it reads back from
// the end, page by page, for the newest entries concern most credentials; and on
// from the end with each page, for what is new.
type position struct {
	tail  string       // the last entry at the end of the stream that was read; "": it was not looked at yet
	head  string       // where the next page back begins; "": it was read to its beginning
	whole bool         // there was nothing behind tail a moment ago
	doubt bool         // it may be another stream by now
	there map[Key]when // what the stream has, while it is compared with what is known; nil: it is not
	page  int          // entries of a page
	ahead chan fetched // brings the page before this one; nil: it was not asked for
	asked time.Time    // when the stream was last found to be the one
	chore time.Time    // when its clock was last measured
	heard time.Time    // when it was last looked what was written and not read back
	aside time.Time    // when a key of another type was last moved out of the way
}

func (g *Log) start() {
	g.begin.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		g.cancel = cancel
		go g.run(ctx)
		go g.writeOwed(ctx)
	})
}

// run is the reading goroutine: it belongs to no request, and ends with Close. It
// writes nothing that its reading waits for, so that a Redis that takes no writes
// is read all the same.
func (g *Log) run(ctx context.Context) {
	defer close(g.read)
	at := &position{doubt: true, page: largestPage}
	for ctx.Err() == nil {
		err := g.step(ctx, at)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			at.whole = false
			at.doubt = true
			g.failed(err)
			g.setAside(ctx, at, err)
			_ = wait.Pause(ctx, pause) // the loop asks whether ctx has ended
			continue
		}
		g.answered(at)
	}
}

// step reads once: at once while there is a stretch to catch up with, else for
// as long as Redis holds the read.
func (g *Log) step(ctx context.Context, at *position) (err error) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if at.doubt || time.Since(at.asked) >= patience {
		if err := g.look(ctx, at); err != nil {
			return err
		}
	}
	if at.whole && at.head == "" {
		g.doChores(ctx, at)
		if time.Since(at.heard) >= patience {
			at.heard = time.Now()
			g.missHeard()
		}
		return g.await(ctx, at)
	}
	if at.head != "" {
		if err := g.readBack(ctx, at); err != nil {
			return err
		}
	}
	p, err := g.readPage(ctx, "on", at.tail, at.page)
	if err != nil {
		at.smaller()
		return err
	}
	return g.takeTail(ctx, p, at)
}

// smaller has the next page be one that may fit into its time.
func (at *position) smaller() {
	if at.page = at.page / 2; at.page < plainPage {
		at.page = plainPage
	}
}

// look finds out whether the stream is still the one that was read so far, by the
// entry that was read last. Another one is read from its end to its beginning.
func (g *Log) look(ctx context.Context, at *position) error {
	if at.tail == "" {
		return g.beginAnew(ctx, at)
	}
	p, err := g.lookAt(ctx, at.tail, at.tail)
	if err != nil {
		return err
	}
	if p.last != at.tail && at.tail != origin { // where there was no entry
		return g.beginAnew(ctx, at)
	}
	at.doubt = false
	at.asked = time.Now()
	return nil
}

// lookAt reads the last entry of a range of ids. It is a small command like those of
// requests, so that the breaker learns of it whether Redis is there.
func (g *Log) lookAt(ctx context.Context, from, to string) (page, error) {
	reply, err := g.client.Do(ctx, "XREVRANGE", g.stream, from, to, "COUNT", "1")
	if err != nil {
		return page{}, err
	}
	p, err := plainEntries(reply)
	return p, err
}

// beginAnew reads the stream back from its end. What was known before, and is then
// found to be missing there, is written again.
func (g *Log) beginAnew(ctx context.Context, at *position) error {
	p, err := g.lookAt(ctx, "+", "-")
	if err != nil {
		return err
	}
	g.plain = false
	if at.tail == "" {
		g.measure(ctx)
		g.began()
	} else {
		at.there = map[Key]when{}
		g.tell("the revocation log is another one, or has lost its end: it is read anew")
	}
	at.tail = p.last
	at.head = p.last
	at.whole = false
	at.doubt = false
	at.asked = time.Now()
	if p.last == "" {
		at.tail = origin
		g.reachedBeginning(at)
	}
	return nil
}

// readBack reads the next page towards the beginning.
func (g *Log) readBack(ctx context.Context, at *position) error {
	p, err := g.pageBack(ctx, at)
	if err != nil {
		at.smaller()
		return err
	}
	g.take(p, at)
	if p.size() > 0 {
		at.head = "(" + p.last
		g.judgeFrom(p.last)
		return nil
	}
	at.head = ""
	g.reachedBeginning(at)
	return nil
}

// pageBack has Redis prepare the next page meanwhile: it takes as long for that as
// this process for its part.
func (g *Log) pageBack(ctx context.Context, at *position) (page, error) {
	if g.plain {
		p, err := g.readPlain(ctx, "back", at.head)
		return p, err
	}
	f := fetched{}
	if at.ahead != nil {
		f = <-at.ahead
	}
	if f.id != at.head || f.err != nil {
		f = g.fetch(ctx, "back", at.head, at.page)
	}
	at.ahead = g.fetchAhead(ctx, f, at.page)
	p, err := g.pageOf(ctx, "back", f)
	return p, err
}

func (g *Log) reachedBeginning(at *position) {
	if at.there != nil {
		g.restore(at.there)
		at.there = nil
	}
}

// await has Redis hold the read until there is something new. A proxy may answer
// at once instead.
func (g *Log) await(ctx context.Context, at *position) error {
	began := time.Now()
	reply, err := g.client.Block(ctx, patience, "XREAD", "COUNT", strconv.Itoa(plainPage), "BLOCK",
		strconv.Itoa(int(patience/time.Millisecond)), "STREAMS", g.stream, at.tail)
	if err != nil {
		return err
	}
	p, err := streamOf(reply)
	if err != nil {
		return err
	}
	if p.size() == 0 && time.Since(began) < patience/2 {
		_ = wait.Pause(ctx, pause) // the loop asks whether ctx has ended
	}
	return g.takeTail(ctx, p, at)
}

// takeTail takes what stands behind the entry that was read last. That one must
// still be there: a backup that was restored lacks it, and others may have written
// behind its end.
func (g *Log) takeTail(ctx context.Context, p page, at *position) error {
	g.take(p, at)
	at.whole = p.size() < plainPage
	if p.size() == 0 {
		return nil
	}
	before := at.tail
	if err := g.look(ctx, at); err != nil {
		return err
	}
	if at.tail == before {
		at.tail = p.last
	}
	return nil
}

// take has the entries of a page count.
func (g *Log) take(p page, at *position) {
	if p.size() == 0 {
		return
	}
	g.bound(p.entries)
	g.hear(p.entries)
	g.mu.Lock()
	g.stats.Read += int64(len(p.entries))
	g.stats.Bad += int64(p.bad)
	g.mu.Unlock()
	g.index.Add(p.entries, g.earliest())
	if at.there == nil {
		return
	}
	for _, e := range p.entries {
		at.there[e.Key] = at.there[e.Key].with(e)
	}
}

// began notes that what is revoked from now on is heard of.
func (g *Log) began() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.readable = true
	g.contact = g.now()
	g.since = g.now().Add(clockGap).UnixMilli()
}

// judgeFrom notes that the stream was read back to that entry. What was revoked
// before was issued before; the hour is for clocks, those of other times included.
func (g *Log) judgeFrom(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.measured || g.gap > clockGap || g.gap < -clockGap {
		return
	}
	if since := timeOf(id) + time.Hour.Milliseconds(); since < g.since {
		g.since = since
	}
}

// timeOf is the time in an id, Unix milliseconds by Redis' clock.
func timeOf(id string) int64 {
	text, _, _ := strings.Cut(id, "-")
	return number(text)
}

// answered notes that Redis is there.
func (g *Log) answered(at *position) {
	done := at.whole && at.head == ""
	g.mu.Lock()
	g.contact = g.now()
	g.absent = false
	back := done && !g.readable
	g.readable = g.readable || done
	if done {
		g.since = math.MinInt64
	}
	g.mu.Unlock()
	if done && !wait.Now(g.ready) {
		close(g.ready)
		g.index.Touch()
		return
	}
	if back {
		g.index.Touch()
		g.tell("the revocation log is read again")
	}
}

// failed notes that it is not. Once that is so for too long, nothing that was
// found clean is so any more.
func (g *Log) failed(err error) {
	g.mu.Lock()
	g.absent = true
	lost := g.readable && g.now().Sub(g.contact) >= g.tolerate
	if lost {
		g.readable = false
	}
	unreadable := !g.readable
	g.mu.Unlock()
	if lost {
		g.index.Touch()
	}
	if unreadable || errors.Is(err, redis.ErrCommand) { // such as a key of another type: that does not pass
		g.say("the revocation log "+g.stream+" cannot be read", err.Error())
	}
}
