package cache

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

func TestRedisSealsWhatItKeeps(t *testing.T) {
	g := newRig(t)
	set(t, g.redis, "k", "plain text", time.Minute)
	text := g.do("GET", "test:k").Text
	if text == "" || strings.Contains(text, "plain") {
		t.Errorf("Redis holds %q", text)
	}
	if left := g.do("PTTL", "test:k").Int; left <= 50000 || left > 60000 {
		t.Errorf("a ttl of a minute: Redis keeps it for %d ms", left)
	}
	if got := get(t, g.sealedBy(g.client, oldSecret, secret), "k"); got != "plain text" {
		t.Errorf("with the secret as the second of two: got %q", got)
	}
	if got := g.redis.Bad(); got != 0 {
		t.Errorf("%d bad values, want none", got)
	}
}

func TestMilliseconds(t *testing.T) {
	for ttl, want := range map[time.Duration]string{
		1:                    "1",
		time.Millisecond - 1: "1",
		time.Millisecond:     "1",
		time.Millisecond + 1: "2",
		time.Hour:            "3600000",
		forever:              "9223372036855",
	} {
		if got := milliseconds(ttl); got != want {
			t.Errorf("%v: got %s, want %s", ttl, got, want)
		}
	}
	g := newRig(t)
	set(t, g.redis, "brief", "v", 1)
	set(t, g.redis, "long", "v", forever)
	if got := get(t, g.redis, "long"); got != "v" {
		t.Errorf("the longest ttl: got %q", got)
	}
}

// spoil makes the value of test:i bad, in the i-th of some ways.
func spoil(g *rig, other *Redis, i int) {
	name, next := "test:"+strconv.Itoa(i), "test:"+strconv.Itoa(i+1)
	text := g.do("GET", name).Text
	switch i % 10 {
	case 0: // truncated, at its end
		g.do("SET", name, text[:1+i%(len(text)-1)], "PX", "600000")
	case 1: // truncated, at its beginning
		g.do("SET", name, text[1+i%(len(text)-1):], "PX", "600000")
	case 2: // one bit is another
		changed := []byte(text)
		changed[i%len(changed)] ^= 1 << (i / 10 % 8)
		g.do("SET", name, string(changed), "PX", "600000")
	case 3: // swapped with the next
		g.do("SET", name, g.do("GET", next).Text, "PX", "600000")
		g.do("SET", next, text, "PX", "600000")
	case 4: // done by 3
	case 5: // not sealed, kept without an end
		g.do("SET", name, "value "+strconv.Itoa(i))
	case 6: // nothing
		g.do("SET", name, "", "PX", "600000")
	case 7: // sealed with another secret
		set(g.t, other, strconv.Itoa(i), "value "+strconv.Itoa(i), time.Hour)
	case 8: // sealed for something else
		text, err := newRing(g.t, secret).Seal("session", []byte("value "+strconv.Itoa(i)))
		if err != nil {
			g.t.Fatal(err)
		}
		g.do("SET", name, text, "PX", "600000")
	case 9: // no text
		g.do("DEL", name)
		g.do("RPUSH", name, text)
	}
}

// Each of 1,000 bad values is served to nobody, and stays in Redis as it is: what
// does not open here may open elsewhere. One of an unknown secret is an error.
func TestRedisBadValues(t *testing.T) {
	const values = 1000
	g := newRig(t)
	other := g.sealedBy(g.client, oldSecret)
	for i := 0; i < values; i++ {
		set(t, g.redis, strconv.Itoa(i), "value "+strconv.Itoa(i), time.Hour)
	}
	for i := 0; i < values; i++ {
		spoil(g, other, i)
	}
	set(t, g.redis, "good", "value", time.Hour)
	before, keys := g.everything(), g.do("DBSIZE").Int
	var noticed atomic.Int64
	g.redis.Noticed = func(err error) {
		if !errors.Is(err, ErrUnreadable) {
			t.Errorf("noticed: %v", err)
		}
		noticed.Add(1)
	}
	g.do("CONFIG", "RESETSTAT")

	var served, unreadable, failed atomic.Int64
	var wg sync.WaitGroup
	for reader := 0; reader < 4; reader++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < values; i++ {
				_, found, err := g.redis.Get(context.Background(), strconv.Itoa(i))
				switch {
				case found:
					served.Add(1)
				case errors.Is(err, ErrUnreadable):
					unreadable.Add(1)
				case err != nil:
					failed.Add(1)
				}
			}
		}()
	}
	wg.Wait()
	if served.Load() != 0 || failed.Load() != 0 {
		t.Errorf("of bad values %d were served and %d were errors, want none", served.Load(), failed.Load())
	}
	if got := unreadable.Load(); got < 4*values/10 || got+g.redis.Bad() != 4*values || noticed.Load() != got {
		t.Errorf("%d unreadable, %d noticed, %d bad, of %d reads", got, noticed.Load(), g.redis.Bad(), 4*values)
	}
	for _, written := range []string{"del", "eval", "set", "unlink", "expire"} {
		if stats := g.do("INFO", "commandstats").Text; strings.Contains(stats, "cmdstat_"+written+":") {
			t.Errorf("reading was %s:\n%s", written, stats)
		}
	}
	if after := g.everything(); !reflect.DeepEqual(after, before) || g.do("DBSIZE").Int != keys {
		t.Error("reading has changed what Redis has")
	}
	if got := get(t, g.redis, "good"); got != "value" {
		t.Errorf("the good value: got %q", got)
	}
}

