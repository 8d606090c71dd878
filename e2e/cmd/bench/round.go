package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// userHeader tells the upstream who asks.
const userHeader = "X-Auth-Request-User"

// sample is one row in one round.
type sample struct {
	perSecond float64
	cpu       float64 // microseconds of Traefik's process for one request
	others    float64 // share of the processors that went to other programs
}

// throughput measures the chosen rows, each once in every round and the rounds in different orders, so that whatever
// else the machine does meets all of them alike. A first round, of a second each, does not count.
func (b *bench) throughput(ctx context.Context) ([]series, error) {
	rows := b.chosen(b.rows())
	samples := map[string][]sample{}
	for round := range b.rounds + 1 {
		for _, i := range rand.Perm(len(rows)) {
			r := rows[i]
			duration := b.loadTime(r, round)
			got, err := b.measureInQuiet(ctx, r, duration)
			if err != nil {
				return nil, fmt.Errorf("measure %q: %w", r.name, err)
			}
			say("round %d of %d: %-26s %8.0f requests/s %8.1f µs, other programs %2.0f %%", round, b.rounds, r.name, got.perSecond, got.cpu, 100*got.others)
			if round > 0 {
				samples[r.name] = append(samples[r.name], got)
				b.others = append(b.others, got.others)
			}
		}
	}
	var all []series
	for _, r := range rows {
		rate := series{row: r.name, measure: "requests/s", against: r.against}
		cpu := series{row: r.name, measure: "CPU µs/request", against: r.against}
		for _, s := range samples[r.name] {
			rate.samples = append(rate.samples, s.perSecond)
			cpu.samples = append(cpu.samples, s.cpu)
		}
		all = append(all, rate, cpu)
	}
	return all, nil
}

// crowdFactor stretches the load on rows with many identities or API tokens: the garbage collector walks through them every few
// seconds, and each sample must have its share of that.
const crowdFactor = 3

func (b *bench) loadTime(r row, round int) time.Duration {
	switch {
	case round == 0:
		return time.Second
	case r.stage.identities > 0 || r.stage.apiTokens > 1:
		return crowdFactor * b.duration
	}
	return b.duration
}

// measureInQuiet measures until other programs left it alone, if the options ask for that; what comes of the last try
// counts in any case.
func (b *bench) measureInQuiet(ctx context.Context, r row, duration time.Duration) (sample, error) {
	for try := 1; ; try++ {
		got, err := b.measure(ctx, r, duration)
		if err != nil || b.quiet == 0 || got.others <= b.quiet || try == 20 {
			return got, err
		}
	}
}

// measure puts load on a row. Its answer is checked before and after, and that all requests reached the upstream
// in between: wrk does not tell a redirect from an answer.
func (b *bench) measure(ctx context.Context, r row, duration time.Duration) (sample, error) {
	t, err := b.traefik(ctx, r.stage)
	if err != nil {
		return sample{}, err
	}
	req, err := b.request(ctx, t, r)
	if err != nil {
		return sample{}, err
	}
	if err := b.check(ctx, r, req); err != nil {
		return sample{}, err
	}
	beside, err := b.prepare(ctx, t, r, duration)
	if err != nil {
		return sample{}, err
	}
	before, err := readUsage(t.PID())
	if err != nil {
		return sample{}, err
	}
	answeredBefore := b.upstream.answered.Load()
	ended := make(chan error, 1)
	go func() { ended <- beside() }()
	got, err := b.generator.run(ctx, req, duration)
	if err := errors.Join(err, <-ended); err != nil {
		return sample{}, err
	}
	after, err := readUsage(t.PID())
	if err != nil {
		return sample{}, err
	}
	answered := b.upstream.answered.Load() - answeredBefore
	if got.failed > 0 || answered < int64(got.completed) {
		return sample{}, fmt.Errorf("%d requests failed, %d were answered, %d reached the upstream", got.failed, got.completed, answered)
	}
	used := after.since(before)
	cpu := float64(used.traefik.Nanoseconds()) / 1000 / float64(answered)
	return sample{got.perSecond, cpu, used.others()}, b.check(ctx, r, req)
}

func (b *bench) prepare(ctx context.Context, t *harness.Traefik, r row, duration time.Duration) (beside func() error, err error) {
	if r.beside == nil {
		return func() error { return nil }, nil
	}
	return r.beside(ctx, b, t, duration)
}

func (b *bench) request(ctx context.Context, t *harness.Traefik, r row) (request, error) {
	if r.credential == nil {
		return navigation(t.URL, r.router), nil
	}
	credential, err := r.credential(ctx, b.scene)
	if err != nil {
		return request{}, err
	}
	return navigation(t.URL, r.router, credential), nil
}

// check has a request answered, and looks at what the upstream got of it.
func (b *bench) check(ctx context.Context, r row, req request) error {
	c, err := dial(ctx, req.address())
	if err != nil {
		return err
	}
	defer c.Close()
	req.path += lookQuery
	res, err := c.do(req.bytes())
	if err != nil {
		return err
	}
	if !res.fromUpstream() {
		return fmt.Errorf("check: status %d, body %q, want 200 and %q", res.status, res.body, answerBody)
	}
	seen := b.upstream.takeSeen()
	if seen == nil {
		return errors.New("check: the request did not reach the upstream")
	}
	if got := seen.Header[userHeader]; len(got) > 1 || seen.Header.Get(userHeader) != r.user {
		return fmt.Errorf("check: the upstream was told of %q, want %q", got, r.user)
	}
	return r.checkDelegated(seen)
}
