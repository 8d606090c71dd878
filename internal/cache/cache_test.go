package cache

import (
	"context"
	"strconv"
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

func replace(t *testing.T, c Cache, k, v string, ttl time.Duration) bool {
	t.Helper()
	replaced, err := c.Replace(context.Background(), k, []byte(v), ttl)
	if err != nil {
		t.Fatalf("replace %q: %v", k, err)
	}
	return replaced
}

func remove(t *testing.T, c Cache, k string) {
	t.Helper()
	if err := c.Delete(context.Background(), k); err != nil {
		t.Fatalf("delete %q: %v", k, err)
	}
}

// eventually waits for a condition, for a bounded time.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 20 seconds", what)
		}
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

// An entry of the generation before is gone like any other.
func TestMemoryDeletesOldEntries(t *testing.T) {
	c := (&clock{}).memory(4)
	for _, k := range []string{"a", "b", "c"} {
		set(t, c, k, "v", time.Minute)
	}
	if _, old := c.previous["a"]; !old {
		t.Fatal("the first of three entries is not in the generation before")
	}
	remove(t, c, "a")
	set(t, c, "b", "v", 0)
	for _, k := range []string{"a", "b"} {
		if got := get(t, c, k); got != "-" {
			t.Errorf("%s: got %q", k, got)
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
	if replace(t, c, "a", "1", time.Minute) {
		t.Error("a key was replaced in a cache that keeps nothing")
	}
	remove(t, c, "a")
}
