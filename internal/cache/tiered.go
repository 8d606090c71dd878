package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Tiered is a Cache that replicas share, with a Memory in front of a Redis.
//
//	Get     memory, then Redis; a worker brings what Redis had into memory
//	Fresh   Redis, then memory
//	writes  Redis, then memory
//
// What this process writes it reads. A write of another replica shows once the
// memory's entry has ended, which is at most memoryTTL later; Fresh shows it at
// once.
//
// While Redis is away, what memory has is still found; all else is an error.
type Tiered struct {
	memory    *Memory
	redis     *Redis
	memoryTTL time.Duration

	writes []int64 // of the keys of each shard; under memory.mu

	queue   chan *backfill
	closing chan struct{}
	closed  sync.Once
	ended   chan struct{} // the worker has

	memoryHits, redisHits, misses          atomic.Int64
	backfilled, overtaken, dropped, panics atomic.Int64
}

// NewTiered starts the worker, which Close ends, and opens no connection. It
// takes over the memory: nobody else writes to it. An entry stays there for at
// most memoryTTL; with zero, none does. Up to queue backfills may wait; with
// zero, one is dropped unless the worker is idle.
func NewTiered(memory *Memory, redis *Redis, memoryTTL time.Duration, queue int) *Tiered {
	t := newTiered(memory, redis, memoryTTL, queue)
	go t.work()
	return t
}

func newTiered(memory *Memory, redis *Redis, memoryTTL time.Duration, queue int) *Tiered {
	return &Tiered{
		memory:    memory,
		redis:     redis,
		memoryTTL: memoryTTL,
		writes:    make([]int64, shards),
		queue:     make(chan *backfill, queue),
		closing:   make(chan struct{}),
		ended:     make(chan struct{}),
	}
}

// Close ends the worker and waits for it. What was queued is not written to
// memory any more. All methods go on working, without backfills.
func (t *Tiered) Close() {
	t.closed.Do(func() { close(t.closing) })
	<-t.ended
}

// Get implements Cache.
func (t *Tiered) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, found, err := t.memory.Get(ctx, key)
	if found {
		t.memoryHits.Add(1)
		return value, true, err
	}
	return t.fromRedis(ctx, key)
}

func (t *Tiered) fromRedis(ctx context.Context, key string) ([]byte, bool, error) {
	began := t.begin(key)
	found, err := t.find(ctx, key)
	if err != nil || found == nil {
		return nil, false, err
	}
	t.offer(&backfill{visit: began, held: found})
	return found.value, true, nil
}

// Fresh is Get past the memory, which learns what Redis has: for somebody who
// has reason to think that another replica has written.
func (t *Tiered) Fresh(ctx context.Context, key string) (value []byte, found bool, err error) {
	began := t.begin(key)
	there, err := t.find(ctx, key)
	if err != nil {
		return nil, false, err
	}
	if there == nil {
		t.settle(began, nil, 0)
		return nil, false, nil
	}
	t.settle(began, there.value, there.left)
	return there.value, true, nil
}

// find asks Redis, and counts.
func (t *Tiered) find(ctx context.Context, key string) (*held, error) {
	found, err := t.redis.find(ctx, key)
	if err != nil {
		return nil, err
	}
	if found == nil {
		t.misses.Add(1)
		return nil, nil
	}
	t.redisHits.Add(1)
	return found, nil
}

// Stats counts since the cache was made.
type Stats struct {
	MemoryHits int64
	RedisHits  int64
	Misses     int64 // neither had it

	Backfills int64 // written to memory
	Overtaken int64 // not written: the key was written meanwhile, or has expired
	Dropped   int64 // not written: the queue was full
	Queue     int   // waiting now
	Panics    int64 // of the worker

	Bad int64 // values in Redis that did not open
}

// Stats returns the counters for metrics.
func (t *Tiered) Stats() Stats {
	return Stats{
		MemoryHits: t.memoryHits.Load(),
		RedisHits:  t.redisHits.Load(),
		Misses:     t.misses.Load(),
		Backfills:  t.backfilled.Load(),
		Overtaken:  t.overtaken.Load(),
		Dropped:    t.dropped.Load(),
		Queue:      len(t.queue),
		Panics:     t.panics.Load(),
		Bad:        t.redis.Bad(),
	}
}
