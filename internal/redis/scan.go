package redis

import (
	"context"
	"fmt"
	"strconv"
)

// scanSteps bounds the pages of one node: a server whose cursor never comes to
// its end is not asked for ever. At 100 keys a page these are 100 million keys.
const scanSteps = 1000000

// Scan hands over the keys of texts that match the pattern (SCAN), about count at a time,
// of each node in turn. A key that is there all the while comes at least once; one
// may come twice. An error of page ends it, and is returned as it is.
func (c *Client) Scan(ctx context.Context, pattern string, count int, page func(keys []string) error) error {
	if c.cluster == nil {
		return c.scan(ctx, pattern, count, page, func(ctx context.Context, q request) ([]Reply, *failure) {
			replies, f := c.node.do(ctx, q)
			return replies, f
		})
	}
	if f := c.cluster.refresh(ctx); f != nil {
		return c.stats.failed("SCAN", f)
	}
	for _, address := range c.cluster.masters() {
		n := c.cluster.node(address)
		err := c.scan(ctx, pattern, count, page, func(ctx context.Context, q request) ([]Reply, *failure) {
			replies, f := c.cluster.at(ctx, n, q)
			return replies, f
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scan is Scan of one node.
func (c *Client) scan(ctx context.Context, pattern string, count int, page func(keys []string) error, do func(context.Context, request) ([]Reply, *failure)) error {
	cursor := "0"
	for step := 0; step < scanSteps; step++ {
		command := []string{"SCAN", cursor, "MATCH", pattern, "COUNT", strconv.Itoa(count), "TYPE", "string"}
		if err := usable(ctx, [][]string{command}); err != nil {
			return err
		}
		replies, f := do(ctx, request{commands: [][]string{command}})
		if f != nil {
			return c.stats.failed("SCAN", f)
		}
		c.stats.commands.Add(1)
		if err := replies[0].Err; err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		next, keys, err := scanned(replies[0])
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := page(keys); err != nil {
				return err
			}
		}
		cursor = next
		if cursor == "0" {
			return nil
		}
	}
	return fmt.Errorf("scan: no end after %d pages: %w", scanSteps, ErrUnavailable)
}

// scanned reads the answer to SCAN: a cursor, and keys.
func scanned(r Reply) (cursor string, keys []string, err error) {
	if len(r.Items) != 2 {
		return "", nil, fmt.Errorf("scan: %d items, want 2: %w", len(r.Items), ErrUnavailable)
	}
	list := r.Items[1].Items
	keys = make([]string, 0, len(list))
	for _, item := range list {
		keys = append(keys, item.Text)
	}
	cursor = r.Items[0].Text
	return cursor, keys, nil
}

// masters are the addresses of the nodes that have slots.
func (c *cluster) masters() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var addresses []string
	seen := map[string]bool{"": true}
	for _, owner := range c.owners {
		if !seen[owner] {
			seen[owner] = true
			addresses = append(addresses, owner)
		}
	}
	return addresses
}
