package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// flood is bad tokens over connections that are kept alive, and what they are answered.
type flood struct {
	path        string
	want        int // the status of every answer
	or          int // or this; 0: none
	connections int
	count       int
	rate        float64 // in a second, of all connections; 0: as fast as they are answered
	token       func(*rand.Rand) string
}

// of is f with another count and rate.
func (f flood) of(count int, rate float64) flood {
	f.count, f.rate = count, rate
	return f
}

// run returns when all are answered, with how long that took.
func (f flood) run(ctx context.Context, b *bench) (time.Duration, error) {
	began := time.Now()
	var workers []func(context.Context) error
	for i := range f.connections {
		count := f.count*(i+1)/f.connections - f.count*i/f.connections
		workers = append(workers, func(ctx context.Context) error { return f.connection(ctx, b, count) })
	}
	err := all(ctx, workers...)
	return time.Since(began), err
}

func (f flood) connection(ctx context.Context, b *bench, count int) error {
	c, err := b.connect()
	if err != nil {
		return err
	}
	defer c.close()
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	pause := newPause(f.rate / float64(f.connections))
	for range count {
		if err := pause.wait(ctx); err != nil {
			return err
		}
		a, err := c.get(f.path, "Authorization", "Bearer "+f.token(random))
		if err != nil {
			return err
		}
		if a.status != f.want && (f.or == 0 || a.status != f.or) {
			return fmt.Errorf("bad token at %s: status %d, want %d", f.path, a.status, f.want)
		}
	}
	return nil
}

// pause keeps to a rate. What comes too late moves the rest, instead of making it a burst.
type pause struct {
	interval time.Duration
	next     time.Time
}

func newPause(rate float64) *pause {
	if rate == 0 {
		return &pause{}
	}
	interval := time.Duration(float64(time.Second) / rate)
	return &pause{interval, time.Now().Add(rand.N(interval))}
}

func (p *pause) wait(ctx context.Context) error {
	left := time.Until(p.next)
	if left < -p.interval {
		p.next = time.Now()
	}
	p.next = p.next.Add(p.interval)
	return sleep(ctx, left)
}

// sleep returns an error if ctx ended first.
func sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	return ctx.Err()
}
