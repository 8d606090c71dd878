package latchkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/redis"
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
		if result, err := c.replicas.result(ctx, key); result != nil || err != nil {
			return result, err
		}
		got, err := c.replicas.takeLease(ctx, key, holder, leaseFor)
		if err != nil {
			// It may have been taken all the same.
			c.replicas.returnLease(key, holder)
			return nil, err
		}
		if got {
			break
		}
		if waits == 0 {
			c.leaseWaits.Add(1)
		}
		if err := pause(ctx, leasePoll); err != nil {
			return nil, fmt.Errorf("%w: another replica holds the lease: %v", errGrantFailed, err)
		}
	}
	return c.grantUnderLease(ctx, key, holder, grant)
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
	if result, err := c.replicas.result(ctx, key); result != nil || err != nil {
		return result, err
	}
	grantCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	c.grants.Add(1)
	result, err := grant(grantCtx)
	if errors.Is(err, errGrantRefused) {
		// Somebody may have used the token before us, and told it late.
		if late, failed := c.replicas.result(ctx, key); late != nil && failed == nil {
			return late, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if c.replicas.share(key, result, c.shareFor) != nil {
		// The others must not use the spent token: they get the lease when they can
		// have the result.
		keep = true
		go c.replicas.keepSharing(key, holder, result, c.shareFor)
	}
	return result, nil
}

func pause(ctx context.Context, d time.Duration) error {
	over, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-over.Done()
	return ctx.Err()
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
		if pause(context.Background(), shareEvery) != nil {
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

// takeLease says whether this replica is the one to grant now. It reads what it
// has written: a SET whose answer was lost is sent again, and then finds itself.
func (p *refreshReplicas) takeLease(ctx context.Context, key, holder string, d time.Duration) (bool, error) {
	replies, err := p.client.DoAll(ctx, [][]string{
		{"SET", p.leaseKey(key), holder, "NX", "PX", strconv.FormatInt(d.Milliseconds(), 10)},
		{"GET", p.leaseKey(key)},
	})
	if err != nil {
		return false, fmt.Errorf("%w: lease: %v", errGrantFailed, err)
	}
	for _, reply := range replies {
		if reply.Err != nil {
			return false, fmt.Errorf("%w: lease: %v", errGrantFailed, reply.Err)
		}
	}
	return replies[1].Text == holder, nil
}

// returnLease gives up a lease, if it is still this holder's.
func (p *refreshReplicas) returnLease(key, holder string) {
	const ours = `if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`
	// Otherwise it runs out.
	_, _ = p.client.Do(context.Background(), "EVAL", ours, "1", p.leaseKey(key), holder)
}
