package revocation

import "testing"

const hour = 3600

// What was issued at or before an entry is revoked, by any of its keys.
func TestRevoked(t *testing.T) {
	x := NewIndex(100)
	x.Add([]Entry{{Key: Session("a"), At: 5000, Until: hour}}, 1)
	x.Add([]Entry{{Key: User("https://id", "alice"), At: 7000, Until: hour}}, 1)
	x.Add([]Entry{{Key: Session("whenever"), At: 5000, Until: hour, Always: true}}, 1)
	for _, c := range []struct {
		what   string
		issued int64
		keys   []Key
		want   bool
	}{
		{"before it", 4999, []Key{Session("a")}, true},
		{"at its moment", 5000, []Key{Session("a")}, true},
		{"after it", 5001, []Key{Session("a")}, false},
		{"after it, of one that counts always", 9000, []Key{Session("whenever")}, true},
		{"another session", 1, []Key{Session("b")}, false},
		{"the second of its keys", 7000, []Key{Session("b"), User("https://id", "alice")}, true},
		{"another issuer's user", 1, []Key{User("https://other", "alice")}, false},
		{"a provider's session of that name", 1, []Key{ProviderSession("", "a")}, false},
		{"a user of the joined name", 1, []Key{User("https://ida", "lice")}, false},
		{"without a date", Undated, []Key{Session("a")}, true},
		{"without a date, another session", Undated, []Key{Session("b")}, false},
		{"no key", 1, nil, false},
		{"the key of nothing", 1, []Key{{}}, false},
	} {
		if got := x.Revoked(c.issued, c.keys); got != c.want {
			t.Errorf("%s: revoked: %v, want %v", c.what, got, c.want)
		}
	}
}

// A later entry revokes more, an earlier one never less.
func TestEntriesOfOneKey(t *testing.T) {
	for _, c := range []struct {
		what          string
		first, second Entry
		fresh         bool
		at, until     int64
	}{
		{"the same again", Entry{At: 5, Until: 50}, Entry{At: 5, Until: 50}, false, 5, 50},
		{"a later one", Entry{At: 5, Until: 50}, Entry{At: 6, Until: 60}, true, 6, 60},
		{"an earlier one", Entry{At: 5, Until: 50}, Entry{At: 4, Until: 40}, false, 5, 50},
		{"a later one that ends earlier", Entry{At: 5, Until: 50}, Entry{At: 6, Until: 40}, true, 6, 50},
		{"an earlier one that ends later", Entry{At: 5, Until: 50}, Entry{At: 4, Until: 60}, true, 5, 60},
		{"one that is over", Entry{At: 5, Until: 50}, Entry{At: 9, Until: 1}, false, 5, 50},
	} {
		x := NewIndex(100)
		x.Add([]Entry{c.first}, 1)
		before := x.Generation()
		if fresh := x.Add([]Entry{c.second}, 1) == 1; fresh != c.fresh {
			t.Errorf("%s: new: %v, want %v", c.what, fresh, c.fresh)
		}
		if moved := x.Generation() != before; moved != c.fresh {
			t.Errorf("%s: the generation moved: %v, want %v", c.what, moved, c.fresh)
		}
		if e := x.find(Key{}); e.at != c.at || e.until != c.until || x.Size() != 1 {
			t.Errorf("%s: %d entries, %+v, want at %d until %d", c.what, x.Size(), e, c.at, c.until)
		}
	}
}

func TestExpiredEntries(t *testing.T) {
	x := NewIndex(100)
	if x.Add([]Entry{{Key: Session("a"), At: 1, Until: 100}}, 100) != 0 {
		t.Error("an entry that is over counts")
	}
	if x.Size() != 0 || x.Generation() != 1 {
		t.Errorf("%d entries, generation %d", x.Size(), x.Generation())
	}
}

// Two generations bound the index. What is pushed out stays revoked: all that is
// as old as it.
func TestIndexIsBounded(t *testing.T) {
	x := NewIndex(10)
	for i := 1; i <= 10; i++ {
		x.Add([]Entry{{Key: Session(name(i)), At: int64(i), Until: hour}}, 1)
	}
	if x.Revoked(1, []Key{Session("other")}) {
		t.Error("something else is revoked before anything was pushed out")
	}
	for i := 11; i <= 1000; i++ {
		x.Add([]Entry{{Key: Session(name(i)), At: int64(i), Until: hour}}, 1)
		if x.Size() > 10 {
			t.Fatalf("%d entries of at most 10", x.Size())
		}
	}
	for i := 1; i <= 1000; i++ {
		if !x.Revoked(int64(i), []Key{Session(name(i))}) {
			t.Fatalf("entry %d was forgotten", i)
		}
	}
	if !x.Revoked(900, []Key{Session("other")}) {
		t.Error("as old as what was pushed out, and clean")
	}
	if x.Revoked(Undated, []Key{Token("id", "hash")}) {
		t.Error("without a date, and revoked by what was pushed out")
	}
	if x.Revoked(1001, []Key{Session("other")}) {
		t.Error("newer than all entries, and revoked")
	}
}

