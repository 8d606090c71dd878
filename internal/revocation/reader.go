package revocation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// patience is how long Redis holds a read when there is nothing new.
	patience = time.Second
	// pause is between reads that fail.
	pause = 100 * time.Millisecond
	// pageSize is how many entries one read takes.
	pageSize = 1000
	origin   = "0-0"
)

// position is where in the stream the reader is.
type position struct {
	last  string // the id of the last entry that was read
	whole bool   // the stream was read to its end since the connection was lost
	lost  bool   // Redis was away: it may be another one now, whose clock is behind
}

func (g *Log) start() {
	g.begin.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		g.cancel = cancel
		go g.run(ctx)
	})
}

// run is the goroutine: it belongs to no request, and ends with Close.
func (g *Log) run(ctx context.Context) {
	defer close(g.done)
	at := &position{last: origin}
	for ctx.Err() == nil {
		err := g.step(ctx, at)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			at.whole = false
			at.lost = true
			g.failed(err)
			_ = wait.Pause(ctx, pause) // the loop asks whether ctx has ended
			continue
		}
		g.answered(at.whole)
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
	if at.whole && !g.owes() {
		reply, err := g.client.Block(ctx, patience, "XREAD", "COUNT", strconv.Itoa(pageSize), "BLOCK",
			strconv.Itoa(int(patience/time.Millisecond)), "STREAMS", g.stream, at.last)
		if err != nil {
			return err
		}
		at.whole = g.take(reply, at) > 0
		return nil
	}
	if err := g.rewind(ctx, at); err != nil {
		return err
	}
	if err := g.flush(ctx); err != nil {
		return err
	}
	reply, err := g.client.Do(ctx, "XREAD", "COUNT", strconv.Itoa(pageSize), "STREAMS", g.stream, at.last)
	if err != nil {
		return err
	}
	at.whole = g.take(reply, at) < pageSize
	return nil
}

// rewind goes back to the beginning of a stream that ends before where we were:
// Redis was flushed, or is another one. What was read before stays known.
func (g *Log) rewind(ctx context.Context, at *position) error {
	reply, err := g.client.Do(ctx, "XREVRANGE", g.stream, "+", "-", "COUNT", "1")
	if err != nil {
		return err
	}
	if len(reply.Items) == 0 || len(reply.Items[0].Items) == 0 || before(reply.Items[0].Items[0].Text, at.last) {
		at.last = origin
	}
	if at.lost {
		at.last = earlier(at.last)
		at.lost = false
	}
	return nil
}

// clockGap is by how much the clocks of two Redis may differ.
const clockGap = time.Minute

// earlier is the id that far before. What is read twice counts once.
func earlier(id string) string {
	at, _, _ := strings.Cut(id, "-")
	ms := number(at) - clockGap.Milliseconds()
	if ms <= 0 {
		return origin
	}
	return strconv.FormatInt(ms, 10) + "-0"
}

// before compares two ids of entries, which are a time and a counter.
func before(a, b string) bool {
	aTime, aCount, _ := strings.Cut(a, "-")
	bTime, bCount, _ := strings.Cut(b, "-")
	if aTime != bTime {
		return number(aTime) < number(bTime)
	}
	return number(aCount) < number(bCount)
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// owes says whether something waits to be written. It must not wait for a busy
// stream to fall silent.
func (g *Log) owes() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.pending) > 0
}

// flush writes what could not be written while Redis was away.
func (g *Log) flush(ctx context.Context) error {
	g.mu.Lock()
	pending := g.pending
	g.pending = nil
	g.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	if err := g.write(ctx, pending); err != nil {
		g.postpone(pending)
		return err
	}
	return nil
}

// take has the entries of a reply count, and returns how many it has.
func (g *Log) take(reply redis.Reply, at *position) int {
	if len(reply.Items) != 1 || len(reply.Items[0].Items) != 2 {
		return 0
	}
	list := reply.Items[0].Items[1].Items
	now := g.now().Unix()
	for _, item := range list {
		e, id, err := readEntry(item)
		if id != "" {
			at.last = id
		}
		g.mu.Lock()
		if err != nil {
			g.bad++
		} else {
			g.read++
		}
		g.mu.Unlock()
		if err == nil {
			g.index.Add(e, now)
		}
	}
	return len(list)
}

var errEntry = errors.New("not an entry of the revocation log")

func readEntry(item redis.Reply) (Entry, string, error) {
	var e Entry
	if len(item.Items) != 2 {
		return e, "", errEntry
	}
	id := item.Items[0].Text
	fields := map[string]string{}
	list := item.Items[1].Items
	for i := 0; i+1 < len(list); i += 2 {
		fields[list[i].Text] = list[i+1].Text
	}
	key, ok := ParseKey(fields["k"])
	if !ok {
		return e, id, errEntry
	}
	e.Key = key
	e.At = number(fields["a"])
	e.Until = number(fields["u"])
	if e.At == 0 || e.Until == 0 {
		return e, id, errEntry
	}
	return e, id, nil
}

// answered notes that Redis is there.
func (g *Log) answered(whole bool) {
	g.mu.Lock()
	g.contact = g.now()
	g.absent = false
	back := whole && !g.readable
	if back {
		g.readable = true
	}
	g.mu.Unlock()
	if !back {
		return
	}
	if wait.Now(g.ready) {
		g.index.Touch()
		g.say("the revocation log is read again")
		return
	}
	close(g.ready)
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
	g.mu.Unlock()
	if lost {
		g.index.Touch()
		g.say("the revocation log cannot be read: " + err.Error())
	}
}

func (g *Log) say(message string) {
	if g.log != nil {
		g.log.Warn(message)
	}
}
