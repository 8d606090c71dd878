package revocation

import (
	"sync"
	"sync/atomic"
)

// Index answers whether something is revoked, as far as this process knows.
//
// Two generations of entries bound it. What is pushed out is not forgotten:
// whatever was issued before it counts as revoked.
type Index struct {
	half int

	mu                sync.RWMutex
	current, previous map[Key]when
	floor             int64 // Unix milliseconds; issued at or before it: revoked
	watchers          map[int]func([]Entry)
	watched           int

	generation atomic.Uint64
}

// when is an entry without its key, for a million of them.
type when struct {
	at, until int64
	always    bool
}

// with revokes all that either does.
func (w when) with(e Entry) when {
	if e.At > w.at {
		w.at = e.At
	}
	if e.Until > w.until {
		w.until = e.Until
	}
	w.always = w.always || e.Always
	return w
}

// NewIndex holds at most bound entries, at least two.
func NewIndex(bound int) *Index {
	half := bound / 2
	if half < 1 {
		half = 1
	}
	x := &Index{half: half, current: map[Key]when{}, watchers: map[int]func([]Entry){}}
	x.generation.Store(1)
	return x
}

// Generation moves on with each entry. It begins at 1, so that 0 is none.
func (x *Index) Generation() uint64 { return x.generation.Load() }

// Size is how many entries are held.
func (x *Index) Size() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.current) + len(x.previous)
}

// Watch has f called with new entries, once they count, until Unwatch is called
// with what it returns. With none: whether the log is to be trusted has changed.
func (x *Index) Watch(f func([]Entry)) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.watched++
	x.watchers[x.watched] = f
	return x.watched
}

// Unwatch ends a Watch.
func (x *Index) Unwatch(id int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.watchers, id)
}

// Add has the entries count that are not over by now (Unix seconds), and says how
// many of them say something new.
func (x *Index) Add(entries []Entry, now int64) int {
	x.mu.Lock()
	fresh := x.insert(entries, now)
	x.mu.Unlock()
	if fresh > 0 {
		x.tell(entries)
	}
	return fresh
}

// Touch moves the generation on, and tells the watchers: whether the log is to
// be trusted has changed.
func (x *Index) Touch() {
	x.mu.Lock()
	x.generation.Add(1)
	x.mu.Unlock()
	x.tell(nil)
}

// Lengthen has no entry be over before what it revokes is, by these lives in
// seconds.
func (x *Index) Lengthen(own, dated int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, generation := range []map[Key]when{x.current, x.previous} {
		for key, e := range generation {
			least := e.at/1000 + dated
			if e.always {
				least = e.at/1000 + own
			}
			if e.until < least {
				e.until = least
				generation[key] = e
			}
		}
	}
}

func (x *Index) tell(entries []Entry) {
	x.mu.RLock()
	var list []func([]Entry)
	for _, f := range x.watchers {
		list = append(list, f)
	}
	x.mu.RUnlock()
	for _, f := range list {
		f(entries)
	}
}

func (x *Index) find(key Key) when {
	known, found := x.current[key]
	if !found {
		known = x.previous[key]
	}
	return known
}

// insert is one loop with hardly a call, for a million entries when interpreted.
// Of two entries of one key it keeps what revokes all that either does.
func (x *Index) insert(entries []Entry, now int64) int {
	fresh := 0
	for i := range entries {
		e := entries[i]
		known := x.current[e.Key]
		if known.until == 0 {
			known = x.previous[e.Key]
		}
		if e.Until <= now || e.At <= known.at && e.Until <= known.until && (known.always || !e.Always) {
			continue
		}
		if known.at > e.At {
			e.At = known.at
		}
		if known.until > e.Until {
			e.Until = known.until
		}
		if len(x.current) >= x.half {
			x.turn(now)
		}
		x.current[e.Key] = when{at: e.At, until: e.Until, always: e.Always || known.always}
		fresh++
	}
	if fresh > 0 {
		x.generation.Add(1)
	}
	return fresh
}

// turn makes room: what can no longer matter goes, and the older half with it
// where that is not enough.
func (x *Index) turn(now int64) {
	for key, e := range x.current {
		if e.until <= now {
			delete(x.current, key)
		}
	}
	if len(x.current) <= x.half/2 {
		return // or the next turn would come soon
	}
	for _, e := range x.previous {
		if e.until > now && e.at > x.floor {
			x.floor = e.at
		}
	}
	x.previous = x.current
	x.current = map[Key]when{}
}

// Undated is the time of issue of a credential that what was pushed out says
// nothing about: its store knows better. An entry revokes it whenever it was
// issued.
const Undated = -1

// Knows says whether the entry would say nothing new. One that counts Always says
// nothing more than an earlier one of its key: what it names had begun by then,
// and is over before that is.
func (x *Index) Knows(e Entry, now int64) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	known := x.find(e.Key)
	if known.until <= now {
		return false
	}
	return e.Always && known.always || e.At <= known.at && e.Until <= known.until && !e.Always
}

// live are the entries that are not over, without those that the other map has.
func (x *Index) live(without map[Key]when, now int64) []Entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var list []Entry
	for _, generation := range []map[Key]when{x.current, x.previous} {
		for key, e := range generation {
			there := without[key]
			if e.until > now && (e.at > there.at || e.until > there.until || e.always && !there.always) {
				list = append(list, Entry{Key: key, At: e.at, Until: e.until, Always: e.always})
			}
		}
	}
	return list
}

// Revoked says whether one of the keys is revoked for what was issued then
// (Unix milliseconds, or Undated).
func (x *Index) Revoked(issued int64, keys []Key) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.floor > 0 && issued <= x.floor && issued != Undated {
		return true
	}
	for _, key := range keys {
		if e := x.find(key); e.until != 0 && (e.always || issued <= e.at) {
			return true
		}
	}
	return false
}
