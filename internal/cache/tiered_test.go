package cache

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"
)

func fresh(t *testing.T, c *Tiered, k string) string {
	t.Helper()
	value, found, err := c.Fresh(context.Background(), k)
	if err != nil {
		t.Fatalf("fresh %q: %v", k, err)
	}
	if !found {
		return "-"
	}
	return string(value)
}

// inMemory is what the memory tier answers, by itself.
func inMemory(t *testing.T, c *Tiered, k string) string {
	t.Helper()
	return get(t, c.memory, k)
}

func TestTieredReads(t *testing.T) {
	g, clk := newRig(t), &clock{}
	c := g.tiered(t, clk.now, 1000)
	set(t, g.redis, "k", "v", time.Hour)
	for i, want := range []Stats{
		{RedisHits: 1, Backfills: 1},
		{RedisHits: 1, Backfills: 1, MemoryHits: 1},
		{RedisHits: 1, Backfills: 1, MemoryHits: 2},
	} {
		if got := get(t, c, "k"); got != "v" {
			t.Errorf("read %d: got %q", i, got)
		}
		drained(t, c)
		if got := c.Stats(); got != want {
			t.Errorf("read %d: got %+v, want %+v", i, got, want)
		}
	}
	if got := get(t, c, "other"); got != "-" {
		t.Errorf("a key never set: got %q", got)
	}
	if got := c.Stats().Misses; got != 1 {
		t.Errorf("%d misses, want 1", got)
	}
	g.do("SET", "test:bad", "bad")
	if got := get(t, c, "bad"); got != "-" || c.Stats().Bad != 1 {
		t.Errorf("a bad value: got %q, %d bad ones", got, c.Stats().Bad)
	}
}

// How long memory keeps what it has, in seconds of its clock, whose ttl is a
// minute.
func TestTieredMemoryTTL(t *testing.T) {
	g := newRig(t)
	read := func(c *Tiered) { get(t, c, "k"); drained(t, c) }
	again := func(c *Tiered) { fresh(t, c, "k") }
	for name, row := range map[string]struct {
		life string // in Redis, in milliseconds; "": without an end
		read func(*Tiered)
		kept int64
	}{
		"a long life, read":         {"3600000", read, 60},
		"a long life, read anew":    {"3600000", again, 60},
		"no end, read":              {"", read, 60},
		"no end, read anew":         {"", again, 60},
		"a short life, read":        {"40000", read, 40},
		"a short life, read anew":   {"40000", again, 40},
		"set for long":              {"-", func(c *Tiered) { set(t, c, "k", "v", time.Hour) }, 60},
		"set for a short time":      {"-", func(c *Tiered) { set(t, c, "k", "v", 40*time.Second) }, 40},
		"added for long":            {"-", func(c *Tiered) { add(t, c, "k", "v", time.Hour) }, 60},
		"added for a short time":    {"-", func(c *Tiered) { add(t, c, "k", "v", 40*time.Second) }, 40},
		"replaced for long":         {"40000", func(c *Tiered) { replace(t, c, "k", "v", time.Hour) }, 60},
		"replaced for a short time": {"3600000", func(c *Tiered) { replace(t, c, "k", "v", 40*time.Second) }, 40},
	} {
		clk := &clock{}
		c := g.tiered(t, clk.now, 1000)
		set(t, g.redis, "k", "v", time.Hour)
		switch row.life {
		case "-":
			g.do("DEL", "test:k")
		case "":
			g.do("PERSIST", "test:k")
		default:
			g.do("PEXPIRE", "test:k", row.life)
		}
		row.read(c)
		// Half of it, since Redis' own clock goes on, on a busy machine too.
		clk.advance(row.kept / 2)
		if got := inMemory(t, c, "k"); got != "v" {
			t.Errorf("%s: memory holds %q after %d seconds", name, got, row.kept/2)
		}
		clk.advance(row.kept - row.kept/2)
		if got := inMemory(t, c, "k"); got != "-" {
			t.Errorf("%s: memory holds %q after %d seconds", name, got, row.kept)
		}
	}
}

// The life counts from the read, not from when the queue got to it.
func TestTieredQueueTakesLife(t *testing.T) {
	g, clk := newRig(t), &clock{}
	c := g.idle(clk.now, 1000)
	set(t, g.redis, "long", "v", time.Hour)
	set(t, g.redis, "short", "v", 40*time.Second)
	get(t, c, "long")
	get(t, c, "short")
	clk.advance(40)
	start(t, c)
	if got := inMemory(t, c, "short"); got != "-" {
		t.Errorf("memory holds %q, which Redis has no longer", got)
	}
	if got := inMemory(t, c, "long"); got != "v" {
		t.Errorf("memory holds %q", got)
	}
	if got := c.Stats(); got.Backfills != 1 || got.Overtaken != 1 {
		t.Errorf("got %+v, want one backfill and one that came too late", got)
	}
	clk.advance(20)
	if got := inMemory(t, c, "long"); got != "-" {
		t.Errorf("memory holds %q a minute after it was read", got)
	}
}

