package revocation

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// maxEntries bounds the index: about 100 bytes each.
	maxEntries = 1000000
	// maxPending bounds what waits for a Redis that is away.
	maxPending = 10000
	// firstRead is how long a request waits for the log to be read at all.
	firstRead = 2 * time.Second
)

// Config says where the log is. The zero value keeps it in this process.
type Config struct {
	Client   *redis.Client    // nil: no other replica is told
	Stream   string           // the stream's key
	Tolerate time.Duration    // for how long it may be unreadable until Check fails; 0: not at all
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: silent
}

// Log has entries count on every replica. It is read from the first call of
// Check or Revoke on; NewLog opens no connection.
type Log struct {
	client   *redis.Client
	stream   string
	tolerate time.Duration
	now      func() time.Time
	log      *slog.Logger
	index    *Index

	begin  sync.Once
	cancel context.CancelFunc
	done   chan struct{}
	ready  chan struct{} // closed when the log was read to its end for the first time

	mu       sync.Mutex
	retain   time.Duration
	pending  []Entry
	contact  time.Time // when Redis answered last
	readable bool      // not for longer than is tolerated without an answer
	absent   bool      // the last read failed
	read     int64
	written  int64
	bad      int64
}

// NewLog returns a log that ends with Close.
func NewLog(c Config) *Log {
	g := &Log{client: c.Client, stream: c.Stream, tolerate: c.Tolerate, now: c.Now, log: c.Log, index: NewIndex(maxEntries)}
	if g.now == nil {
		g.now = time.Now
	}
	g.done = make(chan struct{})
	g.ready = make(chan struct{})
	return g
}

// Index is what this process knows.
func (g *Log) Index() *Index { return g.index }

// Retain keeps entries in the stream for at least d, the longest that anything
// they revoke may live.
func (g *Log) Retain(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d > g.retain {
		g.retain = d
	}
}

// Check says whether one of the keys is revoked for what was issued then (Unix
// milliseconds, or Undated). The error wraps ErrUnavailable.
func (g *Log) Check(ctx context.Context, issued int64, keys []Key) (bool, error) {
	if err := g.known(ctx); err != nil {
		return false, err
	}
	return g.index.Revoked(issued, keys), nil
}

// known waits until the log was read for the first time, and fails once it has
// been unreadable for too long.
func (g *Log) known(ctx context.Context) error {
	if g.client == nil {
		return nil
	}
	g.start()
	if !wait.Now(g.ready) {
		if err := g.waitReady(ctx); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.readable {
		return fmt.Errorf("revocation log: not read for %s: %w", g.now().Sub(g.contact).Round(time.Second), ErrUnavailable)
	}
	return nil
}

func (g *Log) waitReady(ctx context.Context) error {
	g.mu.Lock()
	absent := g.absent
	g.mu.Unlock()
	if absent {
		return fmt.Errorf("revocation log: never read so far: %w", ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(ctx, firstRead)
	defer cancel()
	if wait.For(ctx, g.ready) == nil {
		return nil
	}
	return fmt.Errorf("revocation log: never read so far: %w", ErrUnavailable)
}

// Revoke has the entries count here at once and tells the other replicas. When
// that fails, with an error that wraps ErrUnavailable, it is done as soon as
// Redis is back.
func (g *Log) Revoke(ctx context.Context, entries []Entry) error {
	now := g.now().Unix()
	entries = g.lasting(entries, now)
	for _, e := range entries {
		g.index.Add(e, now)
	}
	if g.client == nil {
		return nil
	}
	g.start()
	if err := g.write(ctx, entries); err != nil {
		g.postpone(entries)
		return fmt.Errorf("revoke: %v: %w", err, ErrUnavailable)
	}
	return nil
}

// lasting are the entries, none of which ends before what it revokes does by the
// longest of the lifetimes.
func (g *Log) lasting(entries []Entry, now int64) []Entry {
	g.mu.Lock()
	least := now + int64(g.retain/time.Second) + 1
	g.mu.Unlock()
	list := make([]Entry, len(entries))
	for i, e := range entries {
		if e.Until < least {
			e.Until = least
		}
		list[i] = e
	}
	return list
}

func (g *Log) postpone(entries []Entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pending)+len(entries) <= maxPending {
		g.pending = append(g.pending, entries...)
	}
}

func (g *Log) write(ctx context.Context, entries []Entry) error {
	g.mu.Lock()
	oldest := g.now().Add(-g.retain).UnixMilli()
	g.mu.Unlock()
	var commands [][]string
	for _, e := range entries {
		commands = append(commands, []string{"XADD", g.stream, "MINID", "~", strconv.FormatInt(oldest, 10), "*",
			"k", e.Key.Text(), "a", strconv.FormatInt(e.At, 10), "u", strconv.FormatInt(e.Until, 10)})
	}
	replies, err := g.client.DoAll(ctx, commands)
	if err != nil {
		return err
	}
	for _, reply := range replies {
		if reply.Err != nil {
			return reply.Err
		}
	}
	g.mu.Lock()
	g.written += int64(len(entries))
	g.mu.Unlock()
	return nil
}

// Close ends the reader and waits for it.
func (g *Log) Close() {
	g.begin.Do(func() { close(g.done) }) // never started
	if g.cancel != nil {
		g.cancel()
	}
	<-g.done
}

// Stats are for metrics.
type Stats struct {
	Entries, Read, Written, Bad, Pending int64
	Lag                                  time.Duration // since Redis answered the reader last; 0 without Redis
	Readable                             bool
}

// Stats says how things stand.
func (g *Log) Stats() Stats {
	entries := int64(g.index.Size())
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Stats{Entries: entries, Read: g.read, Written: g.written, Bad: g.bad, Pending: int64(len(g.pending)), Readable: g.readable}
	if g.client == nil {
		s.Readable = true
	}
	if !g.contact.IsZero() {
		s.Lag = g.now().Sub(g.contact)
	}
	return s
}
