// Package redis is a small client for Redis, since no Redis library runs in the
// interpreter. It speaks RESP2 to one server, to the master that sentinels
// name, or to the nodes of a cluster.
//
//	client.go      what callers see: Do, DoAll, Block, Close, Health
//	node.go        one server: breaker, pool, and a second try when a connection was lost
//	breaker.go     open while the server is away, so that callers fail at once
//	pool.go        a bounded number of connections, used again
//	patience.go    what is late because this machine is
//	connection.go  dial, TLS, AUTH, SELECT; one exchange of commands and replies
//	resp.go        commands and replies as bytes
//	command.go     what the commands do, and what may answer them
//	reply.go       replies read as what they are to be
//	failure.go     why there is no answer
//	refusal.go     what a server refuses though it is there
//	policy.go      what a server does when it is full
//	sentinel.go    who is the master
//	cluster.go     which node a command goes to; MOVED and ASK
//	topology.go    which node has which slot
//	slot.go        which slot a key is in
//	aside.go       a key of another type is moved out of the way
//	lease.go       one of several processes at a time
//	scan.go        all keys of a pattern, of all nodes
//
// There is either an answer that belongs to the command, or an error. A
// connection on which anything went wrong (an I/O or protocol error, a caller
// that left in the middle) is closed: what it still has to say would be taken
// for the answer to the next command.
//
// No goroutine outlives a call.
package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

const defaultTimeout = 500 * time.Millisecond

// Config says where Redis is, and how to reach it.
type Config struct {
	Mode       string           // "single" (or ""), "sentinel", "cluster"
	Addresses  []string         // host:port of the server, the sentinels, or some nodes of the cluster
	MasterName string           // sentinel: the master's name
	Username   string           // "": the default user
	Password   func() string    // asked at each new connection; nil: none
	Database   int              // SELECT; 0: none sent. Not in cluster mode.
	TLS        *tls.Config      // nil: plain. ServerName empty: the host of the address.
	Timeout    time.Duration    // of a connection, and of each command; 0: 500ms
	Log        *slog.Logger     // nil: silent
	Now        func() time.Time // nil: time.Now; for the breaker and the age of idle connections
}

// Client is a Redis. All its methods may be called at the same time.
type Client struct {
	config  *Config
	stats   *stats
	refused *refusals
	node    *node    // nil: a cluster
	cluster *cluster // nil: one server
}

// stats counts for Health.
type stats struct {
	commands  atomic.Int64
	failures  atomic.Int64
	lastError atomic.Value // string
}

// New opens no connection.
func New(c Config) *Client {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	client := &Client{config: &c, stats: &stats{}, refused: newRefusals(&c)}
	switch c.Mode {
	case "cluster":
		c.Database = 0
		client.cluster = newCluster(&c)
	case "sentinel":
		client.node = newNode(&c, "")
		client.node.sentinels = newSentinels(&c)
	default:
		client.node = newNode(&c, first(c.Addresses))
	}
	return client
}

func first(addresses []string) string {
	if len(addresses) == 0 {
		return ""
	}
	return addresses[0]
}

// request is what goes to one server on one connection.
type request struct {
	commands   [][]string
	wait       time.Duration // how long the server may take, besides the time-out
	blocking   bool          // on a connection for commands that block
	repeatable bool          // sending them twice comes to the same as once
}

// Do sends one command, whose arguments may hold any bytes. The error is
// ErrCommand when the server refused it, or else ErrUnavailable.
func (c *Client) Do(ctx context.Context, args ...string) (Reply, error) {
	replies, err := c.send(ctx, request{commands: [][]string{args}})
	if err != nil {
		return Reply{}, err
	}
	return replies[0], replies[0].Err
}

// DoAll sends the commands at once and returns their replies in the same order.
// A command that the server refused is a Reply with Err, which wraps
// ErrCommand; the error says that there are no replies: ErrUnavailable. Then
// some of the commands may have been carried out.
func (c *Client) DoAll(ctx context.Context, commands [][]string) ([]Reply, error) {
	if len(commands) == 0 {
		return nil, nil
	}
	return c.send(ctx, request{commands: commands})
}

// Block is Do for a command that lets the server wait, for at most wait. It has
// a connection of its own, which is kept for the next call. It asks even when
// the breaker is open, and its failures do not open it.
func (c *Client) Block(ctx context.Context, wait time.Duration, args ...string) (Reply, error) {
	replies, err := c.send(ctx, request{commands: [][]string{args}, wait: wait, blocking: true})
	if err != nil {
		return Reply{}, err
	}
	return replies[0], replies[0].Err
}

func (c *Client) send(ctx context.Context, q request) ([]Reply, error) {
	if err := usable(ctx, q.commands); err != nil {
		return nil, err
	}
	replies, f := c.dispatch(ctx, q)
	if f != nil {
		c.refused.failed(f)
		return nil, c.stats.failed(q.commands[0][0], f)
	}
	c.refused.answered(q.commands, replies)
	c.stats.commands.Add(int64(len(q.commands)))
	return replies, nil
}

func (c *Client) dispatch(ctx context.Context, q request) ([]Reply, *failure) {
	if c.cluster != nil {
		return c.cluster.do(ctx, q)
	}
	return c.node.do(ctx, q)
}

// nodes are those that are known.
func (c *Client) nodes() []*node {
	if c.cluster != nil {
		return c.cluster.all()
	}
	return []*node{c.node}
}

func usable(ctx context.Context, commands [][]string) error {
	for _, args := range commands {
		if len(args) == 0 {
			return fmt.Errorf("send a command without a name: %w", ErrCommand)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w: %w", commands[0][0], err, ErrUnavailable)
	}
	return nil
}

// failed counts a failure and makes it an error for the caller.
func (s *stats) failed(command string, f *failure) error {
	s.commands.Add(1)
	if f.caller {
		return fmt.Errorf("%s: %w: %w", command, f.err, ErrUnavailable)
	}
	s.failures.Add(1)
	s.lastError.Store(f.code)
	return fmt.Errorf("%s: %s: %w", command, f.text(), ErrUnavailable)
}

// Close closes all connections, also those in use. Later calls fail with
// ErrUnavailable.
func (c *Client) Close() {
	if c.cluster != nil {
		c.cluster.close()
		return
	}
	c.node.close()
}

// Health is how things stand.
type Health struct {
	Breaker     string           // "closed": commands are sent; "open": they fail at once; "half-open": one is being tried
	Connections int              // open, in use or idle
	Commands    int64            // since the start
	Failures    int64            // of these, without an answer that can be used
	LastError   string           // of the last failure: "timeout", "refused", "NOAUTH", ...; "": none yet
	Refuses     string           // the code that commands are refused with now, such as OOM; "": none is
	Refusals    map[string]int64 // since the start, by code
}

// Health says how things stand, without asking the server. Of a cluster's
// breakers the one that is worst off is shown.
func (c *Client) Health() Health {
	h := Health{Breaker: "closed", Commands: c.stats.commands.Load(), Failures: c.stats.failures.Load()}
	h.LastError, _ = c.stats.lastError.Load().(string)
	code, counts := c.refused.show()
	h.Refuses = code
	h.Refusals = counts
	for _, n := range c.nodes() {
		h.Connections += n.connections()
		h.Breaker = worse(h.Breaker, n.breaker.state())
	}
	return h
}

func worse(a, b string) string {
	if a == "open" || b == "open" {
		return "open"
	}
	if a == "half-open" || b == "half-open" {
		return "half-open"
	}
	return "closed"
}
