package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// connections are how many requests are under way at any time.
const connections = 16

// load is what a generator did.
type load struct {
	perSecond float64
	completed int
	failed    int // no answer, or a status of 400 and above
}

// generator sends one request over and over.
type generator interface {
	name() string
	run(ctx context.Context, r request, duration time.Duration) (load, error)
}

// newGenerator is wrk, which apt-get may install, or else goClient.
func newGenerator(ctx context.Context) (generator, error) {
	if err := install(ctx, "wrk"); err != nil {
		say("no wrk: %v", err)
		return goClient{}, ctx.Err()
	}
	return wrk{}, nil
}

// goClient is for machines without wrk. It takes more of the processor than wrk does.
type goClient struct{}

func (goClient) name() string { return "a Go client, 16 connections" }

func (goClient) run(ctx context.Context, r request, duration time.Duration) (load, error) {
	bytes := r.bytes()
	began := time.Now()
	end := began.Add(duration)
	var completed, failed atomic.Int64
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			c, err := dial(ctx, r.address())
			if err != nil {
				failed.Add(1)
				return
			}
			defer c.Close()
			for time.Now().Before(end) && ctx.Err() == nil {
				res, err := c.do(bytes)
				if err != nil || res.status >= http.StatusBadRequest {
					failed.Add(1)
					return
				}
				completed.Add(1)
			}
		})
	}
	workers.Wait()
	n := int(completed.Load())
	if n == 0 {
		return load{}, errors.Join(errors.New("no request was answered"), ctx.Err())
	}
	return load{perSecond: float64(n) / time.Since(began).Seconds(), completed: n, failed: int(failed.Load())}, ctx.Err()
}
