package redis

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// handClock moves only when it is told to.
type handClock struct {
	mu   sync.Mutex
	time time.Time
}

func newHandClock() *handClock { return &handClock{time: time.Unix(1700000000, 0)} }

func (c *handClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

// breakerRun is one row of TestBreaker under way.
type breakerRun struct {
	t       *testing.T
	name    string
	clock   *handClock
	breaker *breaker
	epoch   int64 // of the command that began earlier
	answers int64
	well    bool // the server answers when it is suspected
	asked   int  // how often it was
}

// failed is a command that fails, and the probe that decides.
func (r *breakerRun) failed(epoch, answers int64, timeout bool) {
	if !r.breaker.failed(epoch, answers, timeout) {
		return
	}
	r.asked++
	if r.breaker.failed(epoch, answers, true) {
		r.t.Errorf("%s: two are to ask at once", r.name)
	}
	if r.well {
		r.breaker.judged(nil)
		return
	}
	r.breaker.judged(&failure{code: "refused"})
}

// step is one word of a row:
//
//	fail, timeout       a command begins now, and fails
//	begin, late, tardy  a command begins; later it fails, or times out
//	answer              a command is answered
//	999ms, 1ms          time passes
//	probe, none         the next caller is to try, or is not
//	back, away, left    the probe is answered, fails, or its caller leaves
//	well, ill           from now on the server answers when it is suspected, or not
func (r *breakerRun) step(word string) {
	b := r.breaker
	switch word {
	case "fail":
		r.failed(b.epoch.Load(), b.answers.Load(), false)
	case "timeout":
		r.failed(b.epoch.Load(), b.answers.Load(), true)
	case "begin":
		r.epoch = b.epoch.Load()
		r.answers = b.answers.Load()
	case "late":
		r.failed(r.epoch, r.answers, false)
	case "tardy":
		r.failed(r.epoch, r.answers, true)
	case "answer":
		b.answers.Add(1)
	case "999ms":
		r.clock.advance(999 * time.Millisecond)
	case "1ms":
		r.clock.advance(time.Millisecond)
	case "probe":
		if !b.probe() {
			r.t.Errorf("%s: no probe", r.name)
		}
	case "none":
		if b.probe() {
			r.t.Errorf("%s: a probe too many", r.name)
		}
	case "back":
		b.probed(nil)
	case "away":
		b.probed(&failure{code: "refused"})
	case "left":
		b.probed(&failure{code: "canceled", caller: true, spared: true})
	case "well", "ill":
		r.well = word == "well"
	default:
		r.t.Fatalf("%s: no step %q", r.name, word)
	}
}

func TestBreaker(t *testing.T) {
	cases := []struct{ name, steps, want string }{
		{"nothing happened", "", "closed"},
		{"two failures", "fail fail", "closed"},
		{"three failures in a row", "fail fail fail", "open"},
		{"three failures, an answer between", "fail fail answer fail", "closed"},
		{"an answer, then three failures", "fail fail answer fail fail fail", "open"},
		{"one time-out", "timeout", "open"},
		{"a time-out, no answer meanwhile", "answer begin tardy", "open"},
		{"a time-out, another answered meanwhile", "begin answer tardy", "closed"},
		{"three time-outs, others answered before", "begin answer tardy begin tardy", "open"},

		{"open: no probe at first", "timeout none 999ms none", "open"},
		{"a probe after a second", "timeout 999ms 1ms probe", "half-open"},
		{"one probe at a time", "timeout 999ms 1ms probe none 999ms 1ms none", "half-open"},
		{"a probe that is answered", "timeout 999ms 1ms probe back", "closed"},
		{"a probe that fails", "timeout 999ms 1ms probe away", "open"},
		{"the next probe a second later", "timeout 999ms 1ms probe away 999ms none 1ms probe back", "closed"},
		{"a probe whose caller left", "timeout 999ms 1ms probe left", "open"},
		{"then the next caller probes at once", "timeout 999ms 1ms probe left probe back", "closed"},

		{"failures while open change nothing", "timeout fail fail fail", "open"},
		{"late failures while open change nothing", "begin timeout late late late 999ms 1ms probe back", "closed"},
		{"a late time-out of an earlier epoch", "begin timeout 999ms 1ms probe back tardy", "closed"},
		{"late failures of an earlier epoch", "begin timeout 999ms 1ms probe back late late late", "closed"},
		{"two failures before, one after", "fail fail timeout 999ms 1ms probe back fail fail", "closed"},
		{"it opens again", "timeout 999ms 1ms probe back fail fail fail", "open"},
		{"and waits a second again", "timeout 999ms 1ms probe back timeout none 999ms 1ms probe", "half-open"},

		{"three failures of commands, the server is well", "well fail fail fail", "closed"},
		{"a time-out, the server is well", "well timeout", "closed"},
		{"however many", "well timeout fail fail fail timeout timeout fail fail fail fail", "closed"},
		{"well, then ill", "well timeout ill timeout", "open"},
		{"failures before an answer to a probe", "well fail fail fail ill fail fail", "closed"},
		{"a time-out of before an answer to a probe", "begin well timeout ill tardy", "closed"},

		{"a caller that saw it open, and comes after another's probe", "timeout 999ms 1ms probe back probe back", "closed"},
	}
	for _, c := range cases {
		clock := newHandClock()
		now := func() time.Time { return clock.now() }
		r := &breakerRun{t: t, name: c.name, clock: clock, breaker: &breaker{now: now}}
		for _, word := range strings.Fields(c.steps) {
			r.step(word)
		}
		expect(t, c.name, r.breaker.state(), c.want)
	}
}

func TestWorstBreaker(t *testing.T) {
	states := []string{"closed", "half-open", "open"} // from good to bad
	for i, a := range states {
		for j, b := range states {
			want := a
			if j > i {
				want = b
			}
			expect(t, a+" and "+b, worse(a, b), want)
		}
	}
}

// TestServerAway: commands fail at once while the server is away, and succeed
// when it is back.
func TestServerAway(t *testing.T) {
	cases := []struct {
		name        string
		away, again func(s *redistest.Server)
	}{
		{"killed", func(s *redistest.Server) { s.Stop() }, func(s *redistest.Server) { s.Restart() }},
		{"paused", func(s *redistest.Server) { s.Pause() }, func(s *redistest.Server) { s.Resume() }},
	}
	for _, test := range cases {
		s := redistest.Start(t)
		clock := newHandClock()
		c := open1(t, Config{Addresses: []string{s.Addr()}, Now: func() time.Time { return clock.now() }})
		do(t, c, "PING")
		before := runtime.NumGoroutine()
		test.away(s)

		for i := 0; i < failuresToOpen && c.Health().Breaker != "open"; i++ {
			_, err := c.Do(background, "PING")
			expectError(t, test.name, err, ErrUnavailable)
		}
		expect(t, test.name, c.Health().Breaker, "open")
		refusedAtOnce(t, c, 21)
		crowd(t, c, 100)
		if n := runtime.NumGoroutine(); n > before+10 {
			t.Errorf("%s: %d goroutines, %d before", test.name, n, before)
		}

		clock.advance(probeEvery)
		_, err := c.Do(background, "PING")
		expectError(t, test.name+", a probe", err, ErrUnavailable)
		expect(t, test.name+", after the probe", c.Health().Breaker, "open")
		test.again(s)
		_, err = c.Do(background, "PING")
		expectError(t, test.name+", before the next probe", err, ErrUnavailable, "open")
		clock.advance(probeEvery)
		waitFor(t, test.name+": commands to succeed", func() bool {
			clock.advance(probeEvery)
			_, err := c.Do(background, "PING")
			return err == nil
		})
		expect(t, test.name+", back", c.Health().Breaker, "closed")
		expect(t, test.name+", back", do(t, c, "SET", "k", "v"), `"OK"`)
	}
}

// refusedAtOnce are so many calls that all fail, without the server's being asked.
func refusedAtOnce(t *testing.T, c *Client, n int) {
	t.Helper()
	for i := 0; i < n; i++ {
		_, err := c.Do(background, "PING")
		expectError(t, "while open", err, ErrUnavailable, "open")
	}
}

// crowd is many callers at once, which all fail.
func crowd(t *testing.T, c *Client, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := c.Do(background, "PING")
			if !errors.Is(err, ErrUnavailable) {
				t.Errorf("one of many: %v", err)
			}
		}()
	}
	wg.Wait()
}

