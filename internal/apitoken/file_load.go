package apitoken

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

// patience is how long the request that found the file changed waits for what is
// in it now. The others go on with what was.
const patience = 20 * time.Millisecond

// check looks at the file if the window is over.
func (f *File) check(ctx context.Context) {
	now := f.now()
	f.mu.RLock()
	due := f.due(now)
	f.mu.RUnlock()
	if due {
		f.look(ctx, now)
	}
}

// due is true, too, when the clock was put back by more than a window. A little
// is how late a request may be that read the clock before another looked.
func (f *File) due(now time.Time) bool {
	age := now.Sub(f.checked)
	return age >= f.every || age <= -f.every
}

// look is for one request in each window: those that came as far find the window
// begun anew.
func (f *File) look(ctx context.Context, now time.Time) {
	if !f.beginWindow(now) {
		return
	}
	info, err := os.Stat(f.path)
	if err != nil {
		info = nil
	}
	done := f.beginLoad(info)
	if done == nil {
		return
	}
	go f.load(done)
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = wait.For(patient, done)
}

func (f *File) beginWindow(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.due(now) {
		return false
	}
	f.checked = begun(now)
	f.checks++
	return true
}

// begun is when a window began: on a whole second, since that is how callers
// count for how long an answer stands. Between its last whole second and its end
// none would.
func begun(now time.Time) time.Time { return now.Truncate(time.Second) }

// beginLoad returns nil if there is nothing to load, or somebody is about it.
// While the file is of no use it is tried again in each window: what is wrong
// with it need not show in its time and size.
func (f *File) beginLoad(info os.FileInfo) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.failing && f.set.isOf(info) {
		f.known = f.checked
		return nil
	}
	if f.loading {
		f.again = true
		return nil
	}
	f.loading = true
	return make(chan struct{})
}

// isOf says whether the set is what that file has, nil being none. Beside time
// and size it looks at the mode, and at whether it is the same file: a symbolic
// link may lead to another by now.
func (s *set) isOf(info os.FileInfo) bool {
	if s.info == nil || info == nil {
		return s.info == nil && info == nil
	}
	return s.info.ModTime().Equal(info.ModTime()) && s.info.Size() == info.Size() &&
		s.info.Mode() == info.Mode() && os.SameFile(s.info, info)
}

// load runs in a goroutine of its own, one at a time.
func (f *File) load(done chan struct{}) {
	for more := true; more; {
		f.loadSafely()
		more = f.loadMore()
	}
	close(done)
}

func (f *File) loadMore() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	more := f.again
	f.again = false
	f.loading = more
	if !more {
		f.known = f.checked
	}
	return more
}

func (f *File) loadSafely() {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if recover() != nil {
			f.failed(errors.New("panic"))
		}
	}()
	f.loadNow()
}

// loadNow has the file's tokens in force, unless a writer of this process was
// quicker: what was read may be older than what that one wrote.
//
//	loader                 writer
//	set 7 is in force
//	reads the file
//	                       writes the file
//	                       set 8 is in force
//	7 is not 8: reads again
//
// Nor if it reads what such a writer has just written and will have in force in a
// moment: that is no edit from outside.
func (f *File) loadNow() {
	for {
		base, swaps := f.inForce()
		next, err := f.readSet(base)
		if err != nil {
			f.failed(err)
			return
		}
		if f.isOwn(next) {
			return
		}
		dead := differences(base, next)
		if f.swap(next, swaps) {
			f.healed()
			f.tell(dead)
			return
		}
	}
}

func (f *File) inForce() (*set, int64) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.set, f.swaps
}

func (f *File) isOwn(next *set) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.own != "" && next.digest == f.own
}

// swap has the set in force, in place of the one that was when swaps was read.
func (f *File) swap(next *set, swaps int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.swaps != swaps {
		return false
	}
	if next.digest != f.set.digest {
		f.generation++
		f.loads++
	}
	f.set = next
	f.blank = false
	f.swaps++
	return true
}

// differences are the secrets of the tokens that are in the one set, and not the
// same in the other.
func differences(base, next *set) []Secret {
	if base.digest == next.digest {
		return nil
	}
	gone := map[string]Token{}
	for id, t := range base.tokens {
		if other, found := next.tokens[id]; !found || !t.same(other) {
			gone[id] = t
		}
	}
	dead := make([]Secret, 2*len(gone))
	n := 0
	for id, t := range gone {
		for _, hash := range t.Hashes() {
			dead[n] = Secret{ID: id, Hash: hash}
			n++
		}
	}
	return dead[:n]
}

// maxGone bounds the ids that are remembered to have been taken out.
const maxGone = 100000

// missed remembers which of the tokens are no longer there.
func (f *File) missed(dead []Secret) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone == nil || len(f.gone)+len(dead) > maxGone {
		f.gone = map[string]bool{}
	}
	for _, s := range dead {
		if _, found := f.set.tokens[s.ID]; !found && len(f.gone) < maxGone {
			f.gone[s.ID] = true
		}
	}
}

func (f *File) tell(dead []Secret) {
	if len(dead) > 0 {
		f.missed(dead)
	}
	if f.changed != nil && len(dead) > 0 {
		f.changed(dead)
	}
}

// failed counts, and is logged once until the file can be used again.
func (f *File) failed(err error) {
	f.mu.Lock()
	first := !f.failing
	f.failing = true
	f.trouble = err
	f.failures++
	blank := f.blank
	f.mu.Unlock()
	switch {
	case first && blank:
		f.report(slog.LevelError, "the token file cannot be used; API tokens get 503 until it can", err)
	case first:
		f.report(slog.LevelError, "the token file cannot be used; what it held before stays in force", err)
	}
}

func (f *File) healed() {
	f.mu.Lock()
	failing := f.failing
	f.failing = false
	f.mu.Unlock()
	if failing {
		f.report(slog.LevelInfo, "the token file can be used again", nil)
	}
}
