package apitoken

import (
	"context"
	"encoding/json"
	"hash/crc32"
	"log/slog"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

const (
	// forever is the life of a record whose token never expires.
	forever = 10 * 365 * 24 * time.Hour
	// least is that of one whose token has expired, or will in a moment.
	least = time.Minute
	// shards is how many writers of one process may be about different tokens.
	shards = 64
)

// RedisConfig says where the records are, and how many of them are kept in
// memory in front of Redis, for how long.
type RedisConfig struct {
	Client      *redis.Client
	Prefix      string            // of all keys
	Keys        func() *seal.Ring // which seals the records, as it is now
	Now         func() time.Time  // nil: time.Now
	RememberFor time.Duration     // 0: nothing is kept in memory
	Remember    int               // records
	Queue       int               // of records on their way into memory
	Log         *slog.Logger      // nil: silent
	Noticed     func(err error)   // as cache.Redis has it; nil: nobody is told
}

// Redis is a Store that replicas share.
//
//	apitoken:<id>            the record, sealed; ends when the token expires
//	apitokens                ids by time of creation, everybody's
//	apitokens:<hash>         the same, of the owner of that hash
//	apitoken-used:<id>       when it was used last
//	apitoken-lease:<id>      who is about to write it
//
// A record has the hash of a secret, so nobody who reads it can use the token. It
// is sealed all the same: a plain one could be written by whoever can write to
// Redis, who would be anybody then; and it names an owner. A change of the secret
// does not break it: see cache.Reseal.
//
// What another replica wrote shows in Find after RememberFor at most, and in
// Fresh at once. While Redis is away, what is remembered is still found.
type Redis struct {
	client  *redis.Client
	prefix  string
	now     func() time.Time
	log     *slog.Logger
	sealed  *cache.Redis
	records *cache.Tiered
	turns   []*sync.Mutex // writers of this process wait here, and not at Redis

	used notes
}

// NewRedis opens no connection.
func NewRedis(c RedisConfig) *Redis {
	r := &Redis{client: c.Client, prefix: c.Prefix, now: c.Now, log: c.Log}
	if r.now == nil {
		r.now = time.Now
	}
	r.sealed = cache.NewRedis(c.Client, c.Prefix, c.Keys)
	r.sealed.Noticed = c.Noticed
	r.records = cache.NewTiered(cache.NewMemory(c.Remember, r.now), r.sealed, c.RememberFor, c.Queue)
	r.turns = make([]*sync.Mutex, shards)
	for i := range r.turns {
		r.turns[i] = &sync.Mutex{}
	}
	return r
}

// Close ends the worker that brings records into memory. All methods go on
// working.
func (r *Redis) Close() { r.records.Close() }

func recordKey(id string) string { return "apitoken:" + id }

// Find implements Store.
func (r *Redis) Find(ctx context.Context, id string) (Token, bool, error) {
	if !idShape.MatchString(id) {
		return Token{}, false, nil
	}
	value, found, err := r.records.Get(ctx, recordKey(id))
	if err != nil {
		return Token{}, false, unavailable("find token", err)
	}
	t, ok := decode(id, value, found)
	return t, ok, nil
}

// Fresh implements Store.
func (r *Redis) Fresh(ctx context.Context, id string) (Token, bool, error) {
	if !idShape.MatchString(id) {
		return Token{}, false, nil
	}
	value, found, err := r.records.Fresh(ctx, recordKey(id))
	if err != nil {
		return Token{}, false, unavailable("find token", err)
	}
	t, ok := decode(id, value, found)
	return t, ok, nil
}

// decode reads a record that was sealed for this id's key, and so is one of ours.
// One that is not a token all the same is none.
func decode(id string, value []byte, found bool) (Token, bool) {
	var t Token
	if !found || json.Unmarshal(value, &t) != nil || t.ID != id {
		return Token{}, false
	}
	return t, true
}

// life is how long Redis keeps the token's record.
func (r *Redis) life(t Token) time.Duration {
	if t.Expires == 0 {
		return forever
	}
	left := t.Expires - r.now().Unix()
	if left > int64(forever/time.Second) {
		return forever
	}
	if left < int64(least/time.Second) {
		return least
	}
	return time.Duration(left) * time.Second
}

func (r *Redis) turn(id string) *sync.Mutex {
	return r.turns[int(crc32.ChecksumIEEE([]byte(id))%shards)]
}

// Until implements Store: revocations come by another way than this.
func (r *Redis) Until(_ time.Time) time.Time { return time.Time{} }

// Stats implements Store.
func (r *Redis) Stats() Stats { return Stats{} }
