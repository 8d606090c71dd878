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

// A change is made of what Redis has: of what this replica remembers it would
// bring back a secret that another has rotated.
func TestUpdateOfWhatIsRemembered(t *testing.T) {
	g := newRedisRig(t)
	a, b := g.replica(), g.replica()
	mustCreate(t, a, token("a", "alice"))
	find(t, b, id("a"))
	eventually(t, "the token to be remembered", func() bool { return b.records.Stats().Backfills == 1 })
	if _, err := a.Update(ctx, id("a"), func(t Token) (Token, error) { t.Hash = hash("b"); return t, nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Update(ctx, id("a"), setNote("x")); err != nil || got.Hash != hash("b") {
		t.Errorf("the token has the hash %.4s, %v", got.Hash, err)
	}
}

// A record that can be read in part is none.
func TestRecordReadInPart(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	content := []byte(`{"id":"` + id("a") + `","hash":"` + hash("a") + `","owner":"alice","expires":"soon"}`)
	if err := r.sealed.Set(ctx, recordKey(id("a")), content, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got, found, err := r.Find(ctx, id("a")); found || err != nil {
		t.Errorf("found %+v, %v", got, err)
	}
}
