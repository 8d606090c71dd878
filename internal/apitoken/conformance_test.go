package apitoken

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestConformance holds for every Store.
func TestConformance(t *testing.T) {
	stores := map[string]func(t *testing.T) Store{
		"file":  func(t *testing.T) Store { return newRig(t).open() },
		"redis": func(t *testing.T) Store { return newRedisRig(t).replica() },
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			conformsInOrder(t, s)
			refusesWhatIsInvalid(t, s)
			lists(t, s)
			remembersUses(t, s)
			updatesOneByOne(t, s)
			bringsNothingBack(t, s)
			leavesWithItsCaller(t, s)
		})
	}
}

var errOwn = errors.New("own")

// conformsInOrder is one token's story.
func conformsInOrder(t *testing.T, s Store) {
	t.Helper()
	name := id("0")
	story := Token{ID: name, Hash: hash("0"), Owner: "story", Scopes: []string{"a", "b"}, Note: "1", Created: 7, Expires: time.Now().Unix() + 9000, Rotated: 8, PreviousHash: hash("1"), PreviousUntil: 9}
	for i, step := range []struct {
		do   func() error
		want error
		note string // of the token, after it; "": there is none
	}{
		{func() error { _, err := s.Update(ctx, name, setNote("x")); return err }, ErrNotFound, ""},
		{func() error { _, err := s.Delete(ctx, name); return err }, ErrNotFound, ""},
		{func() error { return s.Create(ctx, story, 0) }, nil, "1"},
		{func() error { return s.Create(ctx, story, 0) }, ErrExists, "1"},
		{func() error { _, err := s.Update(ctx, name, setNote("2")); return err }, nil, "2"},
		{func() error {
			_, err := s.Update(ctx, name, func(_ Token) (Token, error) { return Token{}, fmt.Errorf("refused: %w", errOwn) })
			return err
		}, errOwn, "2"},
		{func() error { _, err := s.Delete(ctx, name); return err }, nil, ""},
		{func() error { _, err := s.Delete(ctx, name); return err }, ErrNotFound, ""},
		{func() error { _, err := s.Update(ctx, name, setNote("x")); return err }, ErrNotFound, ""},
		{func() error { return s.Create(ctx, story, 0) }, nil, "1"},
		{func() error { _, err := s.Delete(ctx, name); return err }, nil, ""},
	} {
		err := step.do()
		if !errors.Is(err, step.want) || errors.Is(err, ErrUnavailable) {
			t.Errorf("step %d: %v, want %v", i, err, step.want)
		}
		got, found, err := s.Find(ctx, name)
		fresh, again, failed := s.Fresh(ctx, name)
		if err != nil || failed != nil || found != again || !got.same(fresh) || got.ID != fresh.ID {
			t.Errorf("step %d: Find: %+v, %v, %v; Fresh: %+v, %v, %v", i, got, found, err, fresh, again, failed)
		}
		if found != (step.note != "") || got.Note != step.note {
			t.Errorf("step %d: the token has the note %q, want %q", i, got.Note, step.note)
		}
		want := story
		want.Note = step.note
		if found && (!got.same(want) || got.ID != name) {
			t.Errorf("step %d: got %+v, want %+v", i, got, want)
		}
	}
	mustCreate(t, s, story)
	updated, err := s.Update(ctx, name, setNote("3"))
	if err != nil || updated.Note != "3" || updated.ID != name {
		t.Errorf("Update returns %+v, %v", updated, err)
	}
	deleted, err := s.Delete(ctx, name)
	if err != nil || deleted.Note != "3" || deleted.ID != name {
		t.Errorf("Delete returns %+v, %v", deleted, err)
	}
}

func refusesWhatIsInvalid(t *testing.T, s Store) {
	t.Helper()
	bad := token("b", "")
	if err := s.Create(ctx, bad, 0); !errors.Is(err, ErrInvalid) {
		t.Errorf("create a token without an owner: %v", err)
	}
	mustCreate(t, s, token("b", "bob"))
	for i, change := range []func(t *Token){
		func(t *Token) { t.ID = id("c") }, func(t *Token) { t.Owner = "carol" }, func(t *Token) { t.Created = 1 },
		func(t *Token) { t.Hash = "" }, func(t *Token) { t.Scopes = []string{"a b"} },
	} {
		_, err := s.Update(ctx, id("b"), func(t Token) (Token, error) {
			change(&t)
			return t, nil
		})
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("change %d: %v, want it refused", i, err)
		}
		if got := find(t, s, id("b")); !got.same(token("b", "bob")) {
			t.Errorf("change %d was refused, and made: %+v", i, got)
		}
	}
	for _, name := range []string{"", "x", "*", "../x", "b", id("b") + "\n"} {
		if _, found, err := s.Find(ctx, name); found || err != nil {
			t.Errorf("find %q: %v, %v", name, found, err)
		}
		if _, err := s.Delete(ctx, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("delete %q: %v", name, err)
		}
	}
}

