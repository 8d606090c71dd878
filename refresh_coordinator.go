package latchkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// maxGrants is how many refresh grants a process has in flight at once, and
	// maxQueued how many wait for their turn.
	maxGrants = 32
	maxQueued = 5000
	// resultsKept bounds the memory of results, and failuresKept that of failures.
	resultsKept  = 20000
	failuresKept = 20000
)

var (
	// errGrantRefused says that the refresh token is dead: the session is over.
	errGrantRefused = errors.New("refresh token refused")
	// errGrantFailed says that nobody knows: the provider or Redis gave no answer
	// that could be used. The session is as it was.
	errGrantFailed = errors.New("refresh failed")
)

// granted is what a refresh grant changes in a session.
type granted struct {
	IDToken      string `json:"t,omitempty"` // "": the old one stays
	AccessToken  string `json:"a"`
	AccessEnds   int64  `json:"e,omitempty"` // Unix seconds; 0: not said
	AccessIsJWT  bool   `json:"j,omitempty"`
	RefreshToken string `json:"r"`
	At           int64  `json:"g"`           // Unix seconds
	Scope        string `json:"c,omitempty"` // "": as before
}

// RefreshCoordinator has each refresh token used once, however many requests
// come with it at the same time, in this process and in all replicas:
//
//	a result that is known here            -> that
//	a grant of this key under way here     -> its result
//	a result that another replica shared   -> that
//	another replica holds the lease        -> wait for its result, or for the lease
//	else                                   -> take the lease, grant, share the result
//
// Delegated tokens are made through one of their own (delegate.go), whose results
// answer for longer.
//
// A grant belongs to no request: a client that hangs up, or a reload, aborts
// nothing. A key whose grant failed is not tried again for a while, which grows
// with each failure; one whose token was refused, for as long as a result would
// have been shared.
type RefreshCoordinator struct {
	timeout, shareFor time.Duration
	lasting           func(*granted) time.Duration // for how long a result answers; nil: shareFor
	now               func() time.Time
	replicas          *refreshReplicas // nil: this process is alone

	results *cache.Memory // by key
	slots   chan struct{}
	queued  atomic.Int64

	mu       sync.Mutex
	flights  map[string]*refreshFlight
	failures map[string]refreshFailure

	grants, followers, leaseWaits atomic.Int64
	refused, failed, overloaded   atomic.Int64
}

// refreshFlight is one grant. Its result and err are written before done is closed.
type refreshFlight struct {
	done   chan struct{}
	result *granted
	err    error
}

// refreshFailure keeps its key from being tried again until then.
type refreshFailure struct {
	count int
	until time.Time
	err   error
}

// NewRefreshCoordinator returns one for this process and, with replicas, for all
// of them. Timeout bounds one grant, and shareFor is how long its result answers.
func NewRefreshCoordinator(timeout, shareFor time.Duration, now func() time.Time, replicas *refreshReplicas) *RefreshCoordinator {
	return &RefreshCoordinator{
		timeout: timeout, shareFor: shareFor, now: now, replicas: replicas,
		results:  cache.NewMemory(resultsKept, now),
		slots:    make(chan struct{}, maxGrants),
		flights:  map[string]*refreshFlight{},
		failures: map[string]refreshFailure{},
	}
}

// CoordinateRefresh returns the result of the one grant for the key, which
// stands for a refresh token. It waits until ctx ends. The error wraps
// errGrantRefused or errGrantFailed.
func (c *RefreshCoordinator) CoordinateRefresh(ctx context.Context, key string, grant func(context.Context) (*granted, error)) (*granted, error) {
	f, err := c.join(key, grant)
	if err != nil {
		return nil, err
	}
	if err := wait.For(ctx, f.done); err != nil {
		return nil, fmt.Errorf("%w: still under way: %v", errGrantFailed, err)
	}
	return f.result, f.err
}

// join returns the flight for the key: one that has landed where the result is
// known, the one under way, or a new one.
func (c *RefreshCoordinator) join(key string, grant func(context.Context) (*granted, error)) (*refreshFlight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[key]; f != nil {
		c.followers.Add(1)
		return f, nil
	}
	// Under mu: a flight puts its result there before it is taken off the map, so
	// nobody comes too late for the one and too early for the other.
	if result := c.known(key); result != nil {
		landed := &refreshFlight{done: make(chan struct{}), result: result}
		close(landed.done)
		return landed, nil
	}
	if failure := c.failures[key]; c.now().Before(failure.until) {
		return nil, fmt.Errorf("%w: not tried again yet", failure.err)
	}
	if c.queued.Load() >= maxQueued {
		c.overloaded.Add(1)
		return nil, fmt.Errorf("%w: %d others wait for their turn", errGrantFailed, maxQueued)
	}
	f := &refreshFlight{done: make(chan struct{})}
	c.flights[key] = f
	c.queued.Add(1)
	go c.fly(key, f, grant)
	return f, nil
}

func (c *RefreshCoordinator) known(key string) *granted {
	value, found, err := c.results.Get(context.Background(), key)
	if err != nil || !found {
		return nil
	}
	result := &granted{}
	if json.Unmarshal(value, result) != nil {
		return nil
	}
	return result
}

func (c *RefreshCoordinator) fly(key string, f *refreshFlight, grant func(context.Context) (*granted, error)) {
	c.slots <- struct{}{}
	c.queued.Add(-1)
	f.result, f.err = c.attempt(key, grant)
	<-c.slots
	c.land(key, f)
	close(f.done)
}

func (c *RefreshCoordinator) attempt(key string, grant func(context.Context) (*granted, error)) (result *granted, err error) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if r := recover(); r != nil {
			result = nil
			err = fmt.Errorf("%w: panic: %v", errGrantFailed, r)
		}
	}()
	if c.replicas != nil {
		result, err = c.grantOnce(key, grant)
		return result, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	c.grants.Add(1)
	result, err = grant(ctx)
	return result, err
}

// land makes the outcome known: a result for those who still come with the old
// token, a failure for those who would try again.
func (c *RefreshCoordinator) land(key string, f *refreshFlight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, key)
	switch {
	case f.err == nil:
		delete(c.failures, key)
		c.keep(key, f.result)
	case errors.Is(f.err, errGrantRefused):
		c.refused.Add(1)
		// A request that looked at its session before that was ended may come now.
		c.leaveAlone(key, refreshFailure{until: c.now().Add(c.shareFor), err: errGrantRefused})
	default:
		c.failed.Add(1)
		c.backOff(key)
	}
}

func (c *RefreshCoordinator) leaveAlone(key string, failure refreshFailure) {
	if len(c.failures) >= failuresKept {
		c.failures = map[string]refreshFailure{}
	}
	c.failures[key] = failure
}

func (c *RefreshCoordinator) keep(key string, result *granted) {
	if value, err := json.Marshal(result); err == nil {
		_ = c.results.Set(context.Background(), key, value, c.lasts(result)) // its error is always nil
	}
}

func (c *RefreshCoordinator) lasts(result *granted) time.Duration {
	if c.lasting == nil {
		return c.shareFor
	}
	return c.lasting(result)
}

const (
	firstBackOff = time.Second
	lastBackOff  = 30 * time.Second
)

func (c *RefreshCoordinator) backOff(key string) {
	failure := c.failures[key]
	delay := firstBackOff << failure.count
	if delay >= lastBackOff {
		delay = lastBackOff
	} else {
		failure.count++
	}
	failure.until = c.now().Add(delay)
	failure.err = errGrantFailed
	c.leaveAlone(key, failure)
}
