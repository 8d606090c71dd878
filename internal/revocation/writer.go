package revocation

import (
	"context"
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// batch is how many entries are written at once.
	batch = 100
	// firstTry and lastTry bound the back-off of the writer: what waits is to be
	// known everywhere within a second of Redis' recovery.
	firstTry = 20 * time.Millisecond
	lastTry  = 400 * time.Millisecond
	// apart is how far apart replicas begin to write what the log has lost: what one
	// has written the others need not.
	apart = 300 * time.Millisecond
)

// owe notes that the log lacks the entries. All of them are in the index, which
// bounds them.
func (g *Log) owe(entries []Entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range entries {
		if len(g.owed) < maxEntries {
			g.owed[e.Key] = e
		}
	}
	if len(g.owed) > 0 && len(g.kick) == 0 { // nobody else can fill it meanwhile
		g.kick <- struct{}{}
	}
}

// send writes the entries. They are to be read back: a server may take them and be
// gone, before another one has them.
func (g *Log) send(ctx context.Context, entries []Entry) error {
	g.mu.Lock()
	for _, e := range entries {
		if len(g.sent) < maxEntries {
			g.sent[e.Key] = e // before it is written, and then read
		}
	}
	g.mu.Unlock()
	err := g.write(ctx, entries)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		settle(g.sent, entries)
		return err
	}
	settle(g.owed, entries)
	return nil
}

// hear notes what the log has, whoever wrote it.
func (g *Log) hear(entries []Entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	settle(g.owed, entries)
	settle(g.sent, entries)
	settle(g.unheard, entries)
}

// settle takes out of a list what the entries say.
func settle(list map[Key]Entry, entries []Entry) {
	if len(list) == 0 {
		return
	}
	for i := range entries {
		known, found := list[entries[i].Key]
		if found && known.At <= entries[i].At && known.Until <= entries[i].Until {
			delete(list, entries[i].Key)
		}
	}
}

// missHeard owes what was written, and was not read back though all was read since.
func (g *Log) missHeard() {
	g.mu.Lock()
	var lost []Entry
	for _, e := range g.unheard {
		lost = append(lost, e)
	}
	g.unheard = g.sent
	g.sent = map[Key]Entry{}
	g.mu.Unlock()
	if len(lost) > 0 {
		g.restored(lost)
	}
}

// writeOwed is the writing goroutine. It ends with Close.
func (g *Log) writeOwed(ctx context.Context) {
	defer close(g.wrote)
	for wait.For(ctx, g.kick) == nil {
		g.pay(ctx)
	}
}

// pay writes what is owed, and tries again until that is done.
func (g *Log) pay(ctx context.Context) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if r := recover(); r != nil {
			g.say("write revocations", fmt.Sprint("panic: ", r))
		}
	}()
	rest := firstTry
	for ctx.Err() == nil {
		if g.restores() {
			_ = wait.Pause(ctx, time.Duration(rand.Int63n(int64(apart))))
		}
		entries := g.someOwed()
		if len(entries) == 0 {
			return
		}
		err := g.send(ctx, entries)
		if err == nil {
			rest = firstTry
			g.readBehind(ctx)
			continue
		}
		g.say("revocations cannot be written: other replicas do not know of them", err.Error())
		_ = wait.Pause(ctx, rest) // the loop asks whether ctx has ended
		if rest = 2 * rest; rest > lastTry {
			rest = lastTry
		}
	}
}

// readBehind waits, though not for long, until what was just written was read
// back: by then what others wrote meanwhile was read, too.
func (g *Log) readBehind(ctx context.Context) {
	for i := 0; i < 100 && ctx.Err() == nil; i++ {
		g.mu.Lock()
		done := len(g.sent) == 0
		g.mu.Unlock()
		if done {
			return
		}
		_ = wait.Pause(ctx, 10*time.Millisecond) // the loop asks whether ctx has ended
	}
}

func (g *Log) restores() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	so := g.restoring
	g.restoring = false
	return so
}

// someOwed is a batch in no order, so that replicas which restore the same entries
// write different ones.
func (g *Log) someOwed() []Entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []Entry
	for _, e := range g.owed {
		list = append(list, e)
		if len(list) == batch {
			break
		}
	}
	return list
}

// restore owes what this process knows and the stream has lost.
func (g *Log) restore(there map[Key]when) {
	missing := g.index.live(there, g.earliest())
	if len(missing) > 0 {
		g.restored(missing)
	}
}

func (g *Log) restored(missing []Entry) {
	g.mu.Lock()
	g.restoring = true
	g.stats.Restored += int64(len(missing))
	g.mu.Unlock()
	g.tell("the revocation log lacks entries: they are written again", "entries", len(missing))
	g.owe(missing)
}

func (g *Log) write(ctx context.Context, entries []Entry) error {
	g.mu.Lock()
	over := g.over
	g.mu.Unlock()
	var commands [][]string
	for _, e := range entries {
		commands = append(commands, g.command(e, over))
	}
	replies, err := g.client.DoAll(ctx, commands)
	if err == nil {
		err = unwritten(replies)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.stats.Refused++
		return err
	}
	g.stats.Written += int64(len(entries))
	return nil
}

// command adds an entry, and lets go of those that are over. Older replicas pass
// over what stands behind u.
func (g *Log) command(e Entry, over string) []string {
	args := []string{"XADD", g.stream}
	if over != "" {
		args = append(args, "MINID", "~", over)
	}
	args = append(args, "*", "k", e.Key.Text(), "a", strconv.FormatInt(e.At, 10), "u", strconv.FormatInt(e.Until, 10))
	if e.Always {
		args = append(args, "o", "1")
	}
	return args
}

// unwritten is an error unless each reply is the id of an entry.
func unwritten(replies []redis.Reply) error {
	for _, reply := range replies {
		if reply.Err != nil {
			return reply.Err
		}
		if reply.Kind != redis.Text || !strings.Contains(reply.Text, "-") {
			return fmt.Errorf("write an entry: %w", errReply)
		}
	}
	return nil
}
