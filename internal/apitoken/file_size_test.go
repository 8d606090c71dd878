package apitoken

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// enoughTicks are how many turns somebody who asks for nothing has to get during a
// load, so that it shows something.
const enoughTicks = 100

// No request waits for the better part of a load of very many tokens. The time of
// day tells nothing of that on a machine that stops everybody now and then, so a
// control that ticks every millisecond runs beside it: what stops the requests, and
// not the control, is ours. There are as many tokens as the machine needs for the
// load to take long.
func TestLoadOfVeryMany(t *testing.T) {
	for n := 10000; ; n *= 2 {
		answers, slowest, whole := ticksWhileLoading(t, n)
		t.Logf("%d tokens: %d requests were answered in %d ticks, the slowest of them in %d", n, answers, whole, slowest)
		if whole < enoughTicks && n < 500000 {
			continue
		}
		if slowest > whole/3 {
			t.Errorf("a request waited %d ticks of %d that the load took", slowest, whole)
		}
		return
	}
}

func ticksWhileLoading(t *testing.T, n int) (answers int, slowest, whole int64) {
	t.Helper()
	g := newRig(t)
	g.put(manyOf(t, n, "first"))
	f := g.open()
	g.put(manyOf(t, n, "other"))
	g.clock.advance(time.Minute)
	name := fmt.Sprintf("%016x", n/2)
	ticks, stop := ticking()
	defer stop()
	find(t, f, name) // finds the file changed, and is patient
	began := ticks.Load()
	for next := ""; next != "other"; answers++ {
		before := ticks.Load()
		next = find(t, f, name).Note
		if waited := ticks.Load() - before; waited > slowest {
			slowest = waited
		}
	}
	whole = ticks.Load() - began
	eventually(t, "the load to end", func() bool { return !f.isLoading() })
	if told := strings.Count(g.deaths(), ",") + 1; told != n {
		t.Errorf("%d deaths told, want %d", told, n)
	}
	return answers, slowest, whole
}

// ticking counts, once a millisecond at most.
func ticking() (ticks *atomic.Int64, stop func()) {
	var n atomic.Int64
	tick := time.NewTicker(time.Millisecond)
	over := make(chan struct{})
	go func() {
		for {
			select {
			case <-tick.C:
				n.Add(1)
			case <-over:
				return
			}
		}
	}()
	return &n, func() {
		tick.Stop()
		close(over)
	}
}

func manyOf(t *testing.T, n int, note string) string {
	t.Helper()
	tokens := map[string]Token{}
	for i := 0; i < n; i++ {
		tokens[fmt.Sprintf("%016x", i)] = Token{Hash: hash("a"), Owner: "alice", Note: note, Created: 1, Scopes: []string{"read", "write"}}
	}
	content, err := render(tokens)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
