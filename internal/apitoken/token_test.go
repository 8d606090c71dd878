package apitoken

import (
	"strings"
	"testing"
	"time"
)

func TestAccepts(t *testing.T) {
	a, b, c := hash("a"), hash("b"), hash("c")
	plain := Token{Hash: a}
	ending := Token{Hash: a, Expires: 100}
	grace := Token{Hash: a, PreviousHash: b, PreviousUntil: 50}
	both := Token{Hash: a, PreviousHash: b, PreviousUntil: 50, Expires: 100}
	longer := Token{Hash: a, PreviousHash: b, PreviousUntil: 500, Expires: 100}
	for _, row := range []struct {
		what  string
		token Token
		hash  string
		now   int64
		until int64
		want  bool
	}{
		{"its hash", plain, a, 1, 0, true},
		{"another", plain, b, 1, 0, false},
		{"nothing", plain, "", 1, 0, false},
		{"nothing, of an empty token", Token{}, "", 1, 0, false},
		{"nothing, in a grace without a hash", Token{Hash: a, PreviousUntil: 50}, "", 1, 0, false},
		{"a part of it", plain, a[:63], 1, 0, false},
		{"more than it", plain, a + "a", 1, 0, false},
		{"upper case", plain, strings.ToUpper(a), 1, 0, false},
		{"before the end", ending, a, 99, 100, true},
		{"at the end", ending, a, 100, 0, false},
		{"after the end", ending, a, 101, 0, false},
		{"the new one in the grace", grace, a, 49, 0, true},
		{"the old one in the grace", grace, b, 49, 50, true},
		{"the old one at its end", grace, b, 50, 0, false},
		{"the new one after the grace", grace, a, 51, 0, true},
		{"a third", grace, c, 49, 0, false},
		{"an old one without a grace", Token{Hash: a, PreviousHash: b}, b, 1, 0, false},
		{"the old one of a token that ends later", both, b, 49, 50, true},
		{"the new one of a token that ends", both, a, 49, 100, true},
		{"the old one of a token that ends earlier", longer, b, 99, 100, true},
		{"the old one after the token's end", longer, b, 100, 0, false},
	} {
		until, ok := row.token.Accepts(row.hash, row.now)
		if until != row.until || ok != row.want {
			t.Errorf("%s: %d, %v, want %d, %v", row.what, until, ok, row.until, row.want)
		}
	}
}

func TestRotate(t *testing.T) {
	a, b := hash("a"), hash("b")
	for _, row := range []struct {
		what     string
		previous string
		expires  int64
		grace    time.Duration
		until    int64 // of the old secret; 0: it is dead
		dead     string
	}{
		{"no grace", "", 0, 0, 0, a},
		{"less than none", "", 0, -time.Hour, 0, a},
		{"a grace", "", 0, time.Hour, 4600, ""},
		{"a part of a second", "", 0, time.Millisecond, 1001, ""},
		{"no grace in a grace", b, 0, 0, 0, b + a},
		{"a grace in a grace", b, 0, time.Hour, 4600, b},
		{"a grace beyond the token's end", "", 2000, time.Hour, 2000, ""},
		{"a grace before the token's end", "", 9000, time.Hour, 4600, ""},
		{"a token at its end", "", 1000, time.Hour, 0, a},
		{"a very long grace", "", 0, 200 * 365 * 24 * time.Hour, 1000 + 200*365*24*3600, ""},
	} {
		old := Token{ID: id("1"), Hash: a, Owner: "alice", Scopes: []string{"x"}, Created: 5, Expires: row.expires, PreviousHash: row.previous}
		if row.previous != "" {
			old.PreviousUntil = 5000
		}
		next, credential, dead := old.Rotate(1000, row.grace)
		name, fresh, ok := Parse(credential)
		if !ok || name != old.ID || fresh != next.Hash || fresh == a || next.Rotated != 1000 {
			t.Errorf("%s: credential of %s, %v; rotated at %d", row.what, name, ok, next.Rotated)
		}
		if got := strings.Join(dead, ""); got != row.dead {
			t.Errorf("%s: dead: %s, want %s", row.what, got, row.dead)
		}
		if next.PreviousUntil != row.until || (next.PreviousHash != "") != (row.until != 0) {
			t.Errorf("%s: the old one %q is good until %d, want %d", row.what, next.PreviousHash, next.PreviousUntil, row.until)
		}
		if len(next.Hashes()) != 1+len(next.PreviousHash)/64 || next.Hashes()[0] != fresh {
			t.Errorf("%s: hashes %v", row.what, next.Hashes())
		}
		if next.Owner != "alice" || next.Created != 5 || next.Expires != row.expires || len(next.Scopes) != 1 {
			t.Errorf("%s: changed more than the secret: %+v", row.what, next)
		}
		if old.Hash != a || old.Rotated != 0 || old.PreviousHash != row.previous {
			t.Errorf("%s: the old token changed: %+v", row.what, old)
		}
		if _, opens := next.Accepts(b, 1000); opens {
			t.Errorf("%s: the one before the last opens it", row.what)
		}
		if _, opens := next.Accepts(a, 1000); opens != (row.until != 0) {
			t.Errorf("%s: the last one opens it: %v", row.what, opens)
		}
	}
}

func TestSame(t *testing.T) {
	whole := func() Token {
		return Token{Hash: "1", Owner: "2", Scopes: []string{"3"}, Note: "4", Created: 5, Expires: 6, Rotated: 7, PreviousHash: "8", PreviousUntil: 9}
	}
	if !whole().same(whole()) {
		t.Error("not the same as itself")
	}
	for i, change := range []func(t *Token){
		func(t *Token) { t.Hash = "x" }, func(t *Token) { t.Owner = "x" }, func(t *Token) { t.Note = "x" },
		func(t *Token) { t.Scopes = nil }, func(t *Token) { t.Scopes = []string{"x"} }, func(t *Token) { t.Scopes = []string{"3", "x"} },
		func(t *Token) { t.Created = 0 }, func(t *Token) { t.Expires = 0 }, func(t *Token) { t.Rotated = 0 },
		func(t *Token) { t.PreviousHash = "x" }, func(t *Token) { t.PreviousUntil = 0 },
	} {
		other := whole()
		change(&other)
		if whole().same(other) {
			t.Errorf("change %d does not count", i)
		}
	}
}