// TestHalfOpen: a probe under way is shown, and nobody waits for it.
func TestHalfOpen(t *testing.T) {
	s := redistest.Start(t)
	clock := newHandClock()
	c := open1(t, Config{Addresses: []string{s.Addr()}, Now: func() time.Time { return clock.now() }})
	do(t, c, "PING")
	s.Pause()
	_, err := c.Do(background, "PING")
	expectError(t, "a time-out", err, ErrUnavailable, "timeout")
	clock.advance(probeEvery)
	probed := make(chan error, 1)
	go func() {
		_, err := c.Do(background, "PING")
		probed <- err
	}()
	waitFor(t, "a probe", func() bool { return c.Health().Breaker == "half-open" })
	_, err = c.Do(background, "PING")
	expectError(t, "beside the probe", err, ErrUnavailable, "open")
	expectError(t, "the probe", <-probed, ErrUnavailable, "timeout")
	expect(t, "after the probe", c.Health().Breaker, "open")
}

// TestCallersThatLeave do not open the breaker, and are no failures.
func TestCallersThatLeave(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	do(t, c, "PING")
	s.Pause()
	for i := 0; i < 2*failuresToOpen; i++ {
		ctx, cancel := context.WithTimeout(background, 5*time.Millisecond)
		_, err := c.Do(ctx, "PING")
		cancel()
		expectError(t, "a caller that left", err, context.DeadlineExceeded)
		expectError(t, "a caller that left", err, ErrUnavailable)
	}
	if h := c.Health(); h.Breaker != "closed" || h.Failures != 0 || h.Connections != 0 {
		t.Errorf("health: %+v, want closed, no failure and no connection", h)
	}
	s.Resume()
	do(t, c, "PING")
}

// TestDeadlinesWhileDialing: that of a caller may pass at any moment, and says
// nothing about the server.
func TestDeadlinesWhileDialing(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	for i := 0; i < 300; i++ {
		ctx, cancel := context.WithTimeout(background, time.Duration(i)*5*time.Microsecond)
		_, err := c.Do(ctx, "PING")
		cancel()
		if err != nil {
			expectError(t, "a deadline that passed", err, context.DeadlineExceeded)
		}
		if h := c.Health(); h.Failures != 0 || h.Breaker != "closed" {
			t.Fatalf("after %dus: %v; health %+v, want closed and no failure", 5*i, err, h)
		}
		c.node.pool.flush()
	}
}