// What can no longer matter makes room without a trace.
func TestExpiredEntriesMakeRoom(t *testing.T) {
	x := NewIndex(10)
	for i := 1; i <= 1000; i++ {
		now := int64(i)
		x.Add([]Entry{{Key: Session(name(i)), At: now * 1000, Until: now + 3}}, now)
		if x.Size() > 10 {
			t.Fatalf("%d entries of at most 10", x.Size())
		}
	}
	if x.Revoked(1, []Key{Session("other")}) {
		t.Error("entries that were over revoke what is as old as they")
	}
}

// Nor does it push out what can still matter.
func TestExpiredEntriesPushNothingOut(t *testing.T) {
	x := NewIndex(4)
	x.Add([]Entry{{Key: Session("long"), At: 5, Until: hour}}, 1)
	x.Add([]Entry{{Key: Session("short"), At: 5, Until: 2}}, 1)
	for i := 0; i < 3; i++ {
		x.Add([]Entry{{Key: Session(name(i)), At: 5, Until: hour}}, 3)
	}
	if x.Revoked(5, []Key{Session("other")}) || !x.Revoked(5, []Key{Session("long")}) {
		t.Error("an entry that is over took the place of one that is not")
	}
}

// What is over by the time it is pushed out leaves no trace, either.
func TestExpiredEntriesArePushedOut(t *testing.T) {
	x := NewIndex(4)
	for i, now := range []int64{1, 1, 1, 3, 3} {
		until := int64(hour)
		if i < 2 {
			until = 2
		}
		x.Add([]Entry{{Key: Session(name(i)), At: 9, Until: until}}, now)
	}
	if x.Size() > 3 || x.Revoked(9, []Key{Session("other")}) {
		t.Errorf("%d entries, the floor is %d, want none", x.Size(), x.floor)
	}
}

// An entry that is pushed out of the older generation counts even where the
// newer one has entries of an earlier time.
func TestFloorIsTheLatest(t *testing.T) {
	x := NewIndex(4)
	for _, at := range []int64{9, 3, 1, 2, 1, 2} {
		x.Add([]Entry{{Key: Session(name(int(at) + x.Size()*100)), At: at, Until: hour}}, 1)
	}
	if !x.Revoked(9, []Key{Session("other")}) || x.Revoked(10, []Key{Session("other")}) {
		t.Errorf("the floor is %d, want 9", x.floor)
	}
}

func TestWatch(t *testing.T) {
	x := NewIndex(100)
	var seen []Entry
	counted := false
	told := 0
	id := x.Watch(func(entries []Entry) {
		seen = append(seen, entries...)
		told++
		for _, e := range entries {
			counted = x.Revoked(e.At, []Key{e.Key})
		}
	})
	e := Entry{Key: Session("a"), At: 5, Until: hour}
	x.Add([]Entry{e}, 1)
	if len(seen) != 1 || seen[0] != e || !counted {
		t.Errorf("told %v, the entry counted by then: %v", seen, counted)
	}
	x.Add([]Entry{e}, 1)
	if told != 1 {
		t.Error("told of an entry that is not new")
	}
	before := x.Generation()
	x.Touch()
	if told != 2 || len(seen) != 1 || x.Generation() == before {
		t.Errorf("after a touch: told %d times, generation %d, before %d", told, x.Generation(), before)
	}
	x.Unwatch(id)
	x.Add([]Entry{{Key: Session("b"), At: 5, Until: hour}}, 1)
	if told != 2 {
		t.Error("told after the end of the watch")
	}
}

func TestKeysAsText(t *testing.T) {
	key := Session("a")
	if got, ok := ParseKey(key.Text()); !ok || got != key {
		t.Errorf("%s reads as %v, %v", key.Text(), got, ok)
	}
	for _, bad := range []string{"", "x", "!!!", key.Text() + "AA", key.Text()[1:]} {
		if _, ok := ParseKey(bad); ok {
			t.Errorf("%q was taken for a key", bad)
		}
	}
}
