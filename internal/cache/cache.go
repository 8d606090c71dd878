// Package cache keeps small values for a while: verdicts on bad tokens, login
// states that were used, what several replicas share.
//
//	memory.go      Memory   in this process, bounded
//	redis.go       Redis    for all replicas, sealed
//	redis_find.go           its reads: a bad value is a miss, one of an unknown secret an error
//	reseal.go               what an earlier secret sealed, sealed anew
//	tiered.go      Tiered   Memory in front of Redis
//	writes.go               its writes: Redis first, then memory
//	backfill.go             how what Redis had comes into memory
//	none.go        None     keeps nothing
//
// What is asked on every request does not come here: see token_cache.go in the
// root, which costs one map read.
package cache

import (
	"context"
	"time"
)

// Cache keeps values by key. All methods may be called at once from any number
// of goroutines. Keys are compared byte by byte; a caller that builds one from
// several parts prefixes each with its length.
//
// A value is not copied: neither who hands it over nor who gets it changes it
// afterwards. An error says that the cache could not be asked; a write that
// ends with one may have happened.
type Cache interface {
	// Get returns the value set for the key. A key that was never set, was
	// deleted, has expired or was pushed out is found=false, which is not an
	// error.
	Get(ctx context.Context, key string) (value []byte, found bool, err error)

	// Set keeps the value until ttl has passed, in place of what was there. It
	// may be pushed out earlier: a cache is bounded. A ttl of zero or less
	// keeps nothing, and deletes what was there.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Add is Set for a key that is not there. Of concurrent calls for one key
	// exactly one returns added=true.
	Add(ctx context.Context, key string, value []byte, ttl time.Duration) (added bool, err error)

	// Replace is Set for a key that is there: it brings nothing back that was
	// deleted meanwhile, such as a session that ended.
	Replace(ctx context.Context, key string, value []byte, ttl time.Duration) (replaced bool, err error)

	// Delete lets the key be gone. One that is not there is no error.
	Delete(ctx context.Context, key string) error
}
