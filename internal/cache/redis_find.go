package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// ErrUnreadable says that Redis has a value that was sealed with a secret that is
// not known here, or by another version. It may be good: it is neither used nor
// taken for one that is not there.
var ErrUnreadable = errors.New("sealed with a key that is not in `secret`, or by another version")

// held is a value that Redis has, and how long it has it yet.
type held struct {
	value []byte
	left  time.Duration
}

// find returns nil for a key that is not there. It only reads: what does not open
// stays as it is, whatever it is.
func (r *Redis) find(ctx context.Context, key string) (*held, error) {
	name := r.prefix + key
	replies, err := r.client.DoAll(ctx, [][]string{{"GET", name}, {"PTTL", name}})
	if err != nil {
		return nil, fmt.Errorf("get from redis: %w", err)
	}
	text := replies[0]
	if text.Err != nil {
		return nil, r.refused(text)
	}
	if text.Kind == redis.Nil {
		return nil, nil
	}
	ring := r.keys()
	value, err := ring.Open(bound(name), text.Text)
	if err != nil {
		return nil, r.unopened(err)
	}
	if !ring.Only() {
		r.notice(ring, text.Text)
	}
	return &held{value: value, left: life(replies[1])}, nil
}

// notice tells of a value that is to be sealed anew.
func (r *Redis) notice(ring *seal.Ring, text string) {
	if r.Noticed != nil && ring.Stale(text) {
		r.Noticed(nil)
	}
}

// unopened is what a value that does not open comes to: ErrUnreadable where it may
// be good, else a miss.
func (r *Redis) unopened(err error) error {
	if !errors.Is(err, seal.ErrUnknownKey) && !errors.Is(err, seal.ErrVersion) {
		r.bad.Add(1)
		return nil
	}
	err = fmt.Errorf("get from redis: %w", ErrUnreadable)
	if r.Noticed != nil {
		r.Noticed(err)
	}
	return err
}

// refused is what a refused GET comes to: a miss where the key holds no text but
// a list, say.
func (r *Redis) refused(reply redis.Reply) error {
	if strings.HasPrefix(reply.Text, "WRONGTYPE") {
		r.bad.Add(1)
		return nil
	}
	return fmt.Errorf("get from redis: %w", reply.Err)
}

// life reads the answer to PTTL: -1 is a key without an end, -2 one that
// expired since the command before. A refusal reads as zero.
func life(reply redis.Reply) time.Duration {
	if reply.Int == -2 {
		return 0
	}
	if reply.Int < 0 || reply.Int > int64(forever/time.Millisecond) {
		return forever
	}
	return time.Duration(reply.Int) * time.Millisecond
}
