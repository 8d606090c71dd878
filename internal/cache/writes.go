package cache

import (
	"context"
	"hash/crc32"
	"time"
)

// shards is how many counters of writes there are: keys that share one forget
// more of each other's values than they need to.
const shards = 256

// visit is a question to Redis, or a write, and what was so before it: memory
// takes its outcome only if no other write of the key came between.
//
//	reader                 writer
//	begin: 7 writes
//	Redis: "old"
//	                       begin: 7 writes
//	                       Redis: DEL
//	                       settle: memory forgets, 8 writes
//	fill: 8 are not 7, so "old" does not come back
//
// Two writes may settle in another order than Redis saw them in. The second to
// settle finds the first's count and forgets the key: memory does not know then
// what Redis has, and asks.
type visit struct {
	key    string
	shard  int
	writes int64
	at     time.Time
}

// begin comes before Redis is asked.
func (t *Tiered) begin(key string) visit {
	shard := int(crc32.ChecksumIEEE([]byte(key)) % shards)
	t.memory.mu.Lock()
	defer t.memory.mu.Unlock()
	return visit{key: key, shard: shard, writes: t.writes[shard], at: t.memory.now()}
}

// settle comes after: memory keeps the value, for no longer than Redis does;
// with a life of zero it forgets the key.
func (t *Tiered) settle(v visit, value []byte, left time.Duration) {
	t.memory.mu.Lock()
	defer t.memory.mu.Unlock()
	overtaken := t.writes[v.shard] != v.writes
	t.writes[v.shard]++
	if overtaken || !t.keep(v, value, left) {
		t.memory.remove(v.key)
	}
}

// fill is settle for a backfill, which is no write and makes nothing forget.
func (t *Tiered) fill(v visit, value []byte, left time.Duration) bool {
	t.memory.mu.Lock()
	defer t.memory.mu.Unlock()
	return t.writes[v.shard] == v.writes && t.keep(v, value, left)
}

// keep counts the life from before Redis was asked, however long the answer
// and the queue took.
func (t *Tiered) keep(v visit, value []byte, left time.Duration) bool {
	if left > t.memoryTTL {
		left = t.memoryTTL
	}
	expires := v.at.Add(left)
	if !t.memory.now().Before(expires) {
		return false
	}
	t.memory.keep(v.key, entry{value: value, expires: expires})
	return true
}

// Set implements Cache.
func (t *Tiered) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	began := t.begin(key)
	if err := t.redis.Set(ctx, key, value, ttl); err != nil {
		t.forget(began)
		return err
	}
	t.settle(began, value, ttl)
	return nil
}

// Add implements Cache.
func (t *Tiered) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	began := t.begin(key)
	added, err := t.redis.Add(ctx, key, value, ttl)
	if err != nil || !added {
		t.forget(began)
		return false, err
	}
	t.settle(began, value, ttl)
	return true, nil
}

// Replace implements Cache.
func (t *Tiered) Replace(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	began := t.begin(key)
	replaced, err := t.redis.Replace(ctx, key, value, ttl)
	if err != nil || !replaced {
		t.forget(began)
		return false, err
	}
	t.settle(began, value, ttl)
	return true, nil
}

// Delete implements Cache.
func (t *Tiered) Delete(ctx context.Context, key string) error {
	began := t.begin(key)
	err := t.redis.Delete(ctx, key)
	t.forget(began)
	return err
}

// forget settles a write that left nothing in Redis, or of which nobody knows
// what it left: it failed, and may have happened.
func (t *Tiered) forget(v visit) { t.settle(v, nil, 0) }
