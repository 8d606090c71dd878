package redis

import (
	"context"
	"log/slog"
	"strings"
)

// keepsAll is the policy of a Redis that refuses to write when it is full. With
// any other it deletes what it has, and says so to nobody.
const keepsAll = "noeviction"

// policy asks a server once, on its first connection, what it does when it is
// full, and warns of one that deletes. Who may not ask goes on without.
func (n *node) policy(ctx context.Context, c *connection) *failure {
	if !n.looked.CompareAndSwap(0, 1) {
		return nil
	}
	replies, f := c.exchange(ctx, n.config.Timeout, [][]string{{"INFO", "memory"}})
	if f != nil {
		return f
	}
	policy := policyOf(replies[0])
	if policy != "" && policy != keepsAll && n.warned.CompareAndSwap(0, 1) {
		n.log(slog.LevelWarn, "redis deletes keys when it is full: sessions, API tokens and revocations are lost; set maxmemory-policy to "+keepsAll, policy)
	}
	return nil
}

// policyOf is "" where the server does not say.
func policyOf(info Reply) string {
	if info.Err != nil || info.Kind != Text {
		return ""
	}
	_, after, _ := strings.Cut(info.Text, "maxmemory_policy:")
	policy, _, _ := strings.Cut(after, "\r")
	return policy
}
