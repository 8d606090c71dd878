package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// everything is each text that Redis has, by key.
func (g *rig) everything() map[string]string {
	found := map[string]string{}
	for _, item := range g.do("KEYS", "*").Items {
		if g.do("TYPE", item.Text).Text == "string" {
			found[item.Text] = g.do("GET", item.Text).Text
		}
	}
	return found
}

// When all was sealed anew, the new secret opens it without the old one, for as
// long as before. What is not the old secret's stays as it is.
func TestReseal(t *testing.T) {
	const values = 120
	g := newRig(t)
	ctx := context.Background()
	const third = "a third one of at least thirty-two bytes"
	old, foreign := g.sealedBy(g.client, oldSecret), g.sealedBy(g.client, third)
	for i := 0; i < values; i++ {
		set(t, old, "old:"+strconv.Itoa(i), "value "+strconv.Itoa(i), time.Hour)
	}
	set(t, g.redis, "new", "value", time.Hour)
	set(t, foreign, "foreign", "value", time.Hour)
	elsewhere := NewRedis(g.client, "testing:", old.keys)
	set(t, elsewhere, "k", "value", time.Hour)
	g.do("SET", "test:moved", g.do("GET", "test:old:0").Text)
	g.do("SET", "test:text", "no text of ours")
	g.do("RPUSH", "test:list", "x")
	g.do("PERSIST", "test:old:1")
	before := g.everything()

	changing := newRing(t, secret, oldSecret)
	n, err := Reseal(ctx, g.client, "test:", func() *seal.Ring { return changing })
	if err != nil || n != values {
		t.Errorf("%d sealed anew, %v, want %d", n, err, values)
	}
	for i := 0; i < values; i++ {
		if got := get(t, g.redis, "old:"+strconv.Itoa(i)); got != "value "+strconv.Itoa(i) {
			t.Fatalf("the old secret is gone: value %d is %q", i, got)
		}
	}
	if left := g.do("PTTL", "test:old:0").Int; left <= 3500000 || left > 3600000 {
		t.Errorf("a value of an hour lasts %d ms", left)
	}
	if left := g.do("PTTL", "test:old:1").Int; left != -1 {
		t.Errorf("a value without an end lasts %d ms", left)
	}
	after := g.everything()
	for _, key := range []string{"test:new", "test:foreign", "testing:k", "test:moved", "test:text"} {
		if after[key] != before[key] {
			t.Errorf("%s is not as it was", key)
		}
	}
	if n, err := Reseal(ctx, g.client, "test:", func() *seal.Ring { return changing }); err != nil || n != 0 {
		t.Errorf("once more: %d sealed anew, %v", n, err)
	}
}

// A value that is written between its being read and its being sealed anew stays.
func TestResealOvertaken(t *testing.T) {
	g := newRig(t)
	ctx := context.Background()
	changing := newRing(t, secret, oldSecret)
	set(t, g.sealedBy(g.client, oldSecret), "k", "before", time.Hour)
	text := g.do("GET", "test:k").Text
	set(t, g.redis, "k", "after", time.Hour)
	if done, err := reseal(ctx, g.client, changing, "test:k", text); done || err != nil {
		t.Errorf("written over: %v, %v", done, err)
	}
	if got := get(t, g.redis, "k"); got != "after" {
		t.Errorf("got %q", got)
	}
	g.do("DEL", "test:k")
	if done, err := reseal(ctx, g.client, changing, "test:k", text); done || err != nil || g.do("EXISTS", "test:k").Int != 0 {
		t.Errorf("what was deleted is back: %v, %v", done, err)
	}
}

// A Redis that refuses is an error, and what was sealed until then is told.
func TestResealFails(t *testing.T) {
	g := newRig(t)
	changing := newRing(t, secret, oldSecret)
	set(t, g.sealedBy(g.client, oldSecret), "k", "v", time.Hour)
	for _, refused := range []string{"-eval", "-scan"} {
		g.do("ACL", "SETUSER", "default", refused)
		if n, err := Reseal(context.Background(), g.client, "test:", func() *seal.Ring { return changing }); n != 0 || !errors.Is(err, redis.ErrCommand) {
			t.Errorf("%s: %d, %v", refused, n, err)
		}
	}
	g.do("ACL", "SETUSER", "default", "+@all")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Reseal(ctx, g.client, "test:", func() *seal.Ring { return changing }); err == nil {
		t.Error("a context that has ended: no error")
	}
}

// Keys whose prefix reads like a pattern are matched to the letter.
func TestResealOfAnOddPrefix(t *testing.T) {
	g := newRig(t)
	changing := newRing(t, secret, oldSecret)
	for _, prefix := range []string{`a*`, `a?`, `a[b]`, `a\`, `a`} {
		odd := NewRedis(g.client, prefix+":", g.sealedBy(g.client, oldSecret).keys)
		set(t, odd, "k", "v", time.Hour)
		set(t, NewRedis(g.client, "ab:", odd.keys), "k", "v", time.Hour)
		if n, err := Reseal(context.Background(), g.client, prefix+":", func() *seal.Ring { return changing }); n != 1 || err != nil {
			t.Errorf("%s: %d, %v", fmt.Sprintf("%q", prefix), n, err)
		}
		g.do("FLUSHALL")
	}
}

// A value of a secret that does not seal any more is told of, when it is read.
func TestRedisNoticesTheStale(t *testing.T) {
	g := newRig(t)
	set(t, g.sealedBy(g.client, oldSecret), "old", "v", time.Hour)
	set(t, g.redis, "new", "v", time.Hour)
	changing := g.sealedBy(g.client, secret, oldSecret)
	noticed := 0
	changing.Noticed = func(err error) {
		if err != nil {
			t.Errorf("noticed: %v", err)
		}
		noticed++
	}
	if get(t, changing, "new"); noticed != 0 {
		t.Error("one that is as it should be was noticed")
	}
	if get(t, changing, "old"); noticed != 1 {
		t.Errorf("noticed %d times", noticed)
	}
}
