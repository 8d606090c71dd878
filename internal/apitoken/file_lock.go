package apitoken

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// deadAfter is the age of a lock, by the file system's time, whose holder is
	// taken for dead. A holder counts on it for a little less.
	deadAfter = 10 * time.Second
	holdFor   = 8 * time.Second
	// lockPoll is how often a writer without the lock looks again.
	lockPoll = 5 * time.Millisecond
)

// lock is a file that is there while somebody writes. Who makes it has it: of
// several only one does (O_EXCL). It holds a random id of the holder.
//
// A lock is removed under a guard only, a file named after exactly this lock
// (its holder and time), which again only one makes; and only if the lock is
// still that one. So two that take over a dead writer's lock do not both win:
//
//	taker A                      taker B
//	sees the old lock, H         sees the old lock, H
//	makes the guard of H
//	the lock is still H          the guard of H is there: looks again later
//	removes the lock
//	removes the guard
//	makes the lock, A
//	                             makes the guard of H
//	                             the lock is A, not H: leaves it
//	                             removes the guard, waits for A
//
// Without the second look B would remove A's lock; without the guard A could
// make its lock between B's second look and its removal. A holder that is not
// dead but slow removes its own lock in the same way, and finds out (renew) that
// it was taken over before it puts its file in place. A guard whose maker died is
// old, too, and is removed like a lock, under a guard of its own.
//
// What no file can rule out: a process that sleeps for seconds between two calls
// to the system, just after it looked.
type lock struct {
	path   string
	holder string
}

// sight is a lock or guard as one open file showed it.
type sight struct {
	holder string
	id     string // of this very lock: its content and time
	age    time.Duration
}

func seen(path string) (sight, error) {
	file, err := os.Open(path)
	if err != nil {
		return sight{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return sight{}, err
	}
	content, err := io.ReadAll(io.LimitReader(file, 256))
	if err != nil {
		return sight{}, err
	}
	made := info.ModTime()
	id := hashOf(fmt.Sprintf("%s %d", content, made.UnixNano()))[:16]
	// The file's time is of the system's clock, whatever clock the store has.
	return sight{holder: string(content), id: id, age: time.Since(made)}, nil
}

// takeLock waits for the lock until ctx ends.
func takeLock(ctx context.Context, path string) (*lock, error) {
	l := &lock{path: path, holder: randomHex(16)}
	for {
		err := makeFile(path, l.holder)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		l.clear(path)
		if err := wait.Pause(ctx, lockPoll); err != nil {
			return nil, fmt.Errorf("wait for whoever has %q: %w", path, err)
		}
	}
}

// makeFile lets others read whose lock it is, and how old: a writer that runs as
// another user may have to clear it away.
func makeFile(path, content string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	if failed := file.Close(); err == nil {
		err = failed
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

// clear removes the lock, or a guard, if it is a dead one's.
func (l *lock) clear(path string) {
	s, err := seen(path)
	if err == nil && s.age > deadAfter {
		l.remove(path, s.id)
	}
}

// remove removes the lock, or a guard, if it is still that one.
func (l *lock) remove(path, id string) {
	guard := l.path + "." + id
	if err := makeFile(guard, l.holder+randomHex(8)); err != nil {
		if errors.Is(err, fs.ErrExist) {
			l.clear(guard)
		}
		return
	}
	s, err := seen(path)
	if err == nil && s.id == id {
		_ = os.Remove(path)
	}
	_ = os.Remove(guard)
}

// renew makes the lock new, or fails when it is another's by now, or may be in a
// moment.
func (l *lock) renew() error {
	s, err := seen(l.path)
	if err != nil || s.holder != l.holder || s.age > holdFor {
		return fmt.Errorf("the lock %q was lost: another writer took this one for dead", l.path)
	}
	now := time.Now()
	return os.Chtimes(l.path, now, now)
}

// release removes the lock if it is still this holder's.
func (l *lock) release() {
	s, err := seen(l.path)
	if err == nil && s.holder == l.holder {
		l.remove(l.path, s.id)
	}
}
