package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// discardScript deletes what is bad, and nothing that was written in its place
// meanwhile: no text at all, or still the text that did not open. It answers 1
// where it did, 2 where another was quicker.
const discardScript = `local kind = redis.call('type', KEYS[1]).ok
if kind == 'none' then return 2 end
if kind ~= 'string' or redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`

// held is a value that Redis has, and how long it has it yet.
type held struct {
	value []byte
	left  time.Duration
}

// find returns nil for a key that is not there.
func (r *Redis) find(ctx context.Context, key string) (*held, error) {
	name := r.prefix + key
	replies, err := r.client.DoAll(ctx, [][]string{{"GET", name}, {"PTTL", name}})
	if err != nil {
		return nil, fmt.Errorf("get from redis: %w", err)
	}
	text := replies[0]
	if text.Err != nil {
		return nil, r.refused(ctx, name, text.Err)
	}
	if text.Kind == redis.Nil {
		return nil, nil
	}
	value, err := r.keys().Open(bound(name), text.Text)
	if err != nil {
		r.discardText(ctx, name, text.Text)
		return nil, nil
	}
	return &held{value: value, left: life(replies[1])}, nil
}

// discardText counts a value once, however many readers came across it; and
// again where it cannot be deleted.
func (r *Redis) discardText(ctx context.Context, name, text string) {
	outcome, err := r.discard(ctx, name, text)
	if err != nil || outcome == 1 {
		r.bad.Add(1)
	}
}

// refused is what a refused GET comes to: a miss where the key held no text but
// a list, say, which is deleted now.
func (r *Redis) refused(ctx context.Context, name string, refusal error) error {
	outcome, err := r.discard(ctx, name, "")
	if err != nil || outcome == 0 {
		return fmt.Errorf("get from redis: %w", refusal)
	}
	if outcome == 1 {
		r.bad.Add(1)
	}
	return nil
}

func (r *Redis) discard(ctx context.Context, name, text string) (int64, error) {
	reply, err := r.client.Do(ctx, "EVAL", discardScript, "1", name, text)
	if err != nil {
		return 0, fmt.Errorf("delete a bad value in redis: %w", err)
	}
	outcome, err := reply.AsInteger()
	if err != nil {
		return 0, fmt.Errorf("delete a bad value in redis: %w", err)
	}
	return outcome, nil
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
