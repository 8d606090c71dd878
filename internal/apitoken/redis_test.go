package apitoken

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// What another replica wrote shows in Fresh at once.
func TestReplicas(t *testing.T) {
	g := newRedisRig(t)
	a, b := g.replica(), g.replica()
	mustCreate(t, a, token("a", "alice"))
	if got := find(t, b, id("a")); got.Note != "" {
		t.Errorf("got %+v", got)
	}
	eventually(t, "the token to be remembered", func() bool { return b.records.Stats().Backfills == 1 })
	if _, err := a.Update(ctx, id("a"), setNote("x")); err != nil {
		t.Fatal(err)
	}
	if got := find(t, b, id("a")); got.Note != "" {
		t.Error("nothing is remembered")
	}
	if got, found, err := b.Fresh(ctx, id("a")); got.Note != "x" || !found || err != nil {
		t.Errorf("Fresh: %+v, %v, %v", got, found, err)
	}
	if got := find(t, b, id("a")); got.Note != "x" {
		t.Error("Find forgot what Fresh has found")
	}
	if _, err := a.Delete(ctx, id("a")); err != nil {
		t.Fatal(err)
	}
	// It is remembered, and changes all the same nothing.
	if _, err := b.Update(ctx, id("a"), setNote("y")); !errors.Is(err, ErrNotFound) {
		t.Errorf("updated what is gone: %v", err)
	}
	if _, found, err := b.Find(ctx, id("a")); found || err != nil {
		t.Errorf("found: %v, %v", found, err)
	}
	// Nor does it come back if it goes while it is being changed.
	mustCreate(t, a, token("b", "bob"))
	_, err := b.Update(ctx, id("b"), func(t Token) (Token, error) {
		g.server.Command("DEL", "test:apitoken:"+id("b"))
		return t, nil
	})
	if _, found, failed := a.Fresh(ctx, id("b")); !errors.Is(err, ErrNotFound) || found || failed != nil {
		t.Errorf("updated what is just going: %v; found: %v, %v", err, found, failed)
	}
	wantStats(t, "redis", b, Stats{})
	if !b.Until(time.Now()).IsZero() {
		t.Error("a bound of its own")
	}
}

// Changes of several replicas at once: none is lost.
func TestReplicasUpdateOneByOne(t *testing.T) {
	g := newRedisRig(t)
	replicas := []*Redis{g.replica(), g.replica(), g.replica()}
	one := token("a", "alice")
	one.Note = "0"
	mustCreate(t, replicas[0], one)
	var all sync.WaitGroup
	for _, r := range replicas {
		s := r
		for w := 0; w < 2; w++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for n := 0; n < 10; n++ {
					if _, err := s.Update(ctx, id("a"), addOne); err != nil {
						t.Error(err)
					}
				}
			}()
		}
	}
	all.Wait()
	for i, r := range replicas {
		if got, _, _ := r.Fresh(ctx, id("a")); got.Note != "60" {
			t.Errorf("replica %d: 60 changes, of which %s are left", i, got.Note)
		}
	}
	if keys := g.server.Command("KEYS", "*lease*"); keys != "" {
		t.Errorf("leases stay: %s", keys)
	}
}

// Redis holds no token in the clear, and no owner; each record ends with its
// token.
func TestRecords(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	one := token("a", "alice@example.com")
	one.Expires = time.Now().Unix() + 3600
	gone := token("b", "alice@example.com")
	gone.Expires = 5
	mustCreate(t, r, one, token("c", "alice@example.com"), gone)
	r.Used(ctx, id("a"), 1000)
	eventually(t, "the use", func() bool { return lastUse(t, r, "a") == 1000 })
	for _, key := range strings.Fields(g.server.Command("KEYS", "*")) {
		text := key
		if strings.HasPrefix(key, "test:apitoken:") {
			text += g.server.Command("GET", key)
		}
		if !strings.HasPrefix(key, "test:apitoken") || strings.Contains(text, "alice") || strings.Contains(text, hash("a")) {
			t.Errorf("Redis has %s", text)
		}
	}
	for _, c := range []struct {
		key         string
		least, most int
	}{
		{"test:apitoken:" + id("a"), 3590, 3600},
		{"test:apitoken:" + id("b"), 50, 60},
		{"test:apitoken:" + id("c"), 3600 * 24 * 3649, 3600 * 24 * 3651},
		{"test:apitoken-used:" + id("a"), 3600*24*400 - 60, 3600 * 24 * 400},
	} {
		left := 0
		if _, err := fmt.Sscan(g.server.Command("TTL", c.key), &left); err != nil || left < c.least || left > c.most {
			t.Errorf("%s: ends in %d s, want %d to %d", c.key, left, c.least, c.most)
		}
	}
	if _, err := r.Update(ctx, id("c"), func(t Token) (Token, error) { t.Expires = time.Now().Unix() + 100; return t, nil }); err != nil {
		t.Fatal(err)
	}
	if left := g.server.Command("TTL", "test:apitoken:"+id("c")); len(left) > 3 {
		t.Errorf("given an end, and ends in %s s", left)
	}
}

