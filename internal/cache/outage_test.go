package cache

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// outcome is what a call gave, in a word.
func outcome(done bool, err error) string {
	switch {
	case errors.Is(err, redis.ErrUnavailable):
		if done {
			return "unavailable, and done"
		}
		return "unavailable"
	case err != nil:
		return err.Error()
	case done:
		return "done"
	}
	return "not done"
}

// While Redis is away, memory answers what it has. All else is an error: a
// miss, too, since nobody knows; and a write, after which memory has nothing of
// its key, since it may have happened.
func TestOutage(t *testing.T) {
	g, clk := newRig(t), &clock{}
	c := g.tiered(t, clk.now, 10)
	ctx := context.Background()
	value := []byte("new")
	calls := map[string]func(key string) string{
		"get":             func(key string) string { _, found, err := c.Get(ctx, key); return outcome(found, err) },
		"fresh":           func(key string) string { _, found, err := c.Fresh(ctx, key); return outcome(found, err) },
		"set":             func(key string) string { err := c.Set(ctx, key, value, time.Hour); return outcome(err == nil, err) },
		"set for no time": func(key string) string { err := c.Set(ctx, key, value, 0); return outcome(err == nil, err) },
		"add":             func(key string) string { added, err := c.Add(ctx, key, value, time.Hour); return outcome(added, err) },
		"replace":         func(key string) string { done, err := c.Replace(ctx, key, value, time.Hour); return outcome(done, err) },
		"delete":          func(key string) string { err := c.Delete(ctx, key); return outcome(err == nil, err) },
	}
	rows := []struct{ call, want, memory string }{
		{"get", "done", "old"},
		{"fresh", "unavailable", "old"},
		{"get", "done", "old"},
		{"set", "unavailable", "-"},
		{"set for no time", "unavailable", "-"},
		{"add", "unavailable", "-"},
		{"replace", "unavailable", "-"},
		{"delete", "unavailable", "-"},
	}
	for _, row := range rows {
		set(t, c, "held by memory, "+row.call, "old", time.Hour)
	}
	g.server.Stop()
	for _, row := range rows {
		key := "held by memory, " + row.call
		if got := calls[row.call](key); got != row.want {
			t.Errorf("%s: %s, want %s", row.call, got, row.want)
		}
		if got := inMemory(t, c, key); got != row.memory {
			t.Errorf("%s: memory holds %q after it, want %q", row.call, got, row.memory)
		}
		if got := calls[row.call]("not there"); got != "unavailable" {
			t.Errorf("%s of what memory does not have: %s", row.call, got)
		}
	}
	if got := c.Stats(); got.Misses != 0 {
		t.Errorf("%d misses, want none: nobody knows", got.Misses)
	}

	g.server.Restart()
	eventually(t, "Redis to be asked again", func() bool { return calls["fresh"]("not there") == "not done" })
	// It has lost all it knew; memory learns that with the first fresh read.
	if got := get(t, c, "held by memory, get"); got != "old" {
		t.Errorf("got %q from memory", got)
	}
	if got := fresh(t, c, "held by memory, get"); got != "-" {
		t.Errorf("got %q from an empty Redis", got)
	}
	if got := get(t, c, "held by memory, get"); got != "-" {
		t.Errorf("got %q after a fresh read", got)
	}
	set(t, c, "k", "v", time.Hour)
	if got := fresh(t, c, "k"); got != "v" {
		t.Errorf("got %q", got)
	}
}

// A write that Redis does not answer may have happened: the client stops
// waiting, memory has nothing of the key, and Redis does it later.
func TestWriteWithoutAnswer(t *testing.T) {
	g, clk := newRig(t), &clock{}
	c := g.tiered(t, clk.now, 10)
	setNew(t, c)
	g.server.Pause()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := c.Delete(ctx, "k"); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("delete: got %v", err)
	}
	if got := inMemory(t, c, "k"); got != "-" {
		t.Errorf("memory holds %q, of which Redis was told to delete it", got)
	}
	g.server.Resume()
	eventually(t, "the deletion to happen", func() bool { return get(t, g.redis, "k") == "-" })
}
