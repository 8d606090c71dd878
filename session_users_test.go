package latchkey

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// logins logs the person in n times, a second apart, in browsers of their own.
func (g *rig) logins(n int, claims map[string]interface{}) []map[string]string {
	g.t.Helper()
	var jars []map[string]string
	for i := 0; i < n; i++ {
		g.clock.advance(time.Second)
		g.swap(nil)
		g.login("/app", claims)
		jars = append(jars, g.swap(nil))
	}
	return jars
}

// statusOf is what a browser gets.
func (g *rig) statusOf(l *Latchkey, jar map[string]string) int {
	g.t.Helper()
	was := g.swap(jar)
	status := g.doAt(l, fetch(g.t, "/app")).StatusCode
	g.swap(was)
	return status
}

// How many sessions a login leaves of its user, and what of another's, in every
// store.
func TestSessionsLeftByALogin(t *testing.T) {
	for _, c := range []struct {
		maxPerUser int
		onLogin    string
		logins     int
		left       int
	}{
		{0, "keep", 4, 4},
		{2, "keep", 2, 2},
		{2, "keep", 5, 2},
		{1, "keep", 3, 1},
		{0, "endOthers", 3, 1},
	} {
		for _, store := range []string{"cookie", "memory"} {
			what := store + ": " + strconv.Itoa(c.maxPerUser) + ", " + c.onLogin
			g := inStore(t, store, func(set *Config) {
				set.Session.MaxPerUser = c.maxPerUser
				set.Session.OnLogin = c.onLogin
			})
			bob := g.logins(1, map[string]interface{}{"sub": "bob"})
			jars := g.logins(c.logins, nil)
			for i, jar := range jars {
				want := http.StatusUnauthorized
				if i >= len(jars)-c.left {
					want = http.StatusOK
				}
				if got := g.statusOf(g.l, jar); got != want {
					t.Errorf("%s: login %d of %d: got status %d, want %d", what, i+1, len(jars), got, want)
				}
			}
			if got := g.statusOf(g.l, bob[0]); got != http.StatusOK {
				t.Errorf("%s: another user got status %d", what, got)
			}
		}
	}
}

// Both lists of a user's sessions keep the same: the oldest first, without those
// that are over, and bounded.
func TestUserSessions(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.MaxPerUser = 5 })
	g := inStore(t, "memory", func(c *Config) { c.Session.MaxPerUser = 5 })
	for name, users := range map[string]userSessions{"redis": p.l.users, "memory": g.l.users} {
		ctx := context.Background()
		now := time.Now().UnixMilli()
		add := func(user, id string, until, now int64) []string {
			t.Helper()
			others, err := users.add(ctx, user, id, until, now)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return others
		}
		add("u", "a", now+1000000, now)
		add("u", "b", now+2000000, now)
		add("v", "x", now+1500000, now)
		if got := add("u", "c", now+3000000, now); len(got) != 2 || got[0] != "a" || got[1] != "b" {
			t.Errorf("%s: got %v, want a and b", name, got)
		}
		if got := add("u", "c", now+3000000, now); len(got) != 2 {
			t.Errorf("%s: one that is there again: %v", name, got)
		}
		if got := add("u", "d", now+4000000, now+1000000); len(got) != 2 || got[0] != "b" {
			t.Errorf("%s: after the first is over: %v, want b and c", name, got)
		}
		if err := users.remove(ctx, "u", "b", now); err != nil {
			t.Fatal(err)
		}
		if err := users.remove(ctx, "nobody", "b", now); err != nil {
			t.Fatal(err)
		}
		if got := add("u", "e", now+5000000, now+1000000); len(got) != 2 || got[0] != "c" || got[1] != "d" {
			t.Errorf("%s: after one was removed: %v, want c and d", name, got)
		}
	}
}

// A login for a shorter time leaves the list of the user's other sessions as it is,
// whatever Redis' clock says.
func TestUserSessionsOfDifferentLives(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.MaxPerUser = 5 })
	g := inStore(t, "memory", func(c *Config) { c.Session.MaxPerUser = 5 })
	ctx := context.Background()
	users := p.l.users.(*redisUsers)
	for ahead, now := range map[time.Duration]int64{0: time.Now().UnixMilli(), time.Hour: time.Now().Add(-time.Hour).UnixMilli(), -time.Hour: time.Now().Add(time.Hour).UnixMilli()} {
		for name, lists := range map[string]userSessions{"redis": users, "memory": g.l.users} {
			what := name + " is ahead by " + ahead.String()
			add := func(id string, left time.Duration) []string {
				others, err := lists.add(ctx, what, id, now+left.Milliseconds(), now)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				return others
			}
			add("long", 30*time.Minute)
			if got := add("short", 50*time.Millisecond); len(got) != 1 || got[0] != "long" {
				t.Errorf("%s: the others are %v, want long", what, got)
			}
			if err := lists.remove(ctx, what, "short", now); err != nil {
				t.Fatal(err)
			}
			add("short", 50*time.Millisecond)
			if name == "redis" {
				ttl, err := strconv.Atoi(p.server.Command("PTTL", users.key(what)))
				if err != nil || ttl < 29*60*1000 || ttl > 30*60*1000 {
					t.Errorf("%s: the list lives for %d ms, %v, want 30m", what, ttl, err)
				}
			}
			g.clock.advance(time.Minute)
			if got := add("last", time.Second); len(got) == 0 || got[len(got)-1] != "long" && got[0] != "long" {
				t.Errorf("%s: later: the others are %v, want long among them", what, got)
			}
		}
	}
	// As with a Redis that does not know NX and GT.
	key := users.key("old")
	p.server.Command("ZADD", key, "1", "a")
	for _, left := range []string{"5000000", "1000"} {
		if err := users.lengthen(ctx, key, left); err != nil {
			t.Fatal(err)
		}
		if ttl, err := strconv.Atoi(p.server.Command("PTTL", key)); err != nil || ttl < 4900000 {
			t.Errorf("after %s: the list lives for %d ms, %v", left, ttl, err)
		}
	}
}

