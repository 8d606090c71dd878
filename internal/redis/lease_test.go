package redis

import (
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

func TestLease(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	lease := func(holder string) bool {
		t.Helper()
		got, err := c.TakeLease(background, "lease", holder, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if !lease("a") || lease("b") {
		t.Error("the lease is not the first one's")
	}
	if !lease("a") {
		t.Error("who asks again does not find himself")
	}
	if left := s.Command("PTTL", "lease"); left == "-1" {
		t.Error("the lease has no end")
	}
	c.ReturnLease("lease", "b")
	expect(t, "the holder after another gave it back", do(t, c, "GET", "lease"), `"a"`)
	c.ReturnLease("lease", "a")
	if !lease("b") {
		t.Error("a lease that was given back is not free")
	}
}

func TestLeaseWithoutRedis(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	s.Stop()
	got, err := c.TakeLease(background, "lease", "a", time.Minute)
	if got {
		t.Error("a lease of nobody")
	}
	expectError(t, "a lease", err, ErrUnavailable)
	c.ReturnLease("lease", "a") // fails in silence
}
