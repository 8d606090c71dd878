package cache

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// subject is a Cache under test, with its time: Memory's is moved by hand, that
// of Redis passes by itself.
type subject struct {
	cache Cache
	ttl   time.Duration // one that the test can wait for
	wait  func(t *testing.T, over func() bool)
}

// TestConformance holds for every Cache that keeps what it is given.
func TestConformance(t *testing.T) {
	passes := func(t *testing.T, over func() bool) {
		t.Helper()
		eventually(t, "the end of a ttl", over)
	}
	subjects := map[string]func(t *testing.T) subject{
		"memory": func(_ *testing.T) subject {
			clk := &clock{}
			return subject{cache: clk.memory(100), ttl: time.Minute, wait: func(t *testing.T, over func() bool) {
				t.Helper()
				clk.advance(59)
				if over() {
					t.Error("a ttl of a minute was over after 59 seconds")
				}
				clk.advance(1)
				if !over() {
					t.Error("a ttl of a minute was not over after 60 seconds")
				}
			}}
		},
		"redis": func(t *testing.T) subject {
			return subject{cache: newRig(t).redis, ttl: 50 * time.Millisecond, wait: passes}
		},
		"tiered": func(t *testing.T) subject {
			return subject{cache: newRig(t).tiered(t, time.Now, 1000), ttl: 50 * time.Millisecond, wait: passes}
		},
		"tiered, its queue always full": func(t *testing.T) subject {
			return subject{cache: newRig(t).idle(time.Now, 0), ttl: 50 * time.Millisecond, wait: passes}
		},
	}
	for name, open := range subjects {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			conformsInOrder(t, s.cache)
			conformsWithoutTTL(t, s.cache)
			conformsInTime(t, s)
			keepsAnyBytes(t, s.cache)
			oneAdds(t, s.cache)
			oneReplacesNothingDeleted(t, s.cache)
		})
	}
}

// conformsInOrder is one key's story: an operation, what it answers, and what
// the key holds after it; "-" is nothing.
func conformsInOrder(t *testing.T, c Cache) {
	t.Helper()
	for i, step := range []struct{ do, value, answer, holds string }{
		{"delete", "", "", "-"},
		{"replace", "1", "false", "-"},
		{"set", "1", "", "1"},
		{"set", "2", "", "2"},
		{"add", "3", "false", "2"},
		{"replace", "4", "true", "4"},
		{"delete", "", "", "-"},
		{"delete", "", "", "-"},
		{"replace", "5", "false", "-"},
		{"add", "6", "true", "6"},
		{"add", "7", "false", "6"},
		{"replace", "8", "true", "8"},
		{"set", "", "", ""},
		{"add", "9", "false", ""},
		{"replace", "10", "true", "10"},
	} {
		answer := act(t, c, step.do, "story", step.value, time.Hour)
		if holds := get(t, c, "story"); answer != step.answer || holds != step.holds {
			t.Errorf("step %d: %s %q: answers %q, holds %q, want %q and %q", i, step.do, step.value, answer, holds, step.answer, step.holds)
		}
		if other := get(t, c, "Story"); other != "-" {
			t.Errorf("step %d: %s: another key holds %q", i, step.do, other)
		}
	}
}

// conformsWithoutTTL: an operation with a ttl of nothing, on a key that is
// there and on one that is not.
func conformsWithoutTTL(t *testing.T, c Cache) {
	t.Helper()
	for _, row := range []struct{ do, before, answer, holds string }{
		{"set", "-", "", "-"},
		{"set", "old", "", "-"},
		{"add", "-", "true", "-"},
		{"add", "old", "false", "old"},
		{"replace", "-", "false", "-"},
		{"replace", "old", "true", "-"},
	} {
		for _, ttl := range []time.Duration{0, -time.Second} {
			remove(t, c, "brief")
			if row.before != "-" {
				set(t, c, "brief", row.before, time.Hour)
			}
			answer := act(t, c, row.do, "brief", "new", ttl)
			if holds := get(t, c, "brief"); answer != row.answer || holds != row.holds {
				t.Errorf("%s for %v over %q: answers %q, holds %q, want %q and %q", row.do, ttl, row.before, answer, holds, row.answer, row.holds)
			}
		}
	}
}

