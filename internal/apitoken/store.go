package apitoken

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
)

var (
	// ErrNotFound says that there is no token of that id.
	ErrNotFound = errors.New("no such token")
	// ErrExists says that there is a token of that id.
	ErrExists = errors.New("there is a token of that id")
	// ErrTooMany says that the owner has as many tokens as may be.
	ErrTooMany = errors.New("as many tokens as an owner may have")
	// ErrUnavailable says that the store cannot be asked or written. A write to
	// Redis that ends with it may have happened.
	ErrUnavailable = errors.New("token store unavailable")
)

// usedEvery is how often a token's use is written down, in seconds.
const usedEvery = 60

// Store keeps tokens. All methods may be called at once from any number of
// goroutines. An error that is not one of those named, nor wraps ErrUnavailable,
// is about what was to be written. One that wraps cache.ErrUnreadable says that
// there is a record which cannot be read here, and nothing was done about it.
type Store interface {
	// Find returns the token of that id as far as this process knows: another
	// process' or replica's write may show later. found=false is no error.
	Find(ctx context.Context, id string) (t Token, found bool, err error)

	// Fresh is Find past what this process remembers, where that differs.
	Fresh(ctx context.Context, id string) (t Token, found bool, err error)

	// Create adds a token. ErrExists if there is one of that id; ErrInvalid;
	// ErrTooMany if its owner has as many as most already, unless that is 0. However
	// many are created at once, there are never more.
	Create(ctx context.Context, t Token, most int) error

	// Update changes a token, one change at a time: change gets the token as it
	// is stored, whatever Find says, and returns the next, with the same id, owner
	// and time of creation. An error of change is returned as it is, and nothing
	// changes. ErrNotFound; ErrInvalid.
	Update(ctx context.Context, id string, change func(Token) (Token, error)) (Token, error)

	// Delete removes a token, and returns what was removed. ErrNotFound.
	Delete(ctx context.Context, id string) (Token, error)

	// List returns the tokens of the owner, or with "" everybody's: the oldest
	// first, then by id. Beside cache.ErrUnreadable they are those that could be
	// read.
	List(ctx context.Context, owner string) ([]Token, error)

	// Used notes that the token was used at that time, Unix seconds. It is written
	// down at most once a minute for each token. It never fails, and makes nobody
	// wait.
	Used(ctx context.Context, id string, now int64)

	// LastUse says when tokens were used last, Unix seconds. One that is absent was
	// never, or it is not known.
	LastUse(ctx context.Context, ids []string) (map[string]int64, error)

	// Until is the time until which what Find says may be relied upon without
	// asking again. The zero time: the store has no bound of its own.
	Until(now time.Time) time.Time

	// Stats returns the counters for metrics.
	Stats() Stats
}

// Stats says how things stand, and counts since the store was opened. The Redis
// store leaves all at zero.
type Stats struct {
	Tokens     int64 // there are now
	Generation int64 // moves on with each change, from outside or not
	Loads      int64 // sets of tokens taken over from the file, the first included
	Failures   int64 // times that the file was looked at and could not be used
	Checks     int64 // times that the file was looked at
}

// changed is what change makes of the token, in the bounds of Update.
func changed(t Token, change func(Token) (Token, error)) (Token, error) {
	given := t
	given.Scopes = append([]string(nil), t.Scopes...)
	next, err := change(given)
	if err != nil {
		return Token{}, err
	}
	if next.ID != t.ID || next.Owner != t.Owner || next.Created != t.Created {
		return Token{}, fmt.Errorf("%w: %s: another id, owner or time of creation", ErrInvalid, t.ID)
	}
	if err := next.Validate(); err != nil {
		return Token{}, err
	}
	return next, nil
}

// unavailable is an error of whatever the store is kept in. That one's sentinels
// mean nothing to the store's callers, but for cache.ErrUnreadable.
func unavailable(operation string, err error) error {
	if errors.Is(err, cache.ErrUnreadable) {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return fmt.Errorf("%s: %w: %v", operation, ErrUnavailable, err)
}
