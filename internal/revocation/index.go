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
	current, previous map[Key]Entry
	floor             int64 // Unix milliseconds; issued at or before it: revoked
	watchers          map[int]func(Entry)
	watched           int

	generation atomic.Uint64
}

// NewIndex holds at most bound entries, at least two.
func NewIndex(bound int) *Index {
	half := bound / 2
	if half < 1 {
		half = 1
	}
	x := &Index{half: half, current: map[Key]Entry{}, watchers: map[int]func(Entry){}}
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

// Watch has f called for each new entry, once it counts, until Unwatch is called
// with what it returns.
func (x *Index) Watch(f func(Entry)) int {
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

// Add has the entry count, and says whether it is new.
func (x *Index) Add(e Entry, now int64) bool {
	x.mu.Lock()
	known := x.find(e.Key)
	fresh := e.Until > now && (known.Until < e.Until || known.At < e.At)
	if fresh {
		x.insert(merge(known, e), now)
	}
	watchers := x.watching(fresh)
	x.mu.Unlock()
	for _, f := range watchers {
		f(e)
	}
	return fresh
}

// Touch moves the generation on, and tells the watchers: whether the log is to
// be trusted has changed.
func (x *Index) Touch() {
	x.mu.Lock()
	x.generation.Add(1)
	watchers := x.watching(true)
	x.mu.Unlock()
	for _, f := range watchers {
		f(Entry{})
	}
}

func (x *Index) watching(any bool) []func(Entry) {
	if !any {
		return nil
	}
	var list []func(Entry)
	for _, f := range x.watchers {
		list = append(list, f)
	}
	return list
}

func (x *Index) find(key Key) Entry {
	e, found := x.current[key]
	if !found {
		e = x.previous[key]
	}
	return e
}

// merge is the entry that revokes all that either does.
func merge(a, b Entry) Entry {
	if a.At > b.At {
		b.At = a.At
	}
	if a.Until > b.Until {
		b.Until = a.Until
	}
	return b
}

func (x *Index) insert(e Entry, now int64) {
	if len(x.current) >= x.half {
		x.turn(now)
	}
	x.current[e.Key] = e
	x.generation.Add(1)
}

// turn makes room: what can no longer matter goes, and the older half with it
// where that is not enough.
func (x *Index) turn(now int64) {
	for key, e := range x.current {
		if e.Until <= now {
			delete(x.current, key)
		}
	}
	if len(x.current) <= x.half/2 {
		return // or the next turn would come soon
	}
	for _, e := range x.previous {
		if e.Until > now && e.At > x.floor {
			x.floor = e.At
		}
	}
	x.previous = x.current
	x.current = map[Key]Entry{}
}

// Undated is the time of issue of a credential that what was pushed out says
// nothing about: its store knows better. An entry revokes it whenever it was
// issued.
const Undated = -1

// Revoked says whether one of the keys is revoked for what was issued then
// (Unix milliseconds, or Undated).
func (x *Index) Revoked(issued int64, keys []Key) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.floor > 0 && issued <= x.floor && issued != Undated {
		return true
	}
	for _, key := range keys {
		if e := x.find(key); e.Until != 0 && issued <= e.At {
			return true
		}
	}
	return false
}
