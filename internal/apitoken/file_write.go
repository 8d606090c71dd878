package apitoken

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

// writeWithin bounds the wait for other writers: longer than a dead one's lock
// is respected.
const writeWithin = 15 * time.Second

// step is what a write makes of the token with that id, if there is one: next,
// or with keep=false nothing. All are the tokens as they are by then.
type step = func(all map[string]Token, t Token, found bool) (next Token, keep bool, err error)

// Create implements Store.
func (f *File) Create(ctx context.Context, t Token, most int) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("create token: %w", err)
	}
	_, err := f.write(ctx, "create token", &job{id: t.ID, do: func(all map[string]Token, _ Token, found bool) (Token, bool, error) {
		if found {
			return Token{}, false, ErrExists
		}
		if most > 0 && ownedBy(all, t.Owner) >= most {
			return Token{}, false, fmt.Errorf("%w: %d", ErrTooMany, most)
		}
		return t, true, nil
	}})
	return err
}

func ownedBy(all map[string]Token, owner string) int {
	n := 0
	for _, t := range all {
		if t.Owner == owner {
			n++
		}
	}
	return n
}

// Update implements Store.
func (f *File) Update(ctx context.Context, id string, change func(Token) (Token, error)) (Token, error) {
	t, err := f.write(ctx, "update token", &job{id: id, do: func(_ map[string]Token, t Token, found bool) (Token, bool, error) {
		if !found {
			return Token{}, false, ErrNotFound
		}
		next, err := changed(t, change)
		return next, true, err
	}})
	return t, err
}

// Delete implements Store. It comes before whatever else waits to be written.
func (f *File) Delete(ctx context.Context, id string) (Token, error) {
	t, err := f.write(ctx, "delete token", &job{id: id, first: true, do: func(_ map[string]Token, t Token, found bool) (Token, bool, error) {
		if !found {
			return Token{}, false, ErrNotFound
		}
		return t, false, nil
	}})
	return t, err
}

// write returns what the job's step returned.
func (f *File) write(ctx context.Context, operation string, j *job) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	j.done = make(chan struct{})
	if f.queue.add(j) {
		go f.writeQueue()
	}
	if err := wait.For(ctx, j.done); err != nil {
		f.queue.drop(j)
		return Token{}, unavailable(operation, fmt.Errorf("wait for other writers: %w", err))
	}
	if errors.Is(j.err, errFile) {
		return Token{}, unavailable(operation, j.err)
	}
	if j.err != nil {
		return Token{}, j.err
	}
	return j.t, nil
}

// errFile is trouble with the file; any other is the step's.
var errFile = errors.New("write token file")

func troubleWith(err error) error { return fmt.Errorf("%w: %w", errFile, err) }

// writeLocked writes the file once for all of the jobs. It reads it again, so that no
// edit made since is lost, and puts what the steps make of it in its place.
func (f *File) writeLocked(held *lock, jobs []*job) (dead []Secret, err error) {
	defer held.release()
	sweep(f.path)
	base, _ := f.inForce()
	found, err := f.readSet(base)
	if err != nil {
		return nil, err
	}
	tokens, edited := found.with(jobs)
	if !edited {
		return nil, nil
	}
	next, err := f.put(held, found, tokens)
	if err != nil {
		return nil, err
	}
	return f.enforce(found, next), nil
}

// with is the set's tokens as the jobs leave them, one after the other, and whether
// any of them left its mark.
func (s *set) with(jobs []*job) (tokens map[string]Token, edited bool) {
	tokens = make(map[string]Token, len(s.tokens)+len(jobs))
	for id, t := range s.tokens {
		tokens[id] = t
	}
	for _, j := range jobs {
		if j.apply(tokens) {
			edited = true
		}
	}
	return tokens, edited
}

// put has the tokens in the file.
func (f *File) put(held *lock, found *set, tokens map[string]Token) (*set, error) {
	content, err := render(tokens)
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%d bytes, want at most %d: delete tokens that have expired", len(content), maxFile)
	}
	next := &set{tokens: tokens, digest: digestOf(content)}
	f.expect(next.digest)
	info, err := replace(f.path, content, found.info, func() error {
		if err := held.renew(); err != nil {
			return err
		}
		return found.stillAt(f.path)
	})
	if err != nil {
		f.expect("")
		return nil, err
	}
	next.info = info
	return next, nil
}

// expect lets the loader know whose content it is that it may find in the file.
func (f *File) expect(digest string) {
	f.mu.Lock()
	f.own = digest
	f.mu.Unlock()
}

// enforce has next in force, which is found and this process' change, and
// returns the secrets that are dead in found: others edited it meanwhile.
func (f *File) enforce(found, next *set) []Secret {
	for {
		base, swaps := f.inForce()
		dead := differences(base, found)
		if f.swapOwn(next, swaps, base.digest != found.digest) {
			f.healed()
			return dead
		}
	}
}

func (f *File) swapOwn(next *set, swaps int64, edited bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.swaps != swaps {
		return false
	}
	if edited {
		f.loads++
		f.generation++
	}
	f.set = next
	f.blank = false
	f.swaps++
	f.generation++
	f.own = ""
	return true
}
