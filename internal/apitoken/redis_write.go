package apitoken

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// leaseFor is how long a writer has a token for itself. It counts on a little
	// less, and waits for another for a little more.
	leaseFor    = 10 * time.Second
	leaseMargin = 2 * time.Second
	leasePoll   = 20 * time.Millisecond
)

// Create implements Store. The index comes first: a record that is in no list
// would be a token that nobody sees and revokes.
func (r *Redis) Create(ctx context.Context, t Token, most int) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("create token: %w", err)
	}
	value, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("create token: %w", err)
	}
	return r.alone(ctx, "create token", t.ID, func(ctx context.Context) error {
		if err := r.enlist(ctx, t); err != nil {
			return unavailable("create token", err)
		}
		if err := r.makeRoom(ctx, t, most); err != nil {
			return err
		}
		added, err := r.records.Add(ctx, recordKey(t.ID), value, r.life(t))
		if err != nil {
			return unavailable("create token", err)
		}
		if !added {
			return ErrExists
		}
		return nil
	})
}

// Update implements Store. It writes in place of what is there only, so that a
// token which was deleted does not come back.
func (r *Redis) Update(ctx context.Context, id string, change func(Token) (Token, error)) (Token, error) {
	var result Token
	err := r.alone(ctx, "update token", id, func(ctx context.Context) error {
		t, err := r.stored(ctx, id)
		if err != nil {
			return err
		}
		next, err := changed(t, change)
		if err != nil {
			return err
		}
		value, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("update token: %w", err)
		}
		replaced, err := r.records.Replace(ctx, recordKey(id), value, r.life(next))
		if err != nil {
			return unavailable("update token", err)
		}
		if !replaced {
			return ErrNotFound
		}
		result = next
		return nil
	})
	return result, err
}

// Delete implements Store. The record goes first; what then remains of the token
// in the lists, List clears away.
func (r *Redis) Delete(ctx context.Context, id string) (Token, error) {
	var result Token
	err := r.alone(ctx, "delete token", id, func(ctx context.Context) error {
		t, err := r.stored(ctx, id)
		if err != nil {
			return err
		}
		if err := r.records.Delete(ctx, recordKey(id)); err != nil {
			return unavailable("delete token", err)
		}
		r.delist(ctx, t.Owner, id)
		result = t
		return nil
	})
	return result, err
}

// stored is the token as Redis has it, or ErrNotFound.
func (r *Redis) stored(ctx context.Context, id string) (Token, error) {
	t, found, err := r.Fresh(ctx, id)
	if err != nil {
		return Token{}, err
	}
	if !found {
		return Token{}, ErrNotFound
	}
	return t, nil
}

// alone lets one writer at a time write the token, in this process and among all
// replicas. A dead replica's lease runs out. The context that do gets ends before
// this one's does.
func (r *Redis) alone(ctx context.Context, operation, id string, do func(ctx context.Context) error) error {
	if !idShape.MatchString(id) {
		return ErrNotFound
	}
	turn := r.turn(id)
	turn.Lock()
	defer turn.Unlock()
	holder := randomHex(16)
	defer r.client.ReturnLease(r.leaseKey(id), holder) // also one of which nobody knows whether it was taken
	ctx, cancel := context.WithTimeout(ctx, 2*leaseFor)
	defer cancel()
	within, err := r.waitLease(ctx, id, holder)
	if err != nil {
		return unavailable(operation, err)
	}
	ctx, stop := context.WithDeadline(ctx, within)
	defer stop()
	return do(ctx)
}

// waitLease returns until when the lease may be counted on.
func (r *Redis) waitLease(ctx context.Context, id, holder string) (time.Time, error) {
	for {
		// Connections have deadlines of the day's time, whatever clock the store has.
		began := time.Now()
		got, err := r.client.TakeLease(ctx, r.leaseKey(id), holder, leaseFor)
		if err != nil {
			return time.Time{}, err
		}
		if got {
			return began.Add(leaseFor - leaseMargin), nil
		}
		if err := wait.Pause(ctx, leasePoll); err != nil {
			return time.Time{}, fmt.Errorf("wait for another writer: %w", err)
		}
	}
}

func (r *Redis) leaseKey(id string) string { return r.prefix + "apitoken-lease:" + id }