func TestUserSessionsAreBounded(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.MaxPerUser = 5 })
	g := inStore(t, "memory", func(c *Config) { c.Session.MaxPerUser = 5 })
	now := time.Now().UnixMilli()
	key := p.l.users.(*redisUsers).key("u")
	for i := 0; i < maxSessionsPerUser; i++ {
		p.server.Command("ZADD", key, strconv.FormatInt(now+10000+int64(i), 10), strconv.Itoa(i))
	}
	if _, err := p.l.users.add(context.Background(), "u", "last", now+60000, now); err != nil {
		t.Fatal(err)
	}
	if got := p.server.Command("ZCARD", key); got != strconv.Itoa(maxSessionsPerUser) {
		t.Errorf("redis keeps %s of one user", got)
	}
	if got := p.server.Command("ZSCORE", key, "last"); got == "" {
		t.Error("redis has pushed out the newest")
	}
	if got := p.server.Command("TTL", key); got == "-1" {
		t.Error("the list stays for ever")
	}
	users := g.l.users.(*memoryUsers)
	var list []listed
	for i := 0; i < maxSessionsPerUser; i++ {
		list = append(list, listed{ID: strconv.Itoa(i), Until: now + 10 + int64(i)})
	}
	if err := users.write(context.Background(), "u", list, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := users.add(context.Background(), "u", "last", now+60000, now); err != nil {
		t.Fatal(err)
	}
	kept, err := users.read(context.Background(), "u")
	if err != nil || len(kept) != maxSessionsPerUser || kept[len(kept)-1].ID != "last" {
		t.Errorf("memory keeps %d of one user, %v", len(kept), err)
	}
}

// A list says from when until when a session is, by itself and by what is known of
// it.
func TestListedTimes(t *testing.T) {
	for _, known := range []bool{true, false} {
		g := newRig(t, func(c *Config) { c.Session.Lifetime = "1000" })
		began := g.clock.now().Unix()
		g.login("/app", nil)
		g.clock.advance(100 * time.Second)
		if !known {
			none := cache.NewMemory(10, g.clock.now)
			g.l.about = none
		}
		list, err := g.l.listSessions(context.Background(), "alice")
		if err != nil || len(list) != 1 {
			t.Fatalf("%d sessions, %v", len(list), err)
		}
		if s := list[0]; s.Since != began || s.Until != began+1000 {
			t.Errorf("known: %v: from %d until %d, want from %d until %d", known, s.Since, s.Until, began, began+1000)
		}
	}
}

// What is no list of IDs and ends is no shorter list.
func TestReadListed(t *testing.T) {
	text := func(s string) redis.Reply { return redis.Reply{Kind: redis.Text, Text: s} }
	for name, test := range map[string]struct {
		items []redis.Reply
		want  int // -1: an error
	}{
		"none":                {nil, 0},
		"one":                 {[]redis.Reply{text("a"), text("1")}, 1},
		"an ID without end":   {[]redis.Reply{text("a")}, -1},
		"the last has no end": {[]redis.Reply{text("a"), text("1"), text("b")}, -1},
		"an end that is none": {[]redis.Reply{text("a"), text("b")}, -1},
	} {
		list, err := readListed(redis.Reply{Kind: redis.List, Items: test.items})
		if test.want < 0 && err == nil || test.want >= 0 && (err != nil || len(list) != test.want) {
			t.Errorf("%s: %d sessions, %v", name, len(list), err)
		}
	}
}

// A key of another type in the list's place keeps nobody from logging in. It is kept.
func TestListOfAnotherType(t *testing.T) {
	for kind, make := range map[string][]string{"string": {"SET", "p:user:u", "v"}, "hash": {"HSET", "p:user:u", "f", "v"}, "list": {"RPUSH", "p:user:u", "v"}} {
		server := redistest.Start(t)
		client := redis.New(redis.Config{Addresses: []string{server.Addr()}, Timeout: 10 * time.Second})
		users := &redisUsers{client: client, prefix: "p:"}
		server.Command(make...)
		for i, id := range []string{"a", "b"} {
			others, err := users.add(context.Background(), "u", id, int64(2000+i), 1000)
			if err != nil || len(others) != i {
				t.Errorf("%s: %s beside %q: %v", kind, id, others, err)
			}
		}
		kept := server.Command("KEYS", "p:user:u:set-aside:*")
		if got := server.Command("TYPE", kept); got != kind {
			t.Errorf("%s: kept as %q, which is a %s", kind, kept, got)
		}
		if name, err := client.SetAside(context.Background(), "p:user:u", "zset"); name != "" || err != nil {
			t.Errorf("%s: the list was set aside as %q, %v", kind, name, err)
		}
		client.Close()
	}
}
