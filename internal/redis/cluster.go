package redis

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxRedirections = 5
	refreshEvery    = time.Second // at most
)

// cluster knows which node has which slot. It asks (CLUSTER SLOTS) before the
// first command, and again after a node failed or sent a command elsewhere.
//
// MOVED says that a slot has gone for good. ASK says that this key went ahead
// while its slot is being moved: the other node answers for it after ASKING.
type cluster struct {
	config *Config

	refreshing sync.Mutex // held by the one that asks

	mu      sync.Mutex
	owners  []string         // by slot; "": nobody. nil: not known yet
	nodes   map[string]*node // by address
	stale   bool             // owners may have changed
	asked   time.Time
	problem *failure // of the last time
	closed  bool
}

func newCluster(config *Config) *cluster {
	return &cluster{config: config, nodes: map[string]*node{}}
}

// do sends each command to the node that has its key.
func (c *cluster) do(ctx context.Context, q request) ([]Reply, *failure) {
	if f := c.refresh(ctx); f != nil {
		return nil, f
	}
	if len(q.commands) > 1 {
		return c.spread(ctx, q)
	}
	reply, f := c.one(ctx, q)
	if f != nil {
		return nil, f
	}
	return []Reply{reply}, nil
}

// one sends one command, and follows redirections.
func (c *cluster) one(ctx context.Context, q request) (Reply, *failure) {
	n := c.owner(slotOf(q.commands[0]))
	replies, f := c.at(ctx, n, q)
	if f != nil {
		return Reply{}, f
	}
	return c.follow(ctx, n, q, replies[0])
}

// spread sends the commands in one go to each node that has some of their keys.
func (c *cluster) spread(ctx context.Context, q request) ([]Reply, *failure) {
	var order []*node
	places := map[*node][]int{}
	for i, args := range q.commands {
		n := c.owner(slotOf(args))
		if places[n] == nil {
			order = append(order, n)
		}
		places[n] = append(places[n], i)
	}
	replies := make([]Reply, len(q.commands))
	for _, n := range order {
		if f := c.share(ctx, n, q.commands, places[n], replies); f != nil {
			return nil, f
		}
	}
	return replies, nil
}

// share sends one node its share, and puts the replies into their places.
func (c *cluster) share(ctx context.Context, n *node, commands [][]string, places []int, replies []Reply) *failure {
	var q request
	for _, place := range places {
		q.commands = append(q.commands, commands[place])
	}
	answers, f := c.at(ctx, n, q)
	if f != nil {
		return f
	}
	for i, place := range places {
		reply, f := c.follow(ctx, n, request{commands: [][]string{commands[place]}}, answers[i])
		if f != nil {
			return f
		}
		replies[place] = reply
	}
	return nil
}

// follow goes where a reply sends the command, until one is an answer.
func (c *cluster) follow(ctx context.Context, n *node, q request, reply Reply) (Reply, *failure) {
	for i := 0; reply.Err != nil && isRedirection(errorCode(reply.Text)); i++ {
		if i == maxRedirections {
			return Reply{}, &failure{code: "redirections", err: errors.New(reply.Text), spared: true}
		}
		slot, address, err := redirection(reply.Text, n.address)
		if err != nil {
			return Reply{}, &failure{code: "protocol", err: err, spared: true}
		}
		step := q
		if errorCode(reply.Text) == "ASK" {
			step.commands = [][]string{{"ASKING"}, q.commands[0]}
		} else {
			c.moved(slot, address)
		}
		n = c.node(address)
		replies, f := c.at(ctx, n, step)
		if f != nil {
			return Reply{}, f
		}
		reply = replies[len(replies)-1]
	}
	return reply, nil
}

// redirection reads MOVED or ASK, slot, host:port. Without a host it is the one
// that was asked.
func redirection(text, asked string) (int, string, error) {
	words := strings.Fields(text)
	if len(words) != 3 {
		return 0, "", protocolError("a redirection", text)
	}
	slot, err := strconv.Atoi(words[1])
	colon := strings.LastIndex(words[2], ":")
	if err != nil || slot < 0 || slot >= slotCount || colon < 0 {
		return 0, "", protocolError("a redirection", text)
	}
	return slot, address(words[2][:colon], words[2][colon+1:], asked), nil
}

// address is that of a node; one that does not know its own host has that by
// which it was asked.
func address(host, port, asked string) string {
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(asked)
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// at sends commands to a node. After a failure its slots may be another's.
func (c *cluster) at(ctx context.Context, n *node, q request) ([]Reply, *failure) {
	replies, f := n.do(ctx, q)
	if f != nil && !f.caller {
		c.mu.Lock()
		c.stale = true
		c.mu.Unlock()
	}
	return replies, f
}

func (c *cluster) moved(slot int, address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = true
	if c.owners != nil {
		c.owners[slot] = address
	}
}

// owner is the node that has a slot; for a slot that nobody has, some node,
// which will say so.
func (c *cluster) owner(slot int) *node {
	c.mu.Lock()
	owner := c.owners[slot]
	c.mu.Unlock()
	if owner == "" {
		owner = c.config.Addresses[0]
	}
	return c.node(owner)
}

func (c *cluster) node(address string) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[address]
	if n == nil {
		n = newNode(c.config, address)
		c.nodes[address] = n
		if c.closed {
			n.close()
		}
	}
	return n
}

// all returns the nodes.
func (c *cluster) all() []*node {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := make([]*node, 0, len(c.nodes))
	for _, n := range c.nodes {
		nodes = append(nodes, n)
	}
	return nodes
}

func (c *cluster) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	for _, n := range c.all() {
		n.close()
	}
}