func lists(t *testing.T, s Store) {
	t.Helper()
	for _, row := range []struct {
		digit, owner string
		created      int64
	}{{"4", "lister", 30}, {"3", "lister", 10}, {"2", "lister", 30}, {"1", "Lister", 20}, {"5", "lister ", 5}} {
		one := token(row.digit, row.owner)
		one.Created = row.created
		mustCreate(t, s, one)
	}
	for _, row := range []struct{ owner, want string }{
		{"lister", "324"}, {"Lister", "1"}, {"lister ", "5"}, {"nobody", ""}, {"", "53124b"},
	} {
		if got := listed(t, s, row.owner); got != row.want {
			t.Errorf("list of %q: %s, want %s", row.owner, got, row.want)
		}
	}
	for _, digit := range []string{"1", "2", "3", "4", "5"} {
		if _, err := s.Delete(ctx, id(digit)); err != nil {
			t.Error(err)
		}
	}
	if got := listed(t, s, "lister") + listed(t, s, ""); got != "b" {
		t.Errorf("listed after they were deleted: %s", got)
	}
}

// listed is the first digit of each id.
func listed(t *testing.T, s Store, owner string) string {
	t.Helper()
	list, err := s.List(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	digits := ""
	for _, one := range list {
		digits += one.ID[:1]
	}
	return digits
}

func remembersUses(t *testing.T, s Store) {
	t.Helper()
	name := id("8")
	mustCreate(t, s, token("8", "user"))
	last := func() int64 {
		times, err := s.LastUse(ctx, []string{id("b"), name, "x"})
		if err != nil || len(times) > 1 {
			t.Fatalf("last use: %v, %v", times, err)
		}
		return times[name]
	}
	for _, row := range []struct{ at, want int64 }{
		{0, 0}, {100000, 100000}, {100059, 100000}, {100060, 100060}, {100090, 100060}, {100130, 100130},
	} {
		if row.at != 0 {
			s.Used(ctx, name, row.at)
		}
		eventually(t, fmt.Sprintf("the last use to be %d", row.want), func() bool { return last() == row.want })
	}
}

// updatesOneByOne: of many changes at once none is lost.
func updatesOneByOne(t *testing.T, s Store) {
	t.Helper()
	one := token("6", "counter")
	one.Note = "0"
	mustCreate(t, s, one)
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := 0; n < 5; n++ {
				if _, err := s.Update(ctx, id("6"), addOne); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	if got := find(t, s, id("6")); got.Note != "40" {
		t.Errorf("40 changes of one token, of which %s are left", got.Note)
	}
}

func addOne(t Token) (Token, error) {
	n := 0
	if _, err := fmt.Sscan(t.Note, &n); err != nil {
		return t, err
	}
	t.Note = fmt.Sprint(n + 1)
	return t, nil
}

// bringsNothingBack deletes a token that others change.
func bringsNothingBack(t *testing.T, s Store) {
	t.Helper()
	one := token("7", "ended")
	one.Note = "0"
	for round := 0; round < 5; round++ {
		mustCreate(t, s, one)
		var all sync.WaitGroup
		for i := 0; i < 4; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					_, err := s.Update(ctx, id("7"), addOne)
					if errors.Is(err, ErrNotFound) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			}()
		}
		if _, err := s.Delete(ctx, id("7")); err != nil {
			t.Error(err)
		}
		all.Wait()
		if _, found, err := s.Fresh(ctx, id("7")); found || err != nil {
			t.Fatalf("round %d: a deleted token is back: %v", round, err)
		}
	}
}

func leavesWithItsCaller(t *testing.T, s Store) {
	t.Helper()
	left, leave := context.WithCancel(ctx)
	leave()
	if err := s.Create(left, token("9", "left"), 0); err != nil && !errors.Is(err, ErrUnavailable) {
		t.Errorf("created by somebody who left: %v", err)
	}
}