func act(t *testing.T, c Cache, do, key, value string, ttl time.Duration) string {
	t.Helper()
	switch do {
	case "set":
		set(t, c, key, value, ttl)
	case "delete":
		remove(t, c, key)
	case "add":
		return strconv.FormatBool(add(t, c, key, value, ttl))
	case "replace":
		return strconv.FormatBool(replace(t, c, key, value, ttl))
	}
	return ""
}

// conformsInTime: each write gives the value the life that it says, whatever
// the life of what was there.
func conformsInTime(t *testing.T, s subject) {
	t.Helper()
	for _, row := range []struct {
		do     string
		before time.Duration // of what was there; 0: nothing was
	}{
		{"set", 0},
		{"set", time.Hour},
		{"add", 0},
		{"replace", time.Hour},
	} {
		remove(t, s.cache, "timed")
		set(t, s.cache, "timed", "old", row.before)
		began := time.Now()
		act(t, s.cache, row.do, "timed", "new", s.ttl)
		s.wait(t, func() bool { return get(t, s.cache, "timed") == "-" })
		// Redis counts in whole milliseconds of its own clock.
		if took := time.Since(began); s.ttl < time.Second && took < s.ttl-5*time.Millisecond {
			t.Errorf("%s: over after %v, want %v", row.do, took, s.ttl)
		}
		if replace(t, s.cache, "timed", "revived", time.Hour) {
			t.Errorf("%s: replaced after its end", row.do)
		}
		if !add(t, s.cache, "timed", "next", time.Hour) {
			t.Errorf("%s: there after its end", row.do)
		}
	}
	for _, do := range []string{"set", "replace"} {
		set(t, s.cache, "long", "old", s.ttl)
		set(t, s.cache, "short", "old", s.ttl)
		act(t, s.cache, do, "long", "new", 100*time.Hour)
		s.wait(t, func() bool { return get(t, s.cache, "short") == "-" })
		if got := get(t, s.cache, "long"); got != "new" {
			t.Errorf("%s: holds %q after the end of what was there before", do, got)
		}
	}
}

func keepsAnyBytes(t *testing.T, c Cache) {
	t.Helper()
	all := ""
	for i := 0; i < 256; i++ {
		all += string([]byte{byte(i)})
	}
	texts := []string{"", " ", "\x00", "\r\n", "$-1\r\n", "*1\r\n$4\r\nPING\r\n", "\xff\xfe", all, strings.Repeat("long ", 20000)}
	for i, text := range texts {
		set(t, c, text, text+strconv.Itoa(i), time.Hour)
	}
	for i, text := range texts {
		if got := get(t, c, text); got != text+strconv.Itoa(i) {
			t.Errorf("text %d, of %d bytes: got %d bytes", i, len(text), len(got))
		}
		remove(t, c, text)
		if got := get(t, c, text); got != "-" {
			t.Errorf("text %d: %d bytes are there, deleted", i, len(got))
		}
	}
}

// oneAdds lets many goroutines add one key.
func oneAdds(t *testing.T, c Cache) {
	t.Helper()
	var winners atomic.Int64
	var wg sync.WaitGroup
	for i := 0; i < 32; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if added, err := c.Add(context.Background(), "contended", nil, time.Hour); err == nil && added {
				winners.Add(1)
			}
		}()
	}
	wg.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d concurrent calls added one key, want 1", winners.Load())
	}
}

// oneReplacesNothingDeleted deletes a key that many goroutines replace and
// read: it does not come back.
func oneReplacesNothingDeleted(t *testing.T, c Cache) {
	t.Helper()
	for round := 0; round < 20; round++ {
		set(t, c, "ended", "first", time.Hour)
		var replaced atomic.Int64
		var wg sync.WaitGroup
		for i := 0; i < 8; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for turn := 0; turn < 2000; turn++ {
					again, err := c.Replace(context.Background(), "ended", []byte("again"), time.Hour)
					if err != nil || !again {
						return
					}
					replaced.Add(1)
					_, _, _ = c.Get(context.Background(), "ended")
				}
			}()
		}
		eventually(t, "a first replacement", func() bool { return replaced.Load() > 0 })
		remove(t, c, "ended")
		if got := get(t, c, "ended"); got != "-" {
			t.Fatalf("round %d: holds %q just after it was deleted", round, got)
		}
		wg.Wait()
		if got := get(t, c, "ended"); got != "-" {
			t.Fatalf("round %d: holds %q after it was deleted", round, got)
		}
	}
}
