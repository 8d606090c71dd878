package redis

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// refresh asks for the owners of the slots when they are not known, or may have
// changed: one caller at a time, at most once a second. While they are asked
// for, the others go on with what is known, or wait if that is nothing.
func (c *cluster) refresh(ctx context.Context) *failure {
	known, due := c.due()
	if !due {
		return nil
	}
	if known && !c.refreshing.TryLock() {
		return nil
	}
	if !known {
		c.refreshing.Lock()
	}
	defer c.refreshing.Unlock()
	return c.refreshLocked(ctx)
}

// due says whether the owners are known, and whether to ask for them.
func (c *cluster) due() (known, due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known = c.owners != nil
	due = !known || (c.stale && c.rested())
	return known, due
}

func (c *cluster) rested() bool { return c.config.Now().Sub(c.asked) >= refreshEvery }

// refreshLocked looks again: another caller may just have asked.
func (c *cluster) refreshLocked(ctx context.Context) *failure {
	c.mu.Lock()
	known := c.owners != nil
	rested := c.rested()
	stale, problem := c.stale, c.problem
	c.mu.Unlock()
	if known && !(stale && rested) {
		return nil
	}
	if !known && !rested && problem != nil {
		return problem
	}
	f := c.ask(ctx)
	if f != nil && !f.caller {
		c.mu.Lock()
		c.asked = c.config.Now()
		c.problem = f
		c.mu.Unlock()
	}
	if known {
		return nil
	}
	return f
}

// ask asks one node after the other, for at most about twice the time-out.
func (c *cluster) ask(ctx context.Context) *failure {
	began := time.Now()
	last := &failure{code: "no node"}
	for _, address := range c.candidates() {
		replies, f := c.node(address).do(ctx, request{commands: [][]string{{"CLUSTER", "SLOTS"}}})
		if f == nil {
			f = c.learn(replies[0], address)
		}
		if f == nil || f.caller {
			return f
		}
		last = f
		if time.Since(began) > 2*c.config.Timeout {
			break
		}
	}
	return last
}

// candidates are the nodes that are known, then those of the settings.
func (c *cluster) candidates() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var addresses []string
	seen := map[string]bool{}
	for address := range c.nodes {
		addresses = append(addresses, address)
		seen[address] = true
	}
	for _, address := range c.config.Addresses {
		if !seen[address] {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// learn takes the answer to CLUSTER SLOTS: first slot, last slot, the master's
// host and port, and more.
func (c *cluster) learn(r Reply, asked string) *failure {
	if r.Err != nil {
		return refused(r)
	}
	owners := make([]string, slotCount)
	current := map[string]bool{}
	for _, item := range r.Items {
		if !isRange(item) {
			return &failure{code: "protocol", err: protocolError("a range of slots", len(item.Items))}
		}
	}
	for _, item := range r.Items {
		master := item.Items[2].Items
		owner := address(master[0].Text, strconv.FormatInt(master[1].Int, 10), asked)
		current[owner] = true
		for slot := item.Items[0].Int; slot <= item.Items[1].Int; slot++ {
			owners[slot] = owner
		}
	}
	if len(current) == 0 {
		return &failure{code: "CLUSTERDOWN", err: errors.New("no node has a slot"), spared: true}
	}
	c.adopt(owners, current)
	return nil
}

func isRange(r Reply) bool {
	if len(r.Items) < 3 || len(r.Items[2].Items) < 2 {
		return false
	}
	first, last := r.Items[0], r.Items[1]
	port := r.Items[2].Items[1]
	return first.Kind == Integer && last.Kind == Integer && port.Kind == Integer &&
		first.Int >= 0 && first.Int <= last.Int && last.Int < slotCount
}

// adopt replaces the owners, and lets go of nodes that have no slot any more.
func (c *cluster) adopt(owners []string, current map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners = owners
	c.stale = false
	c.asked = c.config.Now()
	c.problem = nil
	for address, n := range c.nodes {
		if !current[address] {
			delete(c.nodes, address)
			n.retire()
		}
	}
}
