package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"
)

// TakeLease says whether the holder has the lease of that key, which lasts for d.
// The holder's name is random. It is read back: a SET whose answer was lost is
// sent again, and then finds itself. An error leaves open whether it was taken.
func (c *Client) TakeLease(ctx context.Context, key, holder string, d time.Duration) (bool, error) {
	replies, err := c.send(ctx, request{repeatable: true, commands: [][]string{
		{"SET", key, holder, "NX", "PX", strconv.FormatInt(d.Milliseconds(), 10)},
		{"GET", key},
	}})
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
// given up runs out, and makes the others wait till then: the log says so, loudly
// where Redis is there and refuses.
func (c *Client) ReturnLease(key, holder string) {
	const ours = `if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`
	ctx := context.Background()
	replies, err := c.send(ctx, request{repeatable: true, commands: [][]string{{"EVAL", ours, "1", key, holder}}})
	if err == nil {
		_, err = replies[0].AsInteger()
	}
	level := slog.LevelDebug
	if errors.Is(err, ErrCommand) {
		level = slog.LevelWarn
	}
	if err != nil && c.config.Log != nil {
		c.config.Log.Log(ctx, level, "a lease is not given back; others wait until it ends", "error", err.Error())
	}
}
