package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	swapRow  = "api-tokens-swap"
	quietRow = "api-tokens-quiet"
	// swapPause is between two requests of a connection: it is how long they take that is asked for, not how many
	// there can be.
	swapPause = 4 * time.Millisecond
	// swapPatience is how long the new file may take.
	swapPatience = time.Minute
	// swapWarmUp opens the connections to the upstream.
	swapWarmUp = time.Second
)

var swapStage = stage{name: "swap", apiTokens: 1, checkEvery: 2 * time.Second}

// swapped is what came of one exchange of a shadow file.
type swapped struct {
	took        time.Duration
	slow, quiet time.Duration // the slowest request meanwhile, and in as long a time without
}

// swap measures what it takes until a token of a new shadow file is let in, and what the requests with a token that was
// there before notice of it. Each round has a Traefik of its own, which knows that one token only.
func (b *bench) swap(ctx context.Context) ([]series, error) {
	if !b.wanted(swapRow) {
		return nil, nil
	}
	content, newest, err := b.shadowFile(b.apiTokens)
	if err != nil {
		return nil, err
	}
	seconds := series{row: swapRow, measure: "s to new token"}
	quiet := series{row: quietRow, measure: "ms slowest"}
	slow := series{row: swapRow, measure: "ms slowest", against: []string{quietRow}}
	for range b.rounds {
		s, err := b.swapOnce(ctx, content, newest)
		if err != nil {
			return nil, fmt.Errorf("measure %q: %w", swapRow, err)
		}
		say("%s: %s, the slowest request %s, in a quiet time %s", swapRow, s.took.Round(time.Millisecond), s.slow.Round(time.Microsecond), s.quiet.Round(time.Microsecond))
		seconds.samples = append(seconds.samples, s.took.Seconds())
		slow.samples = append(slow.samples, milliseconds(s.slow))
		quiet.samples = append(quiet.samples, milliseconds(s.quiet))
	}
	slow.note = fmt.Sprintf("a file of %d API tokens (%.1f MB) in place of one, from the first request that can find it changed to the first that one of its "+
		"tokens lets in; meanwhile, and quietly for as long afterwards, %d connections send a token of both, %s after each answer",
		b.apiTokens, float64(len(content))/1e6, workers, swapPause)
	return []series{quiet, seconds, slow}, nil
}

func (b *bench) swapOnce(ctx context.Context, content []byte, newest apiToken) (swapped, error) {
	t, err := b.traefik(ctx, swapStage)
	if err != nil {
		return swapped{}, err
	}
	defer b.end(swapStage)
	stays := navigation(t.URL, "latchkey", authorization(b.apiToken.credential))
	if err := b.check(ctx, row{user: "alice"}, stays); err != nil {
		return swapped{}, err
	}
	if _, err := pace(ctx, stays, waitFor(swapWarmUp)); err != nil {
		return swapped{}, err
	}
	// While nobody asks, nobody looks at the file: the next request does at once, however long ago the last look was.
	if err := waitFor(swapStage.checkEvery * 5 / 4)(ctx); err != nil {
		return swapped{}, err
	}
	if err := b.putShadowFile(swapStage, content); err != nil {
		return swapped{}, err
	}
	var s swapped
	began := time.Now()
	s.slow, err = pace(ctx, stays, func(ctx context.Context) error {
		err := firstLetIn(ctx, script(t.URL, "/latchkey/ok", authorization(newest.credential)))
		s.took = time.Since(began)
		return err
	})
	if err != nil {
		return swapped{}, err
	}
	s.quiet, err = pace(ctx, stays, waitFor(s.took))
	return s, err
}

// firstLetIn waits until the request reaches the upstream.
func firstLetIn(ctx context.Context, r request) error {
	ctx, cancel := context.WithTimeout(ctx, swapPatience)
	defer cancel()
	c, err := dial(ctx, r.address())
	if err != nil {
		return err
	}
	defer c.Close()
	return harness.Poll(ctx, "the new token to be let in", func() error {
		res, err := c.do(r.bytes())
		if err == nil && !res.fromUpstream() {
			err = fmt.Errorf("status %d", res.status)
		}
		return err
	})
}

// waitFor returns a function that ends after some time, or with its context.
func waitFor(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pace has each worker send the request over and over on a connection of its own, with a pause after each answer, until
// the function that is given returns. It returns the longest time that an answer took.
func pace(ctx context.Context, r request, until func(context.Context) error) (slowest time.Duration, err error) {
	var connections []*connection
	defer func() {
		for _, c := range connections {
			c.Close()
		}
	}()
	for range workers {
		c, err := dial(ctx, r.address())
		if err != nil {
			return 0, err
		}
		connections = append(connections, c)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	longest := make([]time.Duration, workers)
	var all sync.WaitGroup
	for i, c := range connections {
		all.Go(func() {
			var err error
			if longest[i], err = c.slowest(r, ended); err != nil {
				cancel(err)
			}
		})
	}
	err = until(ctx)
	close(ended)
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return 0, cause
	}
	return slices.Max(longest), err
}

// slowest sends the request, each time a pause after the answer, until ended is closed.
func (c *connection) slowest(r request, ended <-chan struct{}) (longest time.Duration, err error) {
	bytes := r.bytes()
	for {
		began := time.Now()
		res, err := c.do(bytes)
		if err != nil {
			return 0, err
		}
		if !res.fromUpstream() {
			return 0, fmt.Errorf("status %d, body %q", res.status, res.body)
		}
		longest = max(longest, time.Since(began))
		select {
		case <-ended:
			return longest, nil
		case <-time.After(swapPause):
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
