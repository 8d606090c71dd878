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
// or with keep=false nothing.
type step = func(t Token, found bool) (next Token, keep bool, err error)

// Create implements Store.
func (f *File) Create(ctx context.Context, t Token) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("create token: %w", err)
	}
	_, err := f.write(ctx, "create token", t.ID, func(_ Token, found bool) (Token, bool, error) {
		if found {
			return Token{}, false, ErrExists
		}
		return t, true, nil
	})
	return err
}

// Update implements Store.
func (f *File) Update(ctx context.Context, id string, change func(Token) (Token, error)) (Token, error) {
	return f.write(ctx, "update token", id, func(t Token, found bool) (Token, bool, error) {
		if !found {
			return Token{}, false, ErrNotFound
		}
		next, err := changed(t, change)
		return next, true, err
	})
}

// Delete implements Store.
func (f *File) Delete(ctx context.Context, id string) (Token, error) {
	return f.write(ctx, "delete token", id, func(t Token, found bool) (Token, bool, error) {
		if !found {
			return Token{}, false, ErrNotFound
		}
		return t, false, nil
	})
}

// write returns what the step returned. What others edited meanwhile is told
// when nothing is locked any more.
func (f *File) write(ctx context.Context, operation, id string, do step) (Token, error) {
	t, dead, err := f.writeInTurn(ctx, id, do)
	f.tell(dead)
	if err == nil {
		return t, nil
	}
	if errors.Is(err, errFile) {
		err = unavailable(operation, err)
	}
	return Token{}, err
}

// errFile is trouble with the file; any other is the step's.
var errFile = errors.New("write token file")

func troubleWith(err error) error { return fmt.Errorf("%w: %w", errFile, err) }

// writeInTurn lets one writer of this process after the other ask for the lock.
func (f *File) writeInTurn(ctx context.Context, id string, do step) (Token, []Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if err := wait.For(ctx, f.turn); err != nil {
		return Token{}, nil, troubleWith(fmt.Errorf("wait for other writers: %w", err))
	}
	defer f.endTurn()
	held, err := takeLock(ctx, f.path+".lock")
	if err != nil {
		return Token{}, nil, troubleWith(err)
	}
	defer held.release()
	sweep(f.path)
	return f.writeLocked(held, id, do)
}

func (f *File) endTurn() { f.turn <- struct{}{} }

// writeLocked reads the file again, so that no edit made since is lost, and puts
// what the step makes of it in its place.
func (f *File) writeLocked(held *lock, id string, do step) (Token, []Secret, error) {
	base, _ := f.inForce()
	found, err := readSet(f.path, base)
	if err != nil {
		return Token{}, nil, troubleWith(err)
	}
	t, there := found.tokens[id]
	t.ID = id
	t, keep, err := do(t, there)
	if err != nil {
		return Token{}, nil, err
	}
	next, err := f.put(held, found, found.with(id, t, keep))
	if err != nil {
		return Token{}, nil, troubleWith(err)
	}
	return t, f.enforce(found, next), nil
}

// with is the set's tokens with that one changed.
func (s *set) with(id string, t Token, keep bool) map[string]Token {
	tokens := make(map[string]Token, len(s.tokens)+1)
	for k, v := range s.tokens {
		tokens[k] = v
	}
	delete(tokens, id)
	if keep {
		t.ID = ""
		tokens[id] = t
	}
	return tokens
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
	f.swaps++
	f.generation++
	f.own = ""
	return true
}
