package apitoken

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// A token whose record goes while it is being changed does not come back: its
// deleter's lease, or the changer's, ran out.
func TestRecordGoesWhileItChanges(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"))
	_, err := r.Update(ctx, id("a"), func(t Token) (Token, error) {
		g.server.Command("DEL", "test:apitoken:"+id("a"))
		t.Note = "x"
		return t, nil
	})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("updated: %v", err)
	}
	if n := g.server.Command("EXISTS", "test:apitoken:"+id("a")); n != "0" {
		t.Error("the token is back")
	}
}

// While a token is being written the lease has an end, and counts for less.
func TestLeaseEnds(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"))
	left := 0
	_, err := r.Update(ctx, id("a"), func(one Token) (Token, error) {
		if _, err := fmt.Sscan(g.server.Command("PTTL", "test:apitoken-lease:"+id("a")), &left); err != nil {
			t.Error(err)
		}
		return one, nil
	})
	if err != nil || left <= 0 || left > 10000 {
		t.Errorf("the lease ends in %d ms, %v", left, err)
	}
	began := time.Now()
	within, err := r.waitLease(ctx, id("b"), "holder")
	if took := time.Since(began); err != nil || within.Sub(began) > leaseFor-leaseMargin+took {
		t.Errorf("counts on it for %v, %v", within.Sub(began), err)
	}
}

// A deletion leaves nothing of the token.
func TestDeletionIsWhole(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"))
	r.Used(ctx, id("a"), 1000)
	eventually(t, "the use", func() bool { return lastUse(t, r, "a") == 1000 })
	if _, err := r.Delete(ctx, id("a")); err != nil {
		t.Fatal(err)
	}
	if keys := g.server.Command("KEYS", "*"); keys != "" {
		t.Errorf("Redis has %s", keys)
	}
}

// An id whose token was made since the list was read stays in the list.
func TestForgetLooksAgain(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"))
	r.forget(ctx, "test:apitokens", id("a"))
	if got := listed(t, r, ""); got != "a" {
		t.Errorf("listed %q", got)
	}
}
