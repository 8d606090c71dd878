package redistest

import (
	"strconv"
	"strings"
	"testing"
)

const slotCount = 16384

// Cluster is three nodes, each with a third of the slots.
type Cluster struct {
	Nodes []*Server
	t     testing.TB
}

// StartCluster starts the nodes, and waits until all agree.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for i := 0; i < 3; i++ {
		node := start(t, func(s *Server) []string {
			return append(s.standard(), "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
				"--cluster-port", strconv.Itoa(freePort(t)), "--cluster-node-timeout", "2000")
		})
		first := strconv.Itoa(i * slotCount / 3)
		last := strconv.Itoa((i+1)*slotCount/3 - 1)
		node.Command("CLUSTER", "ADDSLOTSRANGE", first, last)
		node.Command("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		c.Nodes = append(c.Nodes, node)
	}
	for _, node := range c.Nodes[1:] {
		node.Command("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(c.Nodes[0].port), c.Nodes[0].busPort())
	}
	for _, node := range c.Nodes {
		await(t, "the cluster to agree", func() bool {
			info := node.Command("CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") &&
				strings.Contains(info, "cluster_slots_ok:16384")
		})
	}
	return c
}

// Addrs are the nodes' addresses.
func (c *Cluster) Addrs() []string {
	var addresses []string
	for _, node := range c.Nodes {
		addresses = append(addresses, node.Addr())
	}
	return addresses
}

// Owner is the node that has the key's slot.
func (c *Cluster) Owner(key string) int {
	slot, err := strconv.Atoi(c.Nodes[0].Command("CLUSTER", "KEYSLOT", key))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := range c.Nodes {
		if slot < (i+1)*slotCount/3 {
			return i
		}
	}
	return 0
}

// Move is the way of a key's slot from one node to another.
type Move struct {
	cluster  *Cluster
	slot     string
	from, to *Server
}

// BeginMove lets a key's slot begin to move: the old node answers for keys that
// it still has, and sends for others to the new one (ASK).
func (c *Cluster) BeginMove(key string, from, to int) *Move {
	c.t.Helper()
	m := &Move{cluster: c, slot: c.Nodes[0].Command("CLUSTER", "KEYSLOT", key), from: c.Nodes[from], to: c.Nodes[to]}
	m.to.Command("CLUSTER", "SETSLOT", m.slot, "IMPORTING", m.from.id())
	m.from.Command("CLUSTER", "SETSLOT", m.slot, "MIGRATING", m.to.id())
	return m
}

// Key moves one key of the slot.
func (m *Move) Key(key string) {
	m.cluster.t.Helper()
	m.from.Command("MIGRATE", "127.0.0.1", strconv.Itoa(m.to.port), key, "0", "5000")
}

// End gives the slot to the new node. From then on the old one sends there for
// all of its keys (MOVED).
func (m *Move) End() {
	m.cluster.t.Helper()
	id := m.to.id()
	m.to.Command("CLUSTER", "SETSLOT", m.slot, "NODE", id)
	m.from.Command("CLUSTER", "SETSLOT", m.slot, "NODE", id)
}

// Circle lets the owner of a key's slot, which must be empty, send to another
// node, which sends back (MOVED).
func (c *Cluster) Circle(key string) {
	c.t.Helper()
	from := c.Owner(key)
	to := c.Nodes[(from+1)%len(c.Nodes)]
	slot := c.Nodes[0].Command("CLUSTER", "KEYSLOT", key)
	c.Nodes[from].Command("CLUSTER", "SETSLOT", slot, "NODE", to.id())
}

// Partial lets the nodes go on when one of them dies.
func (c *Cluster) Partial() {
	c.t.Helper()
	for _, node := range c.Nodes {
		node.Command("CONFIG", "SET", "cluster-require-full-coverage", "no")
	}
}

func (s *Server) id() string { return s.Command("CLUSTER", "MYID") }

// busPort is the argument that start gave it.
func (s *Server) busPort() string {
	for i, arg := range s.args {
		if arg == "--cluster-port" {
			return s.args[i+1]
		}
	}
	return ""
}
