package revocation

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// maxEntries bounds the index: about 100 bytes each.
	maxEntries = 1000000
	// firstRead is how long a request waits for the log to be read as far as it needs.
	firstRead = 2 * time.Second
	// sayEvery is how often a trouble that goes on is logged.
	sayEvery = time.Minute
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
	plain    bool // no scripts; the reader's

	begin  sync.Once
	cancel context.CancelFunc
	read   chan struct{} // closed when the reader has ended
	wrote  chan struct{} // closed when the writer has ended
	ready  chan struct{} // closed when all of the log was read for the first time
	kick   chan struct{} // has one while the writer has something new to do

	mu         sync.Mutex
	own, dated time.Duration // the longest lives of what entries revoke
	shared     time.Duration // the longest that another replica has told of
	since      int64         // what was issued then or later can be judged (Unix milliseconds)
	owed       map[Key]Entry // the log lacks them
	sent       map[Key]Entry // written, and not yet read back
	unheard    map[Key]Entry // those of a second ago
	restoring  bool          // some of them it once had: others may write them too
	contact    time.Time     // when Redis answered last
	readable   bool          // not for longer than is tolerated without an answer
	absent     bool          // the last read failed
	over       string        // an id: entries before it can no longer matter
	gap        time.Duration // by how much Redis' clock is ahead of this process'
	measured   bool
	said       map[string]time.Time
	stats      Stats
}

// NewLog returns a log that ends with Close.
func NewLog(c Config) *Log {
	g := &Log{client: c.Client, stream: c.Stream, tolerate: c.Tolerate, now: c.Now, log: c.Log, index: NewIndex(maxEntries)}
	if g.now == nil {
		g.now = time.Now
	}
	g.read = make(chan struct{})
	g.wrote = make(chan struct{})
	g.ready = make(chan struct{})
	g.kick = make(chan struct{}, 1)
	g.since = math.MaxInt64
	g.owed = map[Key]Entry{}
	g.sent = map[Key]Entry{}
	g.unheard = map[Key]Entry{}
	g.said = map[string]time.Time{}
	return g
}

// Index is what this process knows.
func (g *Log) Index() *Index { return g.index }

// slack is by how much entries outlive what they revoke: tokens are good for a
// minute beyond their end.
const slack = 2 * time.Minute

// Retain keeps entries for as long as what they revoke may live: own is that of
// what an entry names that counts Always, and of what was made from it; dated that
// of all else. The longest that was ever asked for counts, also for the entries
// that are there.
func (g *Log) Retain(own, dated time.Duration) {
	g.mu.Lock()
	longer := own+slack > g.own || dated+slack > g.dated
	if own+slack > g.own {
		g.own = own + slack
	}
	if dated+slack > g.dated {
		g.dated = dated + slack
	}
	least, leastDated := g.lives()
	g.mu.Unlock()
	if longer {
		g.index.Lengthen(least, leastDated)
	}
}

// lives are the two in seconds, rounded up. To be called with mu held.
func (g *Log) lives() (own, dated int64) {
	own = int64(g.own/time.Second) + 1
	dated = int64(g.dated/time.Second) + 1
	return own, dated
}

// Check says whether one of the keys is revoked for what was issued then (Unix
// milliseconds, or Undated). The error wraps ErrUnavailable.
func (g *Log) Check(ctx context.Context, issued int64, keys []Key) (bool, error) {
	if g.client != nil {
		if err := g.known(ctx, issued); err != nil {
			return false, err
		}
	}
	return g.index.Revoked(issued, keys), nil
}

// known waits until the log was read as far as it can concern what was issued
// then, and fails once it has been unreadable for too long.
func (g *Log) known(ctx context.Context, issued int64) error {
	g.start()
	g.mu.Lock()
	judged := issued >= g.since
	readable, absent, contact := g.readable, g.absent, g.contact
	g.mu.Unlock()
	if judged && readable {
		return nil
	}
	if wait.Now(g.ready) {
		return fmt.Errorf("revocation log: not read for %s: %w", g.now().Sub(contact).Round(time.Second), ErrUnavailable)
	}
	if absent {
		return fmt.Errorf("revocation log: never read so far: %w", ErrUnavailable)
	}
	return g.waitReady(ctx, issued)
}

