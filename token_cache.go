package latchkey

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// verified is a credential that was verified: what the token cache holds.
type verified struct {
	identity identity.Packed

	tokens *heldTokens // nil: this policy needs none

	// until is when the credential has to be looked at again (Unix seconds):
	// its end, the next renewal of its cookie, or recheck from now.
	until int64

	issued int64             // Unix milliseconds; what was revoked before does not count
	ends   int64             // Unix seconds: when its streams end
	keys   [3]revocation.Key // what revokes it
	clean  atomic.Uint64     // the generation of the revocations at which none did

	successor *successor // nil: none

	mu     sync.Mutex
	views  *view // what routers made of the identity
	passes int   // how many it got
}

// heldTokens are the tokens themselves, and the scope of a session where a token
// for the service behind is made from it.
type heldTokens struct{ access, id, scope string }

// scope is what a session was granted, where that is kept.
func (v *verified) scope() string {
	if v.tokens == nil {
		return ""
	}
	return v.tokens.scope
}

func (v *verified) forwarded() (access, id string) {
	if v.tokens == nil {
		return "", ""
	}
	return v.tokens.access, v.tokens.id
}

// successor are the cookies that take a credential's place, set with each answer.
type successor struct {
	chunks []string
	age    int // seconds that they live
}

// takePass counts a pass, and says whether there is one left.
func (v *verified) takePass() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.passes++
	return v.passes <= maxPasses
}

// recheck is how long a verdict stands, in seconds, before the credential is
// verified again. So what was withdrawn stops working: a secret within a minute
// of its file's change, a key within a minute of our fetching the provider's
// keys anew.
const recheck = 60

// cacheKey is a hash of policy and credential as it came.
type cacheKey [sha256.Size]byte

// tokenCache holds the credentials that this process verified, so that it is
// asked before anything is parsed.
//
// What it holds of one is in few pieces: with a hundred thousand of them, the
// garbage collector's walk from piece to piece is what a request pays most for.
//
// Two generations bound it: when the current one is full it becomes the
// previous one, and what is still asked for moves over. Reading writes nothing.
type tokenCache struct {
	half int

	mu                sync.RWMutex
	current, previous map[cacheKey]*verified

	evicted atomic.Int64
}

// newTokenCache returns a cache of at most bound entries; of fewer than two it
// keeps none.
func newTokenCache(bound int) *tokenCache {
	return &tokenCache{half: bound / 2, current: map[cacheKey]*verified{}}
}

// get returns what was verified under the key, or nil.
func (c *tokenCache) get(key cacheKey) *verified {
	c.mu.RLock()
	v := c.current[key]
	c.mu.RUnlock()
	if v == nil {
		return c.fromPrevious(key)
	}
	return v
}

func (c *tokenCache) fromPrevious(key cacheKey) *verified {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.previous[key]
	if v == nil {
		return nil
	}
	c.insert(key, v)
	delete(c.previous, key)
	return v
}

// put remembers what was verified.
func (c *tokenCache) put(key cacheKey, v *verified) {
	if c.half == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(key, v)
}

func (c *tokenCache) insert(key cacheKey, v *verified) {
	if len(c.current) >= c.half {
		c.evicted.Add(int64(len(c.previous)))
		c.previous = c.current
		c.current = map[cacheKey]*verified{}
	}
	c.current[key] = v
}

// size is how many credentials are held.
func (c *tokenCache) size() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.current) + len(c.previous)
}
