package redis

import (
	"context"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	maxConnections = 64 // to one server
	maxBlocking    = 8  // besides those, for commands that block
	maxDials       = 4  // that are being made at once
	// poolPatience is how long a caller waits for a connection, unless the server is
	// away by then: many who come at once are not its fault.
	poolPatience = 15 * time.Second
	checkAfter   = time.Second // idle for longer: looked at before it is used
	quietFor     = 200 * time.Microsecond
	idleFor      = 5 * time.Minute // idle for longer: closed
)

// pool keeps connections to one server, at most as many as it has slots.
type pool struct {
	connect  func(ctx context.Context) (*connection, *failure)
	patience time.Duration // for a slot, and for a turn
	away     func() bool   // says that waiting is of no use
	now      func() time.Time
	slots    chan struct{} // one for each caller that may have a connection yet
	turns    chan struct{} // one for each connection that may be made now

	mu         sync.Mutex
	idle       []*connection // the last used last
	open       map[*connection]bool
	generation int // moves on when all connections are given up
	closed     bool
}

func newPool(config *Config, bound int, connect func(ctx context.Context) (*connection, *failure)) *pool {
	p := &pool{
		connect:  connect,
		patience: config.Timeout,
		away:     func() bool { return false },
		now:      config.Now,
		slots:    filled(bound),
		turns:    filled(maxDials),
		open:     map[*connection]bool{},
	}
	return p
}

func filled(n int) chan struct{} {
	c := make(chan struct{}, n)
	for i := 0; i < n; i++ {
		c <- struct{}{}
	}
	return c
}

// get returns an idle connection or a new one, which put takes back. An idle one
// may have been closed by the server: where commands cannot be sent again, or it
// was idle for long, that is looked for.
func (p *pool) get(ctx context.Context, again bool) (*connection, *failure) {
	if f := p.acquire(ctx, p.slots); f != nil {
		return nil, f
	}
	if c := p.reuse(again); c != nil {
		return c, nil
	}
	c, f := p.dial(ctx, again)
	if f != nil {
		p.slots <- struct{}{}
		return nil, f
	}
	return c, nil
}

// dial returns a new connection; or one that was put back while the caller waited
// for its turn to make one.
func (p *pool) dial(ctx context.Context, again bool) (*connection, *failure) {
	if f := p.acquire(ctx, p.turns); f != nil {
		return nil, f
	}
	defer func() { p.turns <- struct{}{} }()
	if c := p.reuse(again); c != nil {
		return c, nil
	}
	c, f := p.fresh(ctx)
	return c, f
}

// acquire takes one of the slots or turns, in time. Who had to wait may find that
// the server is away by now.
func (p *pool) acquire(ctx context.Context, from chan struct{}) *failure {
	if wait.Now(from) {
		return nil
	}
	f := p.wait(ctx, from)
	if f == nil && p.away() {
		from <- struct{}{}
		return &failure{code: "open", spared: true}
	}
	return f
}

func (p *pool) wait(ctx context.Context, from chan struct{}) *failure {
	patient, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	if wait.For(patient, from) == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return &failure{code: "canceled", err: err, caller: true, spared: true}
	}
	return &failure{code: "busy", spared: true}
}

// reuse returns an idle connection, or nil.
func (p *pool) reuse(again bool) *connection {
	for {
		c := p.pop()
		if c == nil {
			return nil
		}
		if again && p.now().Sub(c.used) < checkAfter || c.quiet() {
			return c
		}
		p.discard(c)
	}
}

func (p *pool) pop() *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	c := p.idle[last]
	p.idle = p.idle[:last]
	c.reused = true
	return c
}

func (p *pool) fresh(ctx context.Context) (*connection, *failure) {
	p.mu.Lock()
	generation, closed := p.generation, p.closed
	p.mu.Unlock()
	if closed {
		return nil, &failure{code: "closed", spared: true}
	}
	c, f := p.connect(ctx)
	if f != nil {
		return nil, f
	}
	c.generation = generation

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.close()
		return nil, &failure{code: "closed", spared: true}
	}
	p.open[c] = true
	return c, nil
}

// put takes a connection back; one that is of no more use is closed.
func (p *pool) put(c *connection, good bool) {
	if good && p.keep(c) {
		p.slots <- struct{}{}
		return
	}
	p.discard(c)
	p.slots <- struct{}{}
}

func (p *pool) keep(c *connection) bool {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || c.generation != p.generation {
		return false
	}
	c.used = now
	p.idle = append(p.idle, c)
	if now.Sub(p.idle[0].used) > idleFor {
		p.shed()
	}
	return true
}

// shed closes the connection that was idle for longest.
func (p *pool) shed() {
	p.idle[0].close()
	delete(p.open, p.idle[0])
	p.idle = append([]*connection(nil), p.idle[1:]...)
}

func (p *pool) discard(c *connection) {
	c.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

// flush gives up all connections: those idle now, those in use when they are
// put back.
func (p *pool) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	for _, c := range p.idle {
		c.close()
		delete(p.open, c)
	}
	p.idle = nil
}

// close closes all connections, also those in use.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.open {
		c.close()
	}
	p.idle = nil
	p.open = map[*connection]bool{}
}

// retire closes the connections in use only once they are put back.
func (p *pool) retire() {
	p.flush()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}
