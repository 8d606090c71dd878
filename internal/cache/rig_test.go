package cache

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

const (
	secret    = "a secret of at least thirty-two bytes"
	oldSecret = "one before of at least thirty-two bytes"
)

// rig is a Redis server with a cache in it.
type rig struct {
	t      *testing.T
	server *redistest.Server
	client *redis.Client
	redis  *Redis
}

func newRig(t *testing.T) *rig {
	t.Helper()
	g := &rig{t: t, server: redistest.Start(t)}
	g.client = g.open(10 * time.Second)
	g.redis = g.sealedBy(g.client, secret)
	return g
}

func (g *rig) open(timeout time.Duration) *redis.Client {
	client := redis.New(redis.Config{Addresses: []string{g.server.Addr()}, Timeout: timeout})
	g.t.Cleanup(func() { client.Close() })
	return client
}

func (g *rig) sealedBy(client *redis.Client, secrets ...string) *Redis {
	g.t.Helper()
	ring := newRing(g.t, secrets...)
	return NewRedis(client, "test:", func() *seal.Ring { return ring })
}

func newRing(t *testing.T, secrets ...string) *seal.Ring {
	t.Helper()
	ring, err := seal.NewRing(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// tiered keeps entries in memory for a minute.
func (g *rig) tiered(t *testing.T, now func() time.Time, queue int) *Tiered {
	c := NewTiered(NewMemory(10000, now), g.redis, time.Minute, queue)
	t.Cleanup(c.Close)
	return c
}

// idle is tiered whose worker does nothing until it is started.
func (g *rig) idle(now func() time.Time, queue int) *Tiered {
	return newTiered(NewMemory(10000, now), g.redis, time.Minute, queue)
}

// start lets the worker begin, and waits until all that was queued is done.
func start(t *testing.T, c *Tiered) {
	t.Helper()
	want := done(c.Stats()) + int64(len(c.queue))
	go c.work()
	t.Cleanup(c.Close)
	eventually(t, "an empty queue", func() bool { return done(c.Stats()) == want })
}

// drained waits until each hit in Redis has come to something. There was no
// Fresh before it, whose hits come to nothing.
func drained(t *testing.T, c *Tiered) {
	t.Helper()
	eventually(t, "an empty queue", func() bool {
		s := c.Stats()
		return done(s)+s.Dropped == s.RedisHits
	})
}

// done is how many backfills the worker is done with.
func done(s Stats) int64 { return s.Backfills + s.Overtaken + s.Panics }

// do asks Redis, past the cache.
func (g *rig) do(args ...string) redis.Reply {
	g.t.Helper()
	reply, err := g.client.Do(context.Background(), args...)
	if err != nil {
		g.t.Fatalf("%s: %v", strings.Join(args[:1], " "), err)
	}
	return reply
}
