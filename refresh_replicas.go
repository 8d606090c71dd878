package latchkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// leaseMargin is how much longer a lease lasts than the grant it is for.
	leaseMargin = 5 * time.Second
	// leasePoll is how often a replica without the lease looks again.
	leasePoll = 50 * time.Millisecond
)

// refreshReplicas is what replicas tell one another about a grant, in Redis: its
// result, sealed, and until there is one, who is about it.
type refreshReplicas struct {
	client *redis.Client
	prefix string
	shared *cache.Redis
}

// grantOnce grants if this replica gets the lease, else it returns the result of
// the one that has. An error is never shared: when the lease comes free without
// a result, the next replica tries.
//
// The lease may be lost between a result's being looked for and its being taken,
// so the result is looked for again under the lease:
//
//	this replica        the other
//	no result           grants
//	                    shares the result, gives the lease back
//	takes the lease
//	finds the result
func (c *RefreshCoordinator) grantOnce(key string, grant func(context.Context) (*granted, error)) (*granted, error) {
	leaseFor := c.timeout + leaseMargin
	ctx, cancel := context.WithTimeout(context.Background(), leaseFor+c.timeout)
	defer cancel()
	holder := randomID(16)
	for waits := 0; ; waits++ {
		if result, err := c.shared(ctx, key); result != nil || err != nil {
			return result, err
		}
		got, err := c.replicas.client.TakeLease(ctx, c.replicas.leaseKey(key), holder, leaseFor)
		if err != nil {
			// It may have been taken all the same.
			c.replicas.returnLease(key, holder)
			return nil, fmt.Errorf("%w: %v", errGrantFailed, err)
		}
		if got {
			break
		}
		if waits == 0 {
			c.leaseWaits.Add(1)
		}
		if err := wait.Pause(ctx, leasePoll); err != nil {
			return nil, fmt.Errorf("%w: another replica holds the lease: %v", errGrantFailed, err)
		}
	}
	return c.grantUnderLease(ctx, key, holder, grant)
}

// shared is a result that another replica shared, if it still answers by this
// one's clock.
func (c *RefreshCoordinator) shared(ctx context.Context, key string) (*granted, error) {
	result, err := c.replicas.result(ctx, key)
	if err != nil || result == nil || c.lasts(result) <= 0 {
		return nil, err
	}
	return result, nil
}

// grantUnderLease grants, unless there is a result by now, and gives the lease
// back once the result is shared.
func (c *RefreshCoordinator) grantUnderLease(ctx context.Context, key, holder string, grant func(context.Context) (*granted, error)) (*granted, error) {
	keep := false
	defer func() {
		if !keep {
			c.replicas.returnLease(key, holder)
		}
	}()
	if result, err := c.shared(ctx, key); result != nil || err != nil {
		return result, err
	}
	grantCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	c.grants.Add(1)
	result, err := grant(grantCtx)
	if errors.Is(err, errGrantRefused) {
		// Somebody may have used the token before us, and told it late.
		if late, failed := c.shared(ctx, key); late != nil && failed == nil {
			return late, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if c.replicas.share(key, result, c.lasts(result)) != nil {
		// The others must not use the spent token: they get the lease when they can
		// have the result.
		keep = true
		go c.replicas.keepSharing(key, holder, result, c.lasts(result))
	}
	return result, nil
}

// result returns what a replica shared, or nil.
func (p *refreshReplicas) result(ctx context.Context, key string) (*granted, error) {
	value, found, err := p.shared.Get(ctx, resultKey(key))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errGrantFailed, err)
	}
	result := &granted{}
	if !found || json.Unmarshal(value, result) != nil {
		return nil, nil
	}
	return result, nil
}

// share is done even when the grant's time is over: what was granted must not be
// lost.
func (p *refreshReplicas) share(key string, result *granted, ttl time.Duration) error {
	value, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("share a grant: %w", err)
	}
	if err := p.shared.Set(context.Background(), resultKey(key), value, ttl); err != nil {
		return fmt.Errorf("share a grant: %w", err)
	}
	return nil
}

const (
	shareEvery = 100 * time.Millisecond
	shareTries = 100
)

// keepSharing shares a result that could not be shared at once, then gives the
// lease back. Without success the lease runs out.
func (p *refreshReplicas) keepSharing(key, holder string, result *granted, ttl time.Duration) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik. The lease runs out.
		_ = recover()
	}()
	for n := 0; n < shareTries; n++ {
		if wait.Pause(context.Background(), shareEvery) != nil {
			return
		}
		if p.share(key, result, ttl) == nil {
			p.returnLease(key, holder)
			return
		}
	}
}

func resultKey(key string) string { return "refresh:" + key }

func (p *refreshReplicas) leaseKey(key string) string { return p.prefix + "lease:" + key }

func (p *refreshReplicas) returnLease(key, holder string) {
	p.client.ReturnLease(p.leaseKey(key), holder)
}
