package cache

import "reflect"

// backfill is what Redis had, on its way into memory.
type backfill struct {
	visit visit
	held  *held
}

// offer makes nobody wait: with the queue full the backfill is dropped, and the
// next hit in Redis offers it again.
func (t *Tiered) offer(b *backfill) {
	if !reflect.ValueOf(t.queue).TrySend(reflect.ValueOf(b)) {
		t.dropped.Add(1)
	}
}

// work is the one goroutine that backfills.
func (t *Tiered) work() {
	for t.next() {
	}
	close(t.ended)
}

// next does one backfill, or returns false at the end.
func (t *Tiered) next() bool {
	// No select: see internal/wait.
	chosen, value, _ := reflect.Select([]reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(t.closing)},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(t.queue)},
	})
	if chosen == 0 {
		return false
	}
	b, ok := value.Interface().(*backfill)
	if ok {
		t.backfill(b)
	}
	return true
}

func (t *Tiered) backfill(b *backfill) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if recover() != nil {
			t.panics.Add(1)
		}
	}()
	if t.fill(b.visit, b.held.value, b.held.left) {
		t.backfilled.Add(1)
	} else {
		t.overtaken.Add(1)
	}
}
