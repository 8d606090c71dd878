package revocation

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// clock is moved by hand.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Now().Unix())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.at.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d / time.Second)) }

// entry revokes what the key stands for, up to now, for an hour.
func (c *clock) entry(key Key) Entry {
	return Entry{Key: key, At: c.now().UnixMilli(), Until: c.now().Add(time.Hour).Unix()}
}

// rig is a Redis server, and a clock.
type rig struct {
	t      *testing.T
	clock  *clock
	server *redistest.Server
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{t: t, clock: newClock(), server: redistest.Start(t)}
}

const tolerated = 30 * time.Second

// replica is a log as another process would have it.
func (g *rig) replica() *Log {
	g.t.Helper()
	var c redis.Config
	return g.replicaOf(c)
}

// replicaOf is a replica with a client of that kind, of the server unless it says
// another address.
func (g *rig) replicaOf(c redis.Config) *Log {
	g.t.Helper()
	if c.Addresses == nil {
		c.Addresses = []string{g.server.Addr()}
	}
	c.Timeout = 10 * time.Second
	c.Now = g.clock.now
	client := redis.New(c)
	l := NewLog(Config{Client: client, Stream: "test:revocations", Tolerate: tolerated, Now: g.clock.now})
	l.Retain(time.Hour, time.Hour)
	g.t.Cleanup(func() {
		client.Close()
		l.Close()
	})
	return l
}

// reading is a replica that has read the log.
func (g *rig) reading() *Log {
	g.t.Helper()
	l := g.replica()
	eventually(g.t, "the log to be read", func() bool { return g.check(l, "nobody") == "clean" })
	return l
}

// check says what the log knows of a session that began when the test did.
func (g *rig) check(l *Log, session string) string {
	g.t.Helper()
	revoked, err := l.Check(context.Background(), g.clock.now().Add(-time.Hour).UnixMilli(), []Key{Session(session)})
	if err != nil {
		return "unavailable"
	}
	if revoked {
		return "revoked"
	}
	return "clean"
}

func (g *rig) revoke(l *Log, session string) error {
	return l.Revoke(context.Background(), []Entry{g.clock.entry(Session(session))})
}

func (g *rig) mustRevoke(l *Log, session string) {
	g.t.Helper()
	if err := g.revoke(l, session); err != nil {
		g.t.Fatal(err)
	}
}

// eventually asks until it holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s: not within 20 seconds", what)
}

func name(n int) string { return "s" + strconv.Itoa(n) }

// logger writes there.
func logger(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }
