package cache

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What happens to a key between a read of Redis and its backfill is not undone
// by it.
func TestBackfillComesTooLate(t *testing.T) {
	old := "old"
	for name, row := range map[string]struct {
		meanwhile func(g *rig, c *Tiered)
		memory    string // what it holds after the backfill
		get       string // what the cache answers
	}{
		"nothing":         {func(_ *rig, _ *Tiered) {}, old, old},
		"delete":          {func(g *rig, c *Tiered) { deleteIt(g.t, c) }, "-", "-"},
		"set":             {func(g *rig, c *Tiered) { setNew(g.t, c) }, "new", "new"},
		"set for no time": {func(g *rig, c *Tiered) { set(g.t, c, "k", "new", 0) }, "-", "-"},
		"replace":         {func(g *rig, c *Tiered) { replace(g.t, c, "k", "new", time.Hour) }, "new", "new"},
		"delete, then add": {func(g *rig, c *Tiered) {
			deleteIt(g.t, c)
			add(g.t, c, "k", "new", time.Hour)
		}, "new", "new"},
		"deleted elsewhere, then a replace that fails": {func(g *rig, c *Tiered) {
			deleteIt(g.t, g.redis)
			replace(g.t, c, "k", "new", time.Hour)
		}, "-", "-"},
		"set elsewhere, then an add that fails": {func(g *rig, c *Tiered) {
			setNew(g.t, g.redis)
			add(g.t, c, "k", "newer", time.Hour)
		}, "-", "new"},
		"deleted elsewhere, then read anew": {func(g *rig, c *Tiered) {
			deleteIt(g.t, g.redis)
			fresh(g.t, c, "k")
		}, "-", "-"},
		"set elsewhere, then read anew": {func(g *rig, c *Tiered) {
			setNew(g.t, g.redis)
			fresh(g.t, c, "k")
		}, "new", "new"},
		"another key is deleted": {func(g *rig, c *Tiered) { remove(g.t, c, "other") }, old, old},
	} {
		t.Run(name, func(t *testing.T) {
			g, clk := newRig(t), &clock{}
			c := g.idle(clk.now, 10)
			set(t, g.redis, "k", old, time.Hour)
			if got := get(t, c, "k"); got != old {
				t.Fatalf("got %q", got)
			}
			row.meanwhile(g, c)
			start(t, c)
			if got := inMemory(t, c, "k"); got != row.memory {
				t.Errorf("memory holds %q, want %q", got, row.memory)
			}
			if got := get(t, c, "k"); got != row.get {
				t.Errorf("got %q, want %q", got, row.get)
			}
		})
	}
}

// The same in the moment between the read and the queue.
func TestBackfillComesTooLateForTheQueue(t *testing.T) {
	g, clk := newRig(t), &clock{}
	c := g.tiered(t, clk.now, 10)
	set(t, g.redis, "k", "old", time.Hour)
	began := c.begin("k")
	found, err := c.find(context.Background(), "k")
	if err != nil || found == nil {
		t.Fatalf("got %v, %v", found, err)
	}
	deleteIt(t, c)
	c.offer(&backfill{visit: began, held: found})
	drained(t, c)
	if got := get(t, c, "k"); got != "-" {
		t.Errorf("got %q, which was deleted", got)
	}
	if got := c.Stats(); got.Overtaken != 1 {
		t.Errorf("got %+v, want one overtaken", got)
	}
}

// Two that write a key, or read it anew, at one time: memory need not know in
// which order Redis saw them, and so keeps nothing of either.
func TestWritesThatOvertakeEachOther(t *testing.T) {
	g, clk := newRig(t), &clock{}
	for name, row := range map[string]struct{ first, second, inRedis string }{
		"a set, settled after a later delete": {"set", "delete", "-"},
		"a delete, settled after a later set": {"delete", "set", "new"},
		"a read, settled after a later set":   {"read", "set", "new"},
		"a read, settled after a delete":      {"read", "delete", "-"},
		"a set, settled after a later read":   {"set", "read", "new"},
	} {
		c := g.tiered(t, clk.now, 10)
		set(t, c, "k", "old", time.Hour)
		first := c.begin("k")
		firstValue := inRedis(g, row.first)
		second := c.begin("k")
		secondValue := inRedis(g, row.second)
		settleAs(c, second, secondValue)
		settleAs(c, first, firstValue)
		if got := inMemory(t, c, "k"); got != "-" {
			t.Errorf("%s: memory holds %q", name, got)
		}
		if got := get(t, c, "k"); got != row.inRedis {
			t.Errorf("%s: got %q, want %q", name, got, row.inRedis)
		}
	}
}

func inRedis(g *rig, do string) string {
	switch do {
	case "set":
		setNew(g.t, g.redis)
	case "delete":
		deleteIt(g.t, g.redis)
	}
	return get(g.t, g.redis, "k")
}

func settleAs(c *Tiered, v visit, value string) {
	if value == "-" {
		c.forget(v)
		return
	}
	c.settle(v, []byte(value), time.Hour)
}