func (g *Log) waitReady(ctx context.Context, issued int64) error {
	ctx, cancel := context.WithTimeout(ctx, firstRead)
	defer cancel()
	if wait.For(ctx, g.ready) == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.readable && issued >= g.since {
		return nil
	}
	return fmt.Errorf("revocation log: not read that far so far: %w", ErrUnavailable)
}

// Revoke has the entries count here at once and tells the other replicas. When
// that fails, with an error that wraps ErrUnavailable, it is done as soon as
// Redis is back. What the log says already is not written again.
func (g *Log) Revoke(ctx context.Context, entries []Entry) error {
	now := g.now().Unix()
	entries = g.news(g.lasting(entries, now), now)
	if len(entries) == 0 {
		return nil
	}
	g.index.Add(entries, now)
	if g.client == nil {
		return nil
	}
	g.start()
	if err := g.send(ctx, entries); err != nil {
		g.owe(entries)
		return fmt.Errorf("revoke: %v: %w", err, ErrUnavailable)
	}
	return nil
}

// lasting are the entries, none of which ends before what it revokes does by the
// longest of the lifetimes.
func (g *Log) lasting(entries []Entry, now int64) []Entry {
	g.mu.Lock()
	own, dated := g.lives()
	g.mu.Unlock()
	list := make([]Entry, len(entries))
	for i, e := range entries {
		least := now + dated
		if e.Always {
			least = now + own
		}
		if e.Until < least {
			e.Until = least
		}
		list[i] = e
	}
	return list
}

// news are the entries that the log does not have, as far as is known.
func (g *Log) news(entries []Entry, now int64) []Entry {
	var list []Entry
	for _, e := range entries {
		g.mu.Lock()
		_, owed := g.owed[e.Key]
		g.mu.Unlock()
		if e.Key != noKey && (owed || !g.index.Knows(e, now)) {
			list = append(list, e)
		}
	}
	return list
}

// Close ends the goroutines and waits for them.
func (g *Log) Close() {
	g.begin.Do(func() { // never started
		close(g.read)
		close(g.wrote)
	})
	if g.cancel != nil {
		g.cancel()
	}
	<-g.read
	<-g.wrote
}

// Stats are for metrics.
type Stats struct {
	Entries, Read, Written, Bad, Pending int64
	Refused, Restored                    int64         // attempts to write that failed; entries that the log had lost
	Lag                                  time.Duration // since Redis answered the reader last; 0 without Redis
	Gap                                  time.Duration // by how much Redis' clock is ahead of this process'
	Readable                             bool          // not for longer than is tolerated without an answer
	Failing                              bool          // the last read failed
}

// Stats says how things stand.
func (g *Log) Stats() Stats {
	entries := int64(g.index.Size())
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Entries = entries
	s.Pending = int64(len(g.owed))
	s.Gap = g.gap
	s.Failing = g.absent
	s.Readable = g.readable || g.client == nil
	if !g.contact.IsZero() {
		s.Lag = g.now().Sub(g.contact)
	}
	return s
}

// say logs a trouble, at most once a minute for as long as it goes on.
func (g *Log) say(what, why string) {
	if g.log == nil {
		return
	}
	g.mu.Lock()
	last, found := g.said[what]
	due := !found || g.now().Sub(last) >= sayEvery
	if due {
		g.said[what] = g.now()
	}
	g.mu.Unlock()
	if due {
		g.log.Error(what, "why", why)
	}
}

// tell logs what happened once.
func (g *Log) tell(what string, args ...interface{}) {
	if g.log != nil {
		g.log.Warn(what, args...)
	}
}
