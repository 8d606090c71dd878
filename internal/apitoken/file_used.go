package apitoken

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
)

// uses is when the tokens of a shadow file were used last, in memory and in a
// file beside it, {id:unix}. It may lose a minute: nobody is let in or out by it.
type uses struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex       // never held while all of them are gone through
	times   map[string]int64 // not written to
	pending map[string]int64 // noted since, being written; not written to
	noted   map[string]int64 // noted since
	written int64            // when, in the time of the notes
	busy    bool             // somebody is about to write
	closed  bool

	writing sync.Mutex
}

// openUses reads the file. It is only a file of times: one that is missing or
// bad is begun anew.
func openUses(path string, log *slog.Logger) *uses {
	u := &uses{path: path, log: log, noted: map[string]int64{}}
	times, err := readUses(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		u.report("the times of the tokens' last use cannot be read", err)
	}
	u.times = times
	return u
}

func readUses(path string) (map[string]int64, error) {
	times := map[string]int64{}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return times, err
	}
	file, err := os.Open(path)
	if err != nil {
		return times, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return times, err
	}
	if err := json.Unmarshal(content, &times); err != nil || times == nil {
		return map[string]int64{}, err
	}
	return times, nil
}

// note says whether the caller is to have it written: once a minute somebody is.
func (u *uses) note(id string, now int64, exists func(id string) bool) bool {
	u.mu.Lock()
	known := within(now, u.get(id))
	u.mu.Unlock()
	if known || !exists(id) {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.noted[id] = now
	if u.busy || u.closed || within(now, u.written) {
		return false
	}
	u.busy = true
	u.written = now
	return true
}

// within is false for a time in the future, which a clock that was wrong left.
func within(now, last int64) bool { return now >= last && now-last < usedEvery }

func (u *uses) get(id string) int64 {
	if at := u.noted[id]; at != 0 {
		return at
	}
	if at := u.pending[id]; at != 0 {
		return at
	}
	return u.times[id]
}

func (u *uses) last(ids []string) map[string]int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	found := map[string]int64{}
	for _, id := range ids {
		if at := u.get(id); at > 0 {
			found[id] = at
		}
	}
	return found
}

// write runs in a goroutine of its own, or at the end.
func (u *uses) write(exists func(id string) bool) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		_ = recover()
	}()
	u.writing.Lock()
	defer u.writing.Unlock()
	if err := u.writeNow(exists); err != nil {
		u.report("the times of the tokens' last use cannot be written", err)
	}
}

// writeNow takes over what other processes noted, and leaves out tokens that are
// gone. Two that write at once may lose each other's notes, of a minute.
func (u *uses) writeNow(exists func(id string) bool) error {
	times, pending := u.begin()
	if len(pending) == 0 {
		return nil
	}
	theirs, _ := readUses(u.path)
	all := map[string]int64{}
	for _, some := range []map[string]int64{times, theirs, pending} {
		for id, at := range some {
			if at > all[id] && exists(id) {
				all[id] = at
			}
		}
	}
	u.end(all)
	content, err := json.Marshal(all)
	if err != nil {
		return err
	}
	_, err = replace(u.path, content, nil, func() error { return nil })
	return err
}

func (u *uses) begin() (times, pending map[string]int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.busy = false
	u.pending = u.noted
	u.noted = map[string]int64{}
	return u.times, u.pending
}

func (u *uses) end(times map[string]int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.times = times
	u.pending = nil
}

func (u *uses) close(exists func(id string) bool) {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	u.write(exists)
}

func (u *uses) report(message string, err error) {
	if u.log != nil {
		u.log.Debug(message, "file", u.path, "error", err.Error())
	}
}
