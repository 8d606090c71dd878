package cache

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// maxSealed bounds a sealed value, in bytes: the client reads no longer text,
// and would close its connection over one.
const maxSealed = 1 << 20

// forever is the life of a value that Redis keeps without an end.
const forever = time.Duration(1<<63 - 1)

// Redis is a Cache that replicas share. Its errors wrap redis.ErrUnavailable or
// redis.ErrCommand.
//
// Redis is not trusted with the values: each is sealed for its key. One that
// was truncated, changed, moved to another key or written by somebody without
// the secret does not open, and is not there. One that names a key that is not
// known here is ErrUnreadable. Reading deletes neither: a command, or a replica
// whose secret is another, must not take away what others can read. Set and
// Replace write over them, Delete deletes them, and for Add they count.
type Redis struct {
	client *redis.Client
	prefix string
	keys   func() *seal.Ring
	bad    atomic.Int64

	// Noticed is told of each value read that cannot stay as it is: with nil, of
	// one to be sealed anew, since its secret does not seal any more; with
	// ErrUnreadable, of one like that. nil: nobody is told.
	Noticed func(err error)
}

// NewRedis returns a cache whose keys begin with prefix in Redis. It asks for
// the ring at each use, since secrets are renewed.
func NewRedis(client *redis.Client, prefix string, keys func() *seal.Ring) *Redis {
	return &Redis{client: client, prefix: prefix, keys: keys}
}

// Bad counts the values that did not open.
func (r *Redis) Bad() int64 { return r.bad.Load() }

// Get implements Cache.
func (r *Redis) Get(ctx context.Context, key string) ([]byte, bool, error) {
	found, err := r.find(ctx, key)
	if err != nil || found == nil {
		return nil, false, err
	}
	return found.value, true, nil
}

// Set implements Cache.
func (r *Redis) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return r.Delete(ctx, key)
	}
	_, err := r.put(ctx, key, value, ttl, "")
	return err
}

// Add implements Cache.
func (r *Redis) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	if ttl <= 0 {
		there, err := r.count(ctx, "EXISTS", key)
		return err == nil && !there, err
	}
	return r.put(ctx, key, value, ttl, "NX")
}

// Replace implements Cache.
func (r *Redis) Replace(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	if ttl <= 0 {
		return r.count(ctx, "DEL", key)
	}
	return r.put(ctx, key, value, ttl, "XX")
}

// Delete implements Cache.
func (r *Redis) Delete(ctx context.Context, key string) error {
	_, err := r.count(ctx, "DEL", key)
	return err
}

// put says whether the condition was met: NX, XX or none.
func (r *Redis) put(ctx context.Context, key string, value []byte, ttl time.Duration, condition string) (bool, error) {
	name := r.prefix + key
	text, err := r.keys().Seal(bound(name), value)
	if err != nil {
		return false, fmt.Errorf("set in redis: %w", err)
	}
	if len(text) > maxSealed {
		return false, fmt.Errorf("set in redis: %d bytes when sealed, want at most %d: %w", len(text), maxSealed, redis.ErrCommand)
	}
	command := []string{"SET", name, text, "PX", milliseconds(ttl)}
	if condition != "" {
		command = append(command, condition)
	}
	reply, err := r.client.Do(ctx, command...)
	if err != nil {
		return false, fmt.Errorf("set in redis: %w", err)
	}
	return reply.Kind != redis.Nil, nil
}

// count is a command on one key that answers with the number of keys.
func (r *Redis) count(ctx context.Context, command, key string) (bool, error) {
	reply, err := r.client.Do(ctx, command, r.prefix+key)
	if err != nil {
		return false, fmt.Errorf("%s in redis: %w", command, err)
	}
	return reply.Int > 0, nil
}

// bound is the context that a value is sealed for.
func bound(name string) string { return seal.Context("cache", name) }

// milliseconds rounds up: Redis refuses a life of zero.
func milliseconds(ttl time.Duration) string {
	return strconv.FormatInt(int64((ttl-1)/time.Millisecond)+1, 10)
}
