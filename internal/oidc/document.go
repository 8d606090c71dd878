package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	freshFor = 10 * time.Minute // younger: not even renewed
	goodFor  = 24 * time.Hour   // older: no longer stood on
	retry    = 2 * time.Second  // from a failed fetch to the next
)

// errPaused says that a document was not asked for, since it was a moment ago.
var errPaused = errors.New("asked for a moment ago")

// document is something the provider publishes: the last good copy, and at most
// one fetch in flight, however many wait for it.
//
// Its fields are assigned one by one: in a tuple (x.a, x.b = y.a, f()) Yaegi
// loses what is not a call's result, and fails on nil and on interfaces.
type document struct {
	name    string // for errors
	issuer  string
	load    func(context.Context) (interface{}, error)
	timeout time.Duration // of one fetch
	now     func() time.Time
	log     *slog.Logger

	mu       sync.Mutex
	value    interface{} // the last good one; nil: none yet
	fetched  time.Time   // when value arrived
	tried    time.Time   // when the last fetch began
	failed   time.Time   // when the last fetch failed; zero, which is long ago: it did not
	err      error       // how the last fetch ended; wraps ErrUnavailable
	flight   *flight
	fetches  uint64
	failures uint64
}

// flight is one fetch. value and err are written before done is closed.
type flight struct {
	done  chan struct{}
	value interface{}
	err   error
}

// get returns the value at once while it is younger than fresh. An older one is
// fetched anew: behind the caller's back while it is younger than good, else
// the caller waits, or learns at once of a failure less than retry ago.
func (d *document) get(ctx context.Context, fresh, good time.Duration) (interface{}, error) {
	d.mu.Lock()
	value := d.value
	young := d.now().Sub(d.fetched) < fresh
	d.mu.Unlock()
	if young && value != nil {
		return value, nil
	}
	return d.getAnew(ctx, fresh, good)
}

// getAnew is the part of get that is rare: the interpreter makes every call pay
// for all that a function holds.
func (d *document) getAnew(ctx context.Context, fresh, good time.Duration) (interface{}, error) {
	d.mu.Lock()
	value := d.value
	age := d.now().Sub(d.fetched)
	if value != nil && age < fresh {
		d.mu.Unlock()
		return value, nil // another's fetch has just landed
	}
	f := d.takeOff()
	err := d.err
	d.mu.Unlock()

	if value != nil && age < good {
		return value, nil
	}
	if f == nil {
		return nil, err
	}
	return d.wait(ctx, f)
}

// renew returns the newest good value for a caller to whom something was missing
// in it at the time since, and how it was come by: nil if it was asked for after
// that, so that what is missing in it now is not there.
//
// It is fetched anew at most once in pause. Where the pause holds that back, or
// another's fetch had begun before, the outcome is errPaused: nobody knows.
func (d *document) renew(ctx context.Context, since time.Time, pause time.Duration) (interface{}, error) {
	d.mu.Lock()
	value := d.value
	err := d.err
	if d.flight == nil && !d.tried.Before(since) {
		d.mu.Unlock()
		return value, err // another's fetch has just landed
	}
	if d.flight == nil && d.now().Sub(d.tried) < pause {
		d.mu.Unlock()
		return value, d.paused(err)
	}
	f := d.takeOff()
	late := d.tried.Before(since)
	d.mu.Unlock()

	if f == nil {
		return value, err
	}
	landed, err := d.wait(ctx, f)
	if err != nil {
		return value, err
	}
	if late {
		return landed, d.paused(nil)
	}
	return landed, nil
}

// paused says that nobody was asked, and so that nobody knows.
func (d *document) paused(last error) error {
	if last != nil {
		return last
	}
	return fmt.Errorf("%s of %q: %w: %w", d.name, d.issuer, ErrUnavailable, errPaused)
}

// takeOff returns the flight to wait for, a new one if need be; nil so soon
// after a failure. The caller holds mu.
func (d *document) takeOff() *flight {
	if d.flight != nil {
		return d.flight
	}
	now := d.now()
	if now.Sub(d.failed) < retry {
		return nil
	}
	d.tried = now
	d.fetches++
	d.flight = &flight{done: make(chan struct{})}
	go d.fly(d.flight)
	return d.flight
}

// fly belongs to no request: a client that hangs up leaves the others their fetch.
func (d *document) fly(f *flight) {
	f.value, f.err = d.attempt()
	d.land(f)
	close(f.done)
}

func (d *document) attempt() (value interface{}, err error) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if r := recover(); r != nil {
			value = nil
			err = fmt.Errorf("%s of %q: %w: panic: %v", d.name, d.issuer, ErrUnavailable, r)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), d.timeout)
	defer cancel()
	value, err = d.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s of %q: %w: %w", d.name, d.issuer, ErrUnavailable, err)
	}
	return value, nil
}

func (d *document) land(f *flight) {
	d.mu.Lock()
	before := d.err
	d.flight = nil
	d.err = f.err
	if f.err != nil {
		d.failed = d.now()
		d.failures++
	} else {
		d.failed = time.Time{}
		d.value = f.value
		d.fetched = d.now()
	}
	d.mu.Unlock()
	d.report(before, f.err)
}

// report logs changes only: a provider that is away for an hour is two lines.
func (d *document) report(before, err error) {
	if d.log == nil {
		return
	}
	if err != nil && before == nil {
		d.log.Warn("provider: fetch failed", "document", d.name, "issuer", d.issuer, "error", err.Error())
	}
	if err == nil && before != nil {
		d.log.Info("provider: answers again", "document", d.name, "issuer", d.issuer)
	}
}

func (d *document) wait(ctx context.Context, f *flight) (interface{}, error) {
	if err := wait.For(ctx, f.done); err != nil {
		return nil, fmt.Errorf("%s of %q: %w: %w", d.name, d.issuer, ErrUnavailable, err)
	}
	return f.value, f.err
}

// snapshot is how a document stands, for Health and Stats.
type snapshot struct {
	value    interface{} // nil: none that may be stood on
	fetched  time.Time
	reason   string
	fetches  uint64
	failures uint64
}

func (d *document) snapshot() snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := snapshot{fetched: d.fetched, fetches: d.fetches, failures: d.failures}
	if d.now().Sub(d.fetched) < goodFor {
		s.value = d.value
	}
	switch {
	case errors.Is(d.err, errDocument):
		s.reason = "invalid_document"
	case d.err != nil:
		s.reason = "unreachable"
	}
	return s
}
