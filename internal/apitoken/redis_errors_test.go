package apitoken

import (
	"errors"
	"strings"
	"testing"
)

// What Redis refuses is told, and a token that is in no list is not made: nobody
// would find it to end it.
func TestWhatRedisRefuses(t *testing.T) {
	for _, c := range []struct {
		command, what string
		do            func(r *Redis) error
	}{
		{"zadd", "create", func(r *Redis) error { return r.Create(ctx, token("b", "bob"), 0) }},
		{"set", "create", func(r *Redis) error { return r.Create(ctx, token("b", "bob"), 0) }},
		{"set", "update", func(r *Redis) error { _, err := r.Update(ctx, id("a"), setNote("x")); return err }},
		{"get", "update", func(r *Redis) error { _, err := r.Update(ctx, id("a"), setNote("x")); return err }},
		{"del", "delete", func(r *Redis) error { _, err := r.Delete(ctx, id("a")); return err }},
		{"get", "delete", func(r *Redis) error { _, err := r.Delete(ctx, id("a")); return err }},
		{"get", "find", func(r *Redis) error { _, _, err := r.Find(ctx, id("a")); return err }},
		{"get", "fresh", func(r *Redis) error { _, _, err := r.Fresh(ctx, id("a")); return err }},
		{"get", "list", func(r *Redis) error { _, err := r.List(ctx, "alice"); return err }},
		{"zscan", "list", func(r *Redis) error { _, err := r.List(ctx, "alice"); return err }},
		{"zscan", "list all", func(r *Redis) error { _, err := r.List(ctx, ""); return err }},
	} {
		g := newRedisRig(t)
		mustCreate(t, g.replica(), token("a", "alice"))
		r := g.replica() // remembers nothing
		g.server.Command("ACL", "SETUSER", "default", "-"+c.command)
		if err := c.do(r); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s without %s: %v, want ErrUnavailable", c.what, strings.ToUpper(c.command), err)
		}
		g.server.Command("ACL", "SETUSER", "default", "+"+c.command)
		g.server.Command("DEL", "test:apitoken-lease:"+id("a"), "test:apitoken-lease:"+id("b")) // which runs out
		if _, found, err := r.Find(ctx, id("b")); found || err != nil {
			t.Errorf("%s without %s: a token is there that was not made: %v", c.what, strings.ToUpper(c.command), err)
		}
		if got := find(t, r, id("a")); got.Owner != "alice" || got.Note != token("a", "alice").Note {
			t.Errorf("%s without %s: the token is %+v", c.what, strings.ToUpper(c.command), got)
		}
		if err := c.do(r); err != nil {
			t.Errorf("%s, with %s again: %v", c.what, strings.ToUpper(c.command), err)
		}
	}
}