// With the worker held up and its queue full, each further backfill is dropped
// and counted, each reader is answered, and later reads bring the rest.
func TestBackfillQueueFull(t *testing.T) {
	const values, queue = 1000, 100
	g, clk := newRig(t), &clock{}
	for i := 0; i < values; i++ {
		set(t, g.redis, strconv.Itoa(i), "value "+strconv.Itoa(i), time.Hour)
	}
	c := g.idle(clk.now, queue)
	readAll := func() {
		for i := 0; i < values; i++ {
			if got := get(t, c, strconv.Itoa(i)); got != "value "+strconv.Itoa(i) {
				t.Fatalf("value %d: got %q", i, got)
			}
		}
	}
	readAll()
	if got, want := c.Stats(), (Stats{RedisHits: values, Queue: queue, Dropped: values - queue}); got != want {
		t.Fatalf("worker held up: got %+v, want %+v", got, want)
	}
	start(t, c)
	if got, want := c.Stats(), (Stats{RedisHits: values, Backfills: queue, Dropped: values - queue}); got != want {
		t.Fatalf("worker goes on: got %+v, want %+v", got, want)
	}
	before := c.Stats().MemoryHits
	readAll()
	if got := c.Stats().MemoryHits - before; got != queue {
		t.Errorf("%d hits in memory, want %d", got, queue)
	}
	for i := 0; i < values && c.Stats().Backfills < values; i++ {
		readAll()
		drained(t, c)
	}
	if got := c.Stats(); got.RedisHits != got.Backfills+got.Dropped || got.Overtaken != 0 || got.Panics != 0 {
		t.Errorf("got %+v, want each hit in Redis written to memory or dropped", got)
	}
	for i := 0; i < values; i++ {
		if got := inMemory(t, c, strconv.Itoa(i)); got != "value "+strconv.Itoa(i) {
			t.Errorf("value %d: memory holds %q in the end", i, got)
		}
	}
}

// A burst of hits in Redis is one goroutine's work.
func TestBackfillBurst(t *testing.T) {
	const values, margin = 1000, 20
	g := newRig(t)
	for i := 0; i < values; i++ {
		set(t, g.redis, strconv.Itoa(i), "v", time.Hour)
	}
	c := g.tiered(t, time.Now, values)
	before := runtime.NumGoroutine()
	var readers sync.WaitGroup
	var wrong, most atomic.Int64
	for reader := 0; reader < 8; reader++ {
		readers.Add(1)
		first := reader // the interpreter's goroutines share the loop's variable
		go func() {
			defer readers.Done()
			for i := first; i < values; i += 8 {
				if value, _, _ := c.Get(context.Background(), strconv.Itoa(i)); string(value) != "v" {
					wrong.Add(1)
				}
				if now := int64(runtime.NumGoroutine()); now > most.Load() {
					most.Store(now)
				}
			}
		}()
	}
	readers.Wait()
	after := runtime.NumGoroutine()
	if wrong.Load() != 0 {
		t.Errorf("%d wrong answers", wrong.Load())
	}
	if grown := most.Load() - int64(before); grown > 8+margin {
		t.Errorf("%d more goroutines in the burst, 8 of them the test's", grown)
	}
	if after > before+margin || after < before-margin {
		t.Errorf("%d goroutines before the burst, %d after it", before, after)
	}
	drained(t, c)
	if got := c.Stats(); got.RedisHits != values || got.Backfills != values || got.Dropped != 0 {
		t.Errorf("got %+v, want %d hits in Redis, all written to memory", got, values)
	}
}

// A panic costs one backfill, and leaves nothing locked.
func TestBackfillPanics(t *testing.T) {
	g, clk := newRig(t), &clock{}
	c := g.tiered(t, clk.now, 10)
	for i := 0; i < 3; i++ {
		c.queue <- &backfill{visit: visit{shard: -1}, held: &held{}} // no such shard
		c.queue <- &backfill{}                                       // nothing to write
	}
	eventually(t, "the panics", func() bool { return c.Stats().Panics == 6 })
	set(t, g.redis, "k", "v", time.Hour)
	get(t, c, "k")
	eventually(t, "a backfill", func() bool { return c.Stats().Backfills == 1 })
	if got := inMemory(t, c, "k"); got != "v" {
		t.Errorf("memory holds %q", got)
	}
}

// Close waits for the worker, whatever is in the queue; the cache answers
// after it.
func TestCloseWithFullQueue(t *testing.T) {
	const queue = 3
	g, clk := newRig(t), &clock{}
	c := g.idle(clk.now, queue)
	set(t, g.redis, "k", "v", time.Hour)
	get(t, c, "k")
	began := c.begin("k")
	full := &backfill{visit: began, held: &held{value: []byte("v"), left: time.Hour}}

	c.memory.mu.Lock() // holds up the worker in the middle of a backfill
	go c.work()
	eventually(t, "the worker to take a backfill", func() bool { return len(c.queue) == 0 })
	for i := 0; i < queue; i++ {
		c.offer(full)
	}
	var early, closed atomic.Int64
	for i := 0; i < 2; i++ {
		go func() {
			c.Close()
			select {
			case <-c.ended:
			default:
				early.Add(1)
			}
			closed.Add(1)
		}()
	}
	<-c.closing
	if got := c.Stats(); got.Queue != queue || got.Dropped != 0 {
		t.Errorf("got %+v, want a full queue", got)
	}
	c.memory.mu.Unlock()
	eventually(t, "both to have closed", func() bool { return closed.Load() == 2 })
	if early.Load() != 0 {
		t.Error("Close did not wait for the worker")
	}
	c.Close()

	deleteIt(t, c)
	setNew(t, c)
	if got := get(t, c, "k"); got != "new" {
		t.Errorf("after Close: got %q", got)
	}
	set(t, g.redis, "other", "v", time.Hour)
	for i := 0; i < 2*queue; i++ {
		if got := get(t, c, "other"); got != "v" {
			t.Errorf("after Close: got %q", got)
		}
	}
	if got := inMemory(t, c, "other"); got != "-" {
		t.Errorf("after Close: backfilled %q", got)
	}
}