func TestTieredWithoutMemory(t *testing.T) {
	g, clk := newRig(t), &clock{}
	c := NewTiered(clk.memory(100), g.redis, 0, 10)
	defer c.Close()
	set(t, c, "k", "v", time.Hour)
	for i := 0; i < 3; i++ {
		if got := get(t, c, "k"); got != "v" {
			t.Errorf("got %q", got)
		}
		drained(t, c)
	}
	fresh(t, c, "k")
	get(t, c, "k")
	if got := c.Stats(); got.MemoryHits != 0 || got.Backfills != 0 {
		t.Errorf("got %+v, want nothing in memory", got)
	}
}

// Another replica writes: Get may be behind by what memory has, Fresh is not,
// nor is Get after it; and this one's own writes learn what became of the key.
func TestTieredTwoReplicas(t *testing.T) {
	for name, row := range map[string]struct {
		elsewhere func(t *testing.T, c Cache)
		here      func(t *testing.T, c *Tiered) string
		want      string // of here
		after     string // of Get, then
	}{
		"set, get":        {setNew, func(t *testing.T, c *Tiered) string { return get(t, c, "k") }, "old", "old"},
		"delete, get":     {deleteIt, func(t *testing.T, c *Tiered) string { return get(t, c, "k") }, "old", "old"},
		"set, fresh":      {setNew, func(t *testing.T, c *Tiered) string { return fresh(t, c, "k") }, "new", "new"},
		"delete, fresh":   {deleteIt, func(t *testing.T, c *Tiered) string { return fresh(t, c, "k") }, "-", "-"},
		"delete, replace": {deleteIt, func(t *testing.T, c *Tiered) string { return act(t, c, "replace", "k", "mine", time.Hour) }, "false", "-"},
		"delete, add":     {deleteIt, func(t *testing.T, c *Tiered) string { return act(t, c, "add", "k", "mine", time.Hour) }, "true", "mine"},
		"set, replace":    {setNew, func(t *testing.T, c *Tiered) string { return act(t, c, "replace", "k", "mine", time.Hour) }, "true", "mine"},
		"set, add":        {setNew, func(t *testing.T, c *Tiered) string { return act(t, c, "add", "k", "mine", time.Hour) }, "false", "new"},
	} {
		t.Run(name, func(t *testing.T) {
			g, clk := newRig(t), &clock{}
			here, elsewhere := g.tiered(t, clk.now, 10), g.tiered(t, clk.now, 10)
			set(t, here, "k", "old", time.Hour)
			row.elsewhere(t, elsewhere)
			if got := row.here(t, here); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if got := get(t, here, "k"); got != row.after {
				t.Errorf("Get after it: got %q, want %q", got, row.after)
			}
		})
	}
}

func setNew(t *testing.T, c Cache)   { t.Helper(); set(t, c, "k", "new", time.Hour) }
func deleteIt(t *testing.T, c Cache) { t.Helper(); remove(t, c, "k") }

// One goroutine writes a key, others read it, so that backfills are always under
// way: the writer reads nothing but what it wrote last.
func TestTieredReadsItsOwnWrites(t *testing.T) {
	const keys, rounds = 4, 100
	g := newRig(t)
	c := g.tiered(t, time.Now, 1000)
	ctx, stop := context.WithCancel(context.Background())
	var readers, writers sync.WaitGroup
	for i := 0; i < 4; i++ {
		readers.Add(1)
		first := i // the interpreter's goroutines share the loop's variable
		go func() {
			defer readers.Done()
			for n := first; ctx.Err() == nil; n++ {
				key := strconv.Itoa(n % keys)
				// Memory forgets, so that the next Get has something to bring back.
				_ = c.memory.Delete(ctx, key)
				_, _, _ = c.Get(ctx, key)
				if n%16 == 0 {
					_, _, _ = c.Fresh(ctx, key)
				}
			}
		}()
	}
	for i := 0; i < keys; i++ {
		key := strconv.Itoa(i)
		writers.Add(1)
		go func() {
			defer writers.Done()
			for n := 0; n < rounds; n++ {
				want := strconv.Itoa(n)
				switch n % 4 {
				case 0, 1:
					_ = c.Set(ctx, key, []byte(want), time.Hour)
				case 2:
					_, _ = c.Replace(ctx, key, []byte(want), time.Hour)
				case 3:
					_ = c.Delete(ctx, key)
					want = ""
				}
				for again := 0; again < 5; again++ {
					value, found, err := c.Get(ctx, key)
					if err != nil || string(value) != want || found != (want != "") {
						t.Errorf("key %s, write %d: got %q, %v, %v, want %q", key, n, value, found, err, want)
						return
					}
				}
			}
		}()
	}
	writers.Wait()
	eventually(t, "a backfill", func() bool { return c.Stats().Backfills > 0 })
	stop()
	readers.Wait()
	if got := c.Stats().Panics; got != 0 {
		t.Errorf("%d panics", got)
	}
}