// Of a secret that is not known here nobody knows whether a value is good: it is
// neither there nor missing. It can be written over, and deleted.
func TestRedisUnreadable(t *testing.T) {
	g := newRig(t)
	ctx := context.Background()
	other := g.sealedBy(g.client, oldSecret)
	set(t, other, "k", "theirs", time.Hour)
	if value, found, err := g.redis.Get(ctx, "k"); value != nil || found || !errors.Is(err, ErrUnreadable) {
		t.Errorf("got %q, %v, %v", value, found, err)
	}
	text := g.do("GET", "test:k").Text
	g.do("SET", "test:later", "_"+text[1:])
	if _, found, err := g.redis.Get(ctx, "later"); found || !errors.Is(err, ErrUnreadable) {
		t.Errorf("of another version: %v, %v", found, err)
	}
	c := NewTiered(NewMemory(10, time.Now), g.redis, time.Minute, 1)
	t.Cleanup(c.Close)
	for what, read := range map[string]func(context.Context, string) ([]byte, bool, error){
		"Get":   func(ctx context.Context, k string) ([]byte, bool, error) { return c.Get(ctx, k) },
		"Fresh": func(ctx context.Context, k string) ([]byte, bool, error) { return c.Fresh(ctx, k) },
	} {
		if _, found, err := read(ctx, "k"); found || !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s with memory in front: %v, %v", what, found, err)
		}
	}
	if added, err := g.redis.Add(ctx, "k", []byte("ours"), time.Hour); added || err != nil {
		t.Errorf("added: %v, %v", added, err)
	}
	if got := get(t, other, "k"); got != "theirs" {
		t.Errorf("theirs is %q", got)
	}
	set(t, g.redis, "k", "ours", time.Hour)
	if got := get(t, g.redis, "k"); got != "ours" {
		t.Errorf("written over: got %q", got)
	}
}

// A value that is good under one key is not under another.
func TestRedisValueUnderAnotherKey(t *testing.T) {
	g := newRig(t)
	set(t, g.redis, "alice", "alice's", time.Hour)
	text := g.do("GET", "test:alice").Text
	ring := newRing(t, secret)
	for name, c := range map[string]struct {
		cache *Redis
		key   string
	}{
		"another key":              {g.redis, "mallory"},
		"a longer one":             {g.redis, "alice2"},
		"another prefix":           {NewRedis(g.client, "other:", g.redis.keys), "alice"},
		"no prefix":                {NewRedis(g.client, "", g.redis.keys), "alice"},
		"a shorter, and no prefix": {NewRedis(g.client, "", g.redis.keys), "test:alic"},
	} {
		g.do("SET", c.cache.prefix+c.key, text)
		if got := get(t, c.cache, c.key); got != "-" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := get(t, g.redis, "alice"); got != "alice's" {
		t.Errorf("under its own key: got %q", got)
	}
	if plain, err := ring.Open(bound("test:alice"), text); err != nil || string(plain) != "alice's" {
		t.Errorf("opened by hand: %q, %v", plain, err)
	}
}

// A Redis that does not let us read, or write, is an error; what it holds is
// none the worse for it.
func TestRedisRefuses(t *testing.T) {
	g := newRig(t)
	ctx := context.Background()
	set(t, g.redis, "k", "v", time.Hour)

	g.do("ACL", "SETUSER", "default", "-get")
	if _, found, err := g.redis.Get(ctx, "k"); found || !isRefusal(err) {
		t.Errorf("GET is not allowed: got %v, %v", found, err)
	}
	g.do("ACL", "SETUSER", "default", "+get", "-pttl", "-set", "-del", "-exists")
	found, err := g.redis.find(ctx, "k")
	if err != nil || found == nil || found.left != 0 {
		t.Errorf("PTTL is not allowed: got %v, %v", found, err)
	}
	err = g.redis.Set(ctx, "k", nil, time.Hour)
	if !isRefusal(err) {
		t.Errorf("SET is not allowed: got %v", err)
	}
	err = g.redis.Delete(ctx, "k")
	if !isRefusal(err) {
		t.Errorf("DEL is not allowed: got %v", err)
	}
	for name, write := range map[string]func(context.Context, string, []byte, time.Duration) (bool, error){
		"add": func(ctx context.Context, k string, v []byte, d time.Duration) (bool, error) {
			return g.redis.Add(ctx, k, v, d)
		},
		"replace": func(ctx context.Context, k string, v []byte, d time.Duration) (bool, error) {
			return g.redis.Replace(ctx, k, v, d)
		},
	} {
		for _, ttl := range []time.Duration{0, time.Hour} {
			done, err := write(ctx, "k", nil, ttl)
			if done || !isRefusal(err) {
				t.Errorf("%s for %v: got %v, %v", name, ttl, done, err)
			}
		}
	}
	g.do("ACL", "SETUSER", "default", "+@all")
	if got := get(t, g.redis, "k"); got != "v" || g.redis.Bad() != 0 {
		t.Errorf("holds %q, with %d bad values", got, g.redis.Bad())
	}
}

func isRefusal(err error) bool {
	return errors.Is(err, redis.ErrCommand) || errors.Is(err, redis.ErrUnavailable)
}

// What Get could not read for its length is not written in the first place.
func TestRedisTooLarge(t *testing.T) {
	g := newRig(t)
	largest := (maxSealed*3/4 - 45) / 3 * 3
	set(t, g.redis, "k", strings.Repeat("x", largest), time.Hour)
	if got := get(t, g.redis, "k"); len(got) != largest {
		t.Errorf("got %d bytes, want %d", len(got), largest)
	}
	err := g.redis.Set(context.Background(), "k", make([]byte, largest+3), time.Hour)
	if !errors.Is(err, redis.ErrCommand) {
		t.Errorf("one more: got %v", err)
	}
}
