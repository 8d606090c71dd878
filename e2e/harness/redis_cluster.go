package harness

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const slots = 16384

// Cluster is a Redis Cluster of three masters.
type Cluster struct {
	Nodes []*Redis

	ids []string
}

// StartCluster starts one and waits until all its nodes say that it is whole.
func StartCluster(ctx context.Context) (*Cluster, error) {
	c := &Cluster{}
	if err := c.start(ctx); err != nil {
		c.Stop()
		return nil, fmt.Errorf("start cluster: %w", err)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	for i := range 3 {
		bus, err := FreePort()
		if err != nil {
			return err
		}
		r, err := StartRedis(ctx, RedisOptions{Args: []string{"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus)}})
		if err != nil {
			return err
		}
		c.Nodes = append(c.Nodes, r)
		id, err := r.Client.ClusterMyID(ctx).Result()
		if err != nil {
			return err
		}
		c.ids = append(c.ids, id)
		if err := r.Client.ClusterAddSlotsRange(ctx, i*slots/3, (i+1)*slots/3-1).Err(); err != nil {
			return err
		}
		host, port := split(r.Address)
		if err := c.Nodes[0].Client.Do(ctx, "CLUSTER", "MEET", host, port, bus).Err(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return Poll(ctx, "the cluster to be whole", func() error {
		for _, r := range c.Nodes {
			info, err := r.Client.ClusterInfo(ctx).Result()
			if err == nil && !(strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_size:3")) {
				err = errors.New("it is not")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Addresses are those of the nodes.
func (c *Cluster) Addresses() []string {
	var addresses []string
	for _, r := range c.Nodes {
		addresses = append(addresses, r.Address)
	}
	return addresses
}

// Keys are the keys of all nodes, and which node has them.
func (c *Cluster) Keys(ctx context.Context) (map[string]int, error) {
	keys := map[string]int{}
	for i, r := range c.Nodes {
		found, err := r.Client.Keys(ctx, "*").Result()
		if err != nil {
			return nil, err
		}
		for _, key := range found {
			keys[key] = i
		}
	}
	return keys, nil
}

// BeginMove moves the keys of a key's slot from one node to another. Until EndMove the old node answers with ASK to
// whoever wants one of them.
func (c *Cluster) BeginMove(ctx context.Context, key string, from, to int) error {
	slot, err := c.Nodes[from].Client.ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return fmt.Errorf("move slot: %w", err)
	}
	host, port := split(c.Nodes[to].Address)
	if err := c.Nodes[to].Client.Do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[from]).Err(); err != nil {
		return fmt.Errorf("move slot: %w", err)
	}
	if err := c.Nodes[from].Client.Do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to]).Err(); err != nil {
		return fmt.Errorf("move slot: %w", err)
	}
	keys, err := c.Nodes[from].Client.ClusterGetKeysInSlot(ctx, int(slot), 1000).Result()
	if err != nil {
		return fmt.Errorf("move slot: %w", err)
	}
	for _, key := range keys {
		if err := c.Nodes[from].Client.Migrate(ctx, host, port, key, 0, 5*time.Second).Err(); err != nil {
			return fmt.Errorf("move slot: %w", err)
		}
	}
	return nil
}

// EndMove tells all nodes whose the slot is now: the old one answers with MOVED from then on.
func (c *Cluster) EndMove(ctx context.Context, key string, to int) error {
	slot, err := c.Nodes[to].Client.ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return fmt.Errorf("move slot: %w", err)
	}
	for _, r := range c.Nodes {
		if err := r.Client.Do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", c.ids[to]).Err(); err != nil {
			return fmt.Errorf("move slot: %w", err)
		}
	}
	return nil
}

// Stop kills all nodes.
func (c *Cluster) Stop() {
	for _, r := range c.Nodes {
		r.Stop()
	}
}
