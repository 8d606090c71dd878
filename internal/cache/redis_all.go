package cache

import (
	"context"
	"fmt"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// GetAll returns, in one round trip, the values of those keys that Get would find.
// Of the others it says nothing, not even whether they are there: Get does.
func (r *Redis) GetAll(ctx context.Context, keys []string) (map[string][]byte, error) {
	commands := make([][]string, len(keys))
	for i, key := range keys {
		commands[i] = []string{"GET", r.prefix + key}
	}
	replies, err := r.client.DoAll(ctx, commands)
	if err != nil {
		return nil, fmt.Errorf("get from redis: %w", err)
	}
	found := map[string][]byte{}
	ring := r.keys()
	for i, reply := range replies {
		if reply.Err != nil || reply.Kind == redis.Nil {
			continue
		}
		value, err := ring.Open(bound(r.prefix+keys[i]), reply.Text)
		if err == nil {
			found[keys[i]] = value
		}
	}
	return found, nil
}