// A record that is not what was written for this id is none.
func TestBadRecords(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"), token("b", "bob"))
	// Another's record, sealed for its own key.
	g.server.Command("SET", "test:apitoken:"+id("a"), g.server.Command("GET", "test:apitoken:"+id("b")))
	if _, found, err := r.Fresh(ctx, id("a")); found || err != nil {
		t.Errorf("another's record: %v, %v", found, err)
	}
	sealed := cache.NewRedis(r.client, "test:", func() *seal.Ring { return g.ring })
	for _, content := range []string{"", "null", "[]", "{", `{"id":"` + id("b") + `","hash":"x"}`} {
		if err := sealed.Set(ctx, recordKey(id("a")), []byte(content), time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, found, err := r.Fresh(ctx, id("a")); found || err != nil {
			t.Errorf("%q: %v, %v", content, found, err)
		}
		if got := listed(t, r, ""); got != "b" {
			t.Errorf("%q: listed %s", content, got)
		}
	}
}

// The lists heal themselves: what has no record is passed over and cleared away,
// unless somebody is about to write it.
func TestLists(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"), token("b", "alice"))
	owner := r.ownerKey("alice")
	g.server.Command("DEL", "test:apitoken:"+id("a"))
	g.server.Command("SET", "test:apitoken-lease:"+id("a"), "another")
	if got := listed(t, r, "alice") + listed(t, r, ""); got != "bb" {
		t.Errorf("listed %s", got)
	}
	if n := g.server.Command("ZCARD", owner) + g.server.Command("ZCARD", "test:apitokens"); n != "22" {
		t.Errorf("the lists have %s, and somebody is about to write it", n)
	}
	g.server.Command("DEL", "test:apitoken-lease:"+id("a"))
	if got := listed(t, r, "alice") + listed(t, r, ""); got != "bb" {
		t.Errorf("listed %s", got)
	}
	if n := g.server.Command("ZCARD", owner) + g.server.Command("ZCARD", "test:apitokens"); n != "11" {
		t.Errorf("the lists have %s", n)
	}
	// An id in another's list is not theirs.
	g.server.Command("ZADD", r.ownerKey("mallory"), "1", id("b"))
	if got := listed(t, r, "mallory"); got != "" {
		t.Errorf("mallory has %s", got)
	}
	for i := 0; i < 1200; i++ {
		g.server.Command("ZADD", owner, fmt.Sprint(i), fmt.Sprintf("%016x", i))
		g.server.Command("SET", fmt.Sprintf("test:apitoken-lease:%016x", i), "another")
	}
	ids, err := r.members(ctx, owner)
	if err != nil || len(ids) != 1201 {
		t.Errorf("%d members, %v", len(ids), err)
	}
}

// A token too many is not even in the lists.
func TestTokenTooManyIsInNoList(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	a, b := token("a", "alice"), token("b", "alice")
	if err := r.Create(ctx, a, 1); err != nil {
		t.Fatal(err)
	}
	if err := r.Create(ctx, b, 1); !errors.Is(err, ErrTooMany) {
		t.Errorf("the second: %v", err)
	}
	for _, key := range []string{r.ownerKey("alice"), "test:apitokens"} {
		if n := g.server.Command("ZCARD", key); n != "1" {
			t.Errorf("%s has %s tokens, want 1", key, n)
		}
	}
}

// A dead writer's lease runs out; a live one's is waited for.
func TestLease(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"))
	began := time.Now()
	g.server.Command("SET", "test:apitoken-lease:"+id("a"), "another", "PX", "300")
	if _, err := r.Update(ctx, id("a"), setNote("x")); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 290*time.Millisecond {
		t.Errorf("waited %v for another's lease", took)
	}
	g.server.Command("SET", "test:apitoken-lease:"+id("a"), "another")
	r.client.ReturnLease(r.leaseKey(id("a")), "mine")
	if got := g.server.Command("GET", "test:apitoken-lease:"+id("a")); got != "another" {
		t.Error("gave back another's lease")
	}
}

// While Redis is away, what is remembered is found, and all else says so.
func TestRedisAway(t *testing.T) {
	g := newRedisRig(t)
	r := g.replica()
	mustCreate(t, r, token("a", "alice"))
	g.server.Stop()
	if got := find(t, r, id("a")); got.Owner != "alice" {
		t.Errorf("remembered: %+v", got)
	}
	r.Used(ctx, id("a"), 1000)
	for what, ask := range map[string]func() error{
		"Find":    func() error { _, _, err := r.Find(ctx, id("b")); return err },
		"Fresh":   func() error { _, _, err := r.Fresh(ctx, id("a")); return err },
		"Create":  func() error { return r.Create(ctx, token("b", "bob"), 0) },
		"Update":  func() error { _, err := r.Update(ctx, id("a"), setNote("x")); return err },
		"Delete":  func() error { _, err := r.Delete(ctx, id("a")); return err },
		"List":    func() error { _, err := r.List(ctx, ""); return err },
		"LastUse": func() error { _, err := r.LastUse(ctx, []string{id("a")}); return err },
	} {
		err := ask()
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Notes of uses are bounded, in memory and on their way.
func TestNotesAreBounded(t *testing.T) {
	var n notes
	for i := 0; i < maxWriters; i++ {
		if !n.begin(fmt.Sprint(i), 1000) {
			t.Fatalf("no room for note %d", i)
		}
	}
	if n.begin("more", 1000) {
		t.Error("room for one more")
	}
	n.end()
	if !n.begin("more", 1000) {
		t.Error("no room when one is done")
	}
	n.writers = 0
	for i := 0; i < maxNotes+100; i++ {
		n.begin(fmt.Sprint("id", i), 1000)
		n.writers = 0
		if len(n.times) > maxNotes {
			t.Fatalf("%d notes", len(n.times))
		}
	}
}
