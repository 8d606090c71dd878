package redis

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// scanAll are the keys of a pattern, each with how often it came.
func scanAll(t *testing.T, c *Client, pattern string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	err := c.Scan(background, pattern, 10, func(keys []string) error {
		if len(keys) == 0 {
			t.Error("a page of nothing")
		}
		for _, key := range keys {
			seen[key]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// All keys of a pattern are handed over, of one server and of all nodes.
func TestScan(t *testing.T) {
	single := redistest.Start(t)
	cluster := redistest.StartCluster(t)
	for what, config := range map[string]Config{
		"single":  {Addresses: []string{single.Addr()}, Timeout: generous},
		"cluster": {Mode: "cluster", Addresses: cluster.Addrs()[:1], Timeout: generous},
	} {
		c := open1(t, config)
		for i := 0; i < 300; i++ {
			do(t, c, "SET", "a:"+strconv.Itoa(i), "v")
			do(t, c, "SET", "b:"+strconv.Itoa(i), "v")
		}
		if seen := scanAll(t, c, "a:*"); len(seen) != 300 || seen["a:0"] == 0 || seen["a:299"] == 0 {
			t.Errorf("%s: %d keys, want 300", what, len(seen))
		}
		do(t, c, "RPUSH", "c:list", "x")
		if seen := scanAll(t, c, "c:*"); len(seen) != 0 {
			t.Errorf("%s: found %v", what, seen)
		}
		stop := errors.New("enough")
		pages := 0
		if err := c.Scan(background, "a:*", 10, func(_ []string) error { pages++; return stop }); !errors.Is(err, stop) || pages != 1 {
			t.Errorf("%s: an error of the page: %v after %d pages", what, err, pages)
		}
	}
}

// A server that refuses, is away, or answers with something else is an error.
func TestScanFails(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	none := func(_ []string) error { t.Error("a page"); return nil }
	do(t, c, "SET", "k", "v")
	do(t, c, "ACL", "SETUSER", "default", "-scan")
	if err := c.Scan(background, "*", 10, none); !errors.Is(err, ErrCommand) {
		t.Errorf("not allowed: %v", err)
	}
	s.Stop()
	away := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: time.Second})
	if err := away.Scan(background, "*", 10, none); !errors.Is(err, ErrUnavailable) {
		t.Errorf("away: %v", err)
	}
	if _, _, err := scanned(Reply{Kind: List}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an answer without a cursor: %v", err)
	}
}
