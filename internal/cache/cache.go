// Package cache keeps small values for a while: verdicts on bad tokens, login
// states that were used. Memory keeps them in the process, None keeps nothing.
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
type Cache interface {
	// Get returns the value set for the key. A key that was never set, has
	// expired or was pushed out is found=false, which is not an error; an error
	// says that the cache could not be asked. The value must not be changed.
	Get(ctx context.Context, key string) (value []byte, found bool, err error)

	// Set keeps the value until ttl has passed, in place of what was there. It
	// may be pushed out earlier: a cache is bounded. A ttl of zero or less
	// keeps nothing.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Add is Set for a key that is not there. Of concurrent calls for one key
	// exactly one returns added=true.
	Add(ctx context.Context, key string, value []byte, ttl time.Duration) (added bool, err error)
}
