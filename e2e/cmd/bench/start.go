package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// start measures how long Traefik takes from its start to the first answer through a middleware: one with Latchkey
// alone, where it fetches the issuer's keys and verifies a token first, against one with the empty plugin alone.
func (b *bench) start(ctx context.Context) ([]series, error) {
	if !b.wanted("start") {
		return nil, nil
	}
	routers := []string{"empty", "latchkey"}
	seconds, cpu := map[string][]float64{}, map[string][]float64{}
	for range b.rounds {
		for _, i := range rand.Perm(len(routers)) {
			router := routers[i]
			took, used, err := b.firstAnswer(ctx, router)
			if err != nil {
				return nil, fmt.Errorf("measure the start with %q: %w", router, err)
			}
			say("start with %s: %s, %s of CPU time", router, took.Round(time.Millisecond), used.Round(time.Millisecond))
			seconds[router] = append(seconds[router], took.Seconds())
			cpu[router] = append(cpu[router], used.Seconds())
		}
	}
	const base = "start-empty"
	return []series{
		{row: base, measure: "s to first answer", samples: seconds["empty"]},
		{row: base, measure: "CPU s", samples: cpu["empty"]},
		{row: "start", measure: "s to first answer", samples: seconds["latchkey"], against: []string{base}},
		{row: "start", measure: "CPU s", samples: cpu["latchkey"], against: []string{base}},
	}, nil
}

// firstAnswer starts a Traefik that has the plugin of the router, and no other.
func (b *bench) firstAnswer(ctx context.Context, router string) (took, cpu time.Duration, err error) {
	port, err := harness.Prefer(18_000)
	if err != nil {
		return 0, 0, err
	}
	o := b.traefikOptions()
	o.Port = port
	d := b.dynamic(stage{})
	if router == "empty" {
		o.WithoutLatchkey = true
		delete(d.Middlewares, "latchkey")
		delete(d.Routers, "latchkey")
	} else {
		o.Others = nil
		delete(d.Middlewares, "empty")
		delete(d.Routers, "empty")
	}
	token, err := b.issuer.forAlice()
	if err != nil {
		return 0, 0, err
	}
	req := navigation(fmt.Sprintf("http://localhost:%d", port), router, authorization(token))

	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	first := make(chan time.Time, 1)
	go func() {
		defer close(first)
		for ctx.Err() == nil {
			if answers(ctx, req) {
				first <- time.Now()
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	t, err := harness.StartTraefik(ctx, o, d)
	if err != nil {
		return 0, 0, err
	}
	defer t.Stop()
	b.version = traefikVersion(t.PID())
	at, ok := <-first
	if !ok {
		return 0, 0, errors.New("no answer within a minute")
	}
	cpu, err = cpuTime(t.PID())
	return at.Sub(t.Began), cpu, err
}

// answers says whether the request reaches the upstream, now.
func answers(ctx context.Context, req request) bool {
	c, err := dial(ctx, req.address())
	if err != nil {
		return false
	}
	defer c.Close()
	res, err := c.do(req.bytes())
	return err == nil && res.fromUpstream()
}
