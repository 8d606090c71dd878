package redis

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// node is one server, or the master of the moment.
type node struct {
	config    *Config
	address   string     // "": the sentinels know it
	sentinels *sentinels // nil: not asked
	breaker   *breaker
	pool      *pool
	blocking  *pool        // for commands that block
	looked    atomic.Int64 // 1: at what it does when it is full
	warned    atomic.Int64 // 1: of that
}

func newNode(config *Config, address string) *node {
	n := &node{config: config, address: address, breaker: &breaker{now: config.Now}}
	dial := func(ctx context.Context) (*connection, *failure) { return n.connect(ctx) }
	n.pool = newPool(config, maxConnections, dial)
	n.pool.patience = poolPatience
	n.pool.away = func() bool { return isOpen(n.breaker.epoch.Load()) }
	n.blocking = newPool(config, maxBlocking, dial)
	return n
}

func (n *node) connect(ctx context.Context) (*connection, *failure) {
	c, f := n.dial(ctx)
	if f != nil {
		return nil, f
	}
	if f := n.policy(ctx, c); f != nil {
		c.close()
		return nil, f
	}
	return c, nil
}

func (n *node) dial(ctx context.Context) (*connection, *failure) {
	if n.sentinels != nil {
		c, f := n.sentinels.connect(ctx)
		return c, f
	}
	c, f := connect(ctx, n.config, n.address)
	return c, f
}

// do sends the commands and returns their replies.
func (n *node) do(ctx context.Context, q request) ([]Reply, *failure) {
	if q.blocking {
		return n.try(ctx, n.blocking, q)
	}
	epoch := n.breaker.epoch.Load()
	if isOpen(epoch) {
		return n.doOpen(ctx, q)
	}
	answers := n.breaker.answers.Load()
	replies, f := n.try(ctx, n.pool, q)
	if f != nil {
		n.failed(epoch, answers, f)
		return nil, f
	}
	n.breaker.answers.Add(1)
	return replies, nil
}

// doOpen fails at once, or tries whether the server is back.
func (n *node) doOpen(ctx context.Context, q request) ([]Reply, *failure) {
	if !n.breaker.probe() {
		return nil, &failure{code: "open", spared: true}
	}
	f := n.probe(ctx)
	n.breaker.probed(f)
	if f != nil {
		return nil, f
	}
	n.log(slog.LevelInfo, "redis is back", "")
	return n.try(ctx, n.pool, q)
}

// probe asks the server for an answer to PING, on a connection of its own: each
// begins with one.
func (n *node) probe(ctx context.Context) *failure {
	c, f := n.connect(ctx)
	if f != nil {
		return f
	}
	c.close()
	return nil
}

// failed asks the server whether it is there, when a failure makes one doubt it.
// While a password changes, connections that were let in before go on.
// The probe belongs to all callers, so it does not end with this one's context.
func (n *node) failed(epoch, answers int64, f *failure) {
	if f.spared || f.barred && n.pool.size() > 0 || !n.breaker.failed(epoch, answers, f.timeout) {
		return
	}
	away := n.probe(context.Background())
	n.breaker.judged(away)
	if away != nil {
		n.looked.Store(0)
		n.log(slog.LevelWarn, "redis is away", f.text())
	}
}

// try sends the commands, and once more where that can help.
func (n *node) try(ctx context.Context, p *pool, q request) ([]Reply, *failure) {
	q.repeatable = q.repeatable || repeatable(q.commands)
	replies, f := n.once(ctx, p, q)
	if f == nil || !n.again(p, q, f) {
		return replies, f
	}
	return n.once(ctx, p, q)
}

// again says whether the commands may be sent again: when an idle connection
// turned out to be closed, before anything was answered, or when the server is
// no master any more. Its other connections have most likely gone the same way.
//
// A server may carry out a command, and be gone before it answers. So one that is
// not to be done twice is not sent again.
func (n *node) again(p *pool, q request, f *failure) bool {
	demoted := f.code == "READONLY"
	if f.barred || f.spared && !demoted {
		return false
	}
	p.flush()
	if n.sentinels != nil {
		n.sentinels.forget()
	}
	return f.lost && q.repeatable || demoted
}

func (n *node) once(ctx context.Context, p *pool, q request) ([]Reply, *failure) {
	c, f := p.get(ctx, q.repeatable)
	if f != nil {
		return nil, f
	}
	replies, f := c.exchange(ctx, n.config.Timeout+q.wait, q.commands)
	if f != nil {
		p.put(c, false)
		return nil, f
	}
	if v := verdict(q.commands, replies, n.config.Mode == "cluster"); v != nil {
		p.put(c, !unusable[v.code])
		return nil, v
	}
	if m := misfit(q.commands, replies); m != nil {
		p.put(c, false)
		return nil, m
	}
	p.put(c, true)
	return replies, nil
}

func (n *node) log(level slog.Level, what, why string) {
	if n.config.Log != nil {
		n.config.Log.Log(context.Background(), level, what, "address", n.address, "why", why)
	}
}

func (n *node) connections() int { return n.pool.size() + n.blocking.size() }

func (n *node) close() {
	n.pool.close()
	n.blocking.close()
}

// retire is for a node that was taken out of its cluster: what is under way is
// finished.
func (n *node) retire() {
	n.pool.retire()
	n.blocking.retire()
}
