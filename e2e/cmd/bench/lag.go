package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	lagRow = "revocation-lag"
	// lagTries is how many logouts are measured.
	lagTries = 200
	// lagPatience is how long the 401 is waited for.
	lagPatience = 10 * time.Second
)

// revocationLag measures how long a session that was ended at one replica is let in by the other.
func (b *bench) revocationLag(ctx context.Context) ([]series, error) {
	if !b.wanted(lagRow) {
		return nil, nil
	}
	lags, err := b.lags(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure %q: %w", lagRow, err)
	}
	note := fmt.Sprintf("%d logouts, each from its being sent to one replica to the first 401 of the other, which is asked without a pause", len(lags))
	if late := lateOf(lags); late > 0 {
		note += fmt.Sprintf("; %d had no 401 within %s", late, lagPatience)
	}
	all := []series{
		{row: lagRow, measure: "ms p50", samples: []float64{percentile(lags, 0.5)}},
		{row: lagRow, measure: "ms p99", samples: []float64{percentile(lags, 0.99)}},
		{row: lagRow, measure: "ms max", samples: []float64{slices.Max(lags)}, note: note},
	}
	say("%s: p50 %.1f ms, p99 %.1f ms, max %.1f ms", lagRow, all[0].samples[0], all[1].samples[0], all[2].samples[0])
	return all, nil
}

// lags are those of all tries, in milliseconds.
func (b *bench) lags(ctx context.Context) ([]float64, error) {
	r, err := b.startReplicas(ctx, "redis")
	if err != nil {
		return nil, err
	}
	defer r.stop()
	cookies, err := r.logIns(ctx, lagTries)
	if err != nil {
		return nil, err
	}
	connections, stop, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	var lags []float64
	for i, cookie := range cookies {
		lag, err := r.lag(ctx, connections, i%2, cookie)
		if errors.Is(err, errNoLogout) { // whoever logged out is none the wiser, so it counts
			say("%s: try %d: %v", lagRow, i, err)
			err = nil
		}
		if err != nil {
			return nil, fmt.Errorf("try %d: %w", i, err)
		}
		lags = append(lags, float64(lag.Microseconds())/1000)
	}
	return lags, nil
}

// lag logs out at a replica that is given, and asks the other until it says 401, or for lagPatience.
func (r *replicas) lag(ctx context.Context, connections []*connection, here int, cookie field) (time.Duration, error) {
	there := 1 - here
	page := r.page(there, cookie)
	for range 2 { // the second is let in by what the first left behind
		if err := letIn(ctx, connections[there], page); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	loggedOut := make(chan error, 1)
	go func() { loggedOut <- logOut(connections[here], script(r.Traefiks[here].URL, "/oauth2/logout", cookie)) }()
	for status := 0; status != http.StatusUnauthorized && time.Since(began) < lagPatience && ctx.Err() == nil; {
		res, err := connections[there].do(page.bytes())
		if err != nil {
			return 0, err
		}
		status = res.status
	}
	lag := time.Since(began)
	return lag, errors.Join(<-loggedOut, ctx.Err())
}

// lateOf counts the tries that were given up.
func lateOf(lags []float64) int {
	late := 0
	for _, lag := range lags {
		if lag >= float64(lagPatience.Milliseconds()) {
			late++
		}
	}
	return late
}
