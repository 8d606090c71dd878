package cache

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is moved by hand.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time           { return time.Unix(c.at.Load(), 0) }
func (c *clock) advance(seconds int64)    { c.at.Add(seconds) }
func (c *clock) memory(bound int) *Memory { return NewMemory(bound, c.now) }
func get(t *testing.T, c Cache, k string) string {
	t.Helper()
	value, found, err := c.Get(context.Background(), k)
	if err != nil {
		t.Fatalf("get %q: %v", k, err)
	}
	if !found {
		return "-"
	}
	return string(value)
}

func set(t *testing.T, c Cache, k, v string, ttl time.Duration) {
	t.Helper()
	if err := c.Set(context.Background(), k, []byte(v), ttl); err != nil {
		t.Fatalf("set %q: %v", k, err)
	}
}

func add(t *testing.T, c Cache, k, v string, ttl time.Duration) bool {
	t.Helper()
	added, err := c.Add(context.Background(), k, []byte(v), ttl)
	if err != nil {
		t.Fatalf("add %q: %v", k, err)
	}
	return added
}

// TestConformance holds for every Cache that keeps what it is given.
func TestConformance(t *testing.T) {
	caches := map[string]func(*clock) Cache{
		"memory": func(c *clock) Cache { return c.memory(100) },
	}
	for name, open := range caches {
		clk := &clock{}
		c := open(clk)
		expect := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s: got %q, want %q", name, what, got, want)
			}
		}
		expect("a key never set", get(t, c, "a"), "-")
		set(t, c, "a", "1", time.Minute)
		expect("a key set", get(t, c, "a"), "1")
		expect("another key", get(t, c, "A"), "-")
		set(t, c, "a", "2", time.Minute)
		expect("a key set again", get(t, c, "a"), "2")
		expect("an added key that is there", strconv.FormatBool(add(t, c, "a", "3", time.Minute)), "false")
		expect("its value", get(t, c, "a"), "2")
		clk.advance(59)
		expect("just before the end", get(t, c, "a"), "2")
		clk.advance(1)
		expect("at the end", get(t, c, "a"), "-")
		expect("an added key that has expired", strconv.FormatBool(add(t, c, "a", "4", time.Minute)), "true")
		expect("its value", get(t, c, "a"), "4")
		set(t, c, "a", "5", 0)
		expect("a ttl of zero", get(t, c, "a"), "-")
		set(t, c, "", "", time.Minute)
		expect("an empty key and value", get(t, c, ""), "")
		oneAdds(t, name, c)
	}
}

// oneAdds lets many goroutines add one key.
func oneAdds(t *testing.T, name string, c Cache) {
	t.Helper()
	var winners atomic.Int64
	var wg sync.WaitGroup
	for i := 0; i < 32; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if added, err := c.Add(context.Background(), "contended", nil, time.Minute); err == nil && added {
				winners.Add(1)
			}
		}()
	}
	wg.Wait()
	if winners.Load() != 1 {
		t.Errorf("%s: %d concurrent calls added one key, want 1", name, winners.Load())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := (&clock{}).memory(100)
	for i := 0; i < 10000; i++ {
		set(t, c, strconv.Itoa(i), "v", time.Minute)
		if held := len(c.current) + len(c.previous); held > 100 {
			t.Fatalf("%d entries after %d were set, want at most 100", held, i+1)
		}
	}
	for i := 9951; i < 10000; i++ {
		if get(t, c, strconv.Itoa(i)) != "v" {
			t.Errorf("entry %d of 10,000 was pushed out by fewer than 50 later ones", i)
		}
	}
}

func TestNoneKeepsNothing(t *testing.T) {
	var c Cache = None{}
	set(t, c, "a", "1", time.Minute)
	if got := get(t, c, "a"); got != "-" {
		t.Errorf("got %q from a cache that keeps nothing", got)
	}
	for i := 0; i < 2; i++ {
		if !add(t, c, "a", "1", time.Minute) {
			t.Error("a key was there in a cache that keeps nothing")
		}
	}
}
