package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// TakeLease says whether the holder has the lease of that key, which lasts for d.
// The holder's name is random. It is read back: a SET whose answer was lost is
// sent again, and then finds itself. An error leaves open whether it was taken.
func (c *Client) TakeLease(ctx context.Context, key, holder string, d time.Duration) (bool, error) {
	replies, err := c.DoAll(ctx, [][]string{
		{"SET", key, holder, "NX", "PX", strconv.FormatInt(d.Milliseconds(), 10)},
		{"GET", key},
	})
	if err != nil {
		return false, fmt.Errorf("lease: %w", err)
	}
	for _, reply := range replies {
		if reply.Err != nil {
			return false, fmt.Errorf("lease: %w", reply.Err)
		}
	}
	return replies[1].Text == holder, nil
}

// ReturnLease gives up a lease if it is still this holder's. One that cannot be
// given up runs out.
func (c *Client) ReturnLease(key, holder string) {
	const ours = `if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`
	_, _ = c.Do(context.Background(), "EVAL", ours, "1", key, holder)
}
