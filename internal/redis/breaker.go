package redis

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	failuresToOpen = 3           // in a row
	probeEvery     = time.Second // while open
)

// breaker stops commands while their server is away. It is suspected of that when
// three commands in a row failed, or when one timed out and no other was answered
// meanwhile. Then a probe decides, on a connection of its own: commands may also
// fail because of what they are, or because this machine is busy. A probe that is
// not answered opens the breaker: all fail at once, until another, of which there
// is one a second, is answered.
//
// epoch and answers are read without the lock, by every command.
type breaker struct {
	now     func() time.Time
	answers atomic.Int64
	epoch   atomic.Int64 // odd: open. Moves on at each change, so that late failures of an earlier time do not count

	mu       sync.Mutex
	failures int   // in a row
	answered int64 // answers at the last failure
	probing  bool
	probeAt  time.Time
}

func isOpen(epoch int64) bool { return epoch%2 == 1 }

// failed counts the failure of a command that began at this epoch, with so many
// answers till then. It says whether the caller is to ask the server; then it must
// call judged.
func (b *breaker) failed(epoch, answers int64, timeout bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch != b.epoch.Load() || isOpen(epoch) || b.probing {
		return false
	}
	answered := b.answers.Load()
	if answered != b.answered {
		b.answered = answered
		b.failures = 0
	}
	b.failures++
	if b.failures < failuresToOpen && !(timeout && answers == answered) {
		return false
	}
	b.probing = true
	return true
}

// judged ends a suspicion, and opens the breaker unless the probe was answered.
func (b *breaker) judged(f *failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	b.failures = 0
	if f == nil {
		b.answers.Add(1)
		return
	}
	b.probeAt = b.now().Add(probeEvery)
	b.epoch.Add(1)
}

// probe says whether the caller is to try whether the server is back; then it
// must call probed.
func (b *breaker) probe() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.probing || b.now().Before(b.probeAt) {
		return false
	}
	b.probing = true
	return true
}

// probed ends a probe. One that says nothing, as its caller left, leaves it to
// the next caller. The breaker may be closed by now: its caller saw it open just
// before another's probe was answered.
func (b *breaker) probed(f *failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if f == nil && isOpen(b.epoch.Load()) {
		b.epoch.Add(1)
	}
	if f != nil && !f.caller {
		b.probeAt = b.now().Add(probeEvery)
	}
}

func (b *breaker) state() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !isOpen(b.epoch.Load()) {
		return "closed"
	}
	if b.probing {
		return "half-open"
	}
	return "open"
}
