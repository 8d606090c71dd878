package redis

import (
	"context"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// A deadline that passed long before anybody looked, as on a machine that had no
// time for us: what the server says is heard all the same.
func TestDeadlineOfALateReader(t *testing.T) {
	for name, s := range map[string]*redistest.Server{"plain": redistest.Start(t), "TLS": redistest.StartSecure(t)} {
		config := Config{Addresses: []string{s.Addr()}, Timeout: generous}
		if name == "TLS" {
			config.TLS = s.TLS()
			config.Username = redistest.User
			config.Password = password(redistest.Password)
		}
		c, f := connect(background, &config, s.Addr())
		if f != nil {
			t.Fatalf("%s: %s", name, f.text())
		}
		for i := 0; i < 20; i++ {
			replies, f := c.exchange(background, -maxSpare+time.Second, [][]string{{"PING"}, {"ECHO", "x"}})
			if f != nil {
				t.Fatalf("%s, %d: %s", name, i, f.text())
			}
			expect(t, name, show(replies[0])+show(replies[1]), `"PONG""x"`)
		}
		c.close()
	}
}

func TestExtend(t *testing.T) {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	end := time.Unix(1700000000, 0)
	for _, test := range []struct {
		name   string
		late   time.Duration
		queue  time.Duration
		looked bool
		spare  time.Duration
		want   time.Duration // how much more; 0: that is all
	}{
		{"in time: one look", 0, 0, false, maxSpare, lookFor},
		{"nearly in time: one look", slow - 1, 0, false, maxSpare, lookFor},
		{"in time, looked already", 0, 0, true, maxSpare, 0},
		{"nearly in time, looked already", slow - 1, 0, true, maxSpare, 0},
		{"late", slow, 0, false, maxSpare, slow},
		{"late, looked already", slow, 0, true, maxSpare, slow},
		{"very late", time.Second, 0, true, maxSpare, time.Second},
		{"later than can be spared", time.Hour, 0, false, maxSpare, maxSpare},
		{"late, and little left", time.Second, 0, true, time.Millisecond, time.Millisecond},
		{"late, and nothing left", time.Second, 0, true, 0, 0},
		{"in time, and a long queue", 0, time.Second, true, maxSpare, time.Second},
		{"late, and a longer queue", slow, time.Second, true, maxSpare, time.Second},
		{"later than the queue", time.Second, slow, true, maxSpare, time.Second},
		{"strict", 0, 0, false, 0, 0},
	} {
		p := &patient{stream: here, deadline: end, looked: test.looked, spare: test.spare}
		more := p.extend(test.queue, end.Add(test.late))
		if more != (test.want > 0) {
			t.Errorf("%s: more is %v", test.name, more)
		}
		if got := p.deadline.Sub(end.Add(test.late)); more && got != test.want {
			t.Errorf("%s: %s more, want %s", test.name, got, test.want)
		}
		if spent := test.spare - p.spare; spent != test.want {
			t.Errorf("%s: %s spent, want %s", test.name, spent, test.want)
		}
	}
}

// Commands that are not answered say nothing about a server that answers a probe.
func TestProbeDecides(t *testing.T) {
	var mu sync.Mutex
	mute := false
	s := startScripted(t, func(_ net.Conn) {}) // the former is never answered
	s.ping = func(conn net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		if !mute {
			say(conn, "+PONG\r\n")
		}
	}
	c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: 100 * time.Millisecond})
	for i := 0; i < 2*failuresToOpen; i++ {
		_, err := c.Do(background, "GET", "former")
		expectError(t, "never answered", err, ErrUnavailable, "timeout")
		expect(t, "the breaker, for the server is there", c.Health().Breaker, "closed")
	}
	get(t, "another command", c, "own")
	mu.Lock()
	mute = true
	mu.Unlock()
	_, err := c.Do(background, "GET", "former")
	expectError(t, "never answered", err, ErrUnavailable, "timeout")
	expect(t, "the breaker of a server that answers nothing", c.Health().Breaker, "open")
}

// However many callers come at once, few connections are made at a time; and who
// waited for a turn takes one that came free meanwhile.
func TestDialsAreBounded(t *testing.T) {
	asked := make(chan struct{}, 100)
	more := make(chan struct{})
	s := startScripted(t, func(conn net.Conn) { say(conn, bulkOf("former")) })
	s.ping = func(conn net.Conn) {
		asked <- struct{}{}
		<-more
		say(conn, "+PONG\r\n")
	}
	c := open1(t, Config{Addresses: []string{s.listener.Addr().String()}, Timeout: generous})
	var wg sync.WaitGroup
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			get(t, "one of many", c, "own")
		}()
	}
	for i := 0; i < maxDials; i++ {
		<-asked
	}
	waitFor(t, "the others to wait", func() bool { return len(c.node.pool.slots) == maxConnections-50 })
	if accepted, _, _ := s.counts(); accepted != maxDials {
		t.Errorf("%d connections are being made at once, want %d", accepted, maxDials)
	}
	close(more)
	wg.Wait()
	if accepted, _, _ := s.counts(); accepted == 50 {
		t.Error("each caller has a connection of its own; none took one that came free")
	}
	if h := c.Health(); h.Failures != 0 {
		t.Errorf("health: %+v, want no failure", h)
	}
}

// Waiting for a connection is no failure. Who waited is told when the server is
// away by then, and leaves its place to the next.
func TestWaitingForAConnection(t *testing.T) {
	p := newPool(&Config{Timeout: generous, Now: time.Now}, 1, func(_ context.Context) (*connection, *failure) {
		here, _ := net.Pipe()
		return &connection{raw: here, stream: here}, nil
	})
	p.away = func() bool { return true } // asked by those who had to wait, and by no others
	waitFor(t, "somebody to have waited", func() bool {
		held, f := p.get(background, true)
		if f != nil {
			t.Fatalf("nobody to wait for: %s", f.text())
		}
		ended := make(chan *failure, 1)
		go func() {
			c, f := p.get(background, true)
			if f == nil {
				p.put(c, true)
			}
			ended <- f
		}()
		runtime.Gosched()
		p.put(held, true)
		f = <-ended
		if f != nil && (f.code != "open" || !f.spared) {
			t.Errorf("got %s, want open, which is spared", f.text())
		}
		if len(p.slots) != 1 || len(p.turns) != maxDials {
			t.Errorf("%d slots and %d turns are left", len(p.slots), len(p.turns))
		}
		return f != nil
	})
	n := newNode(&Config{Timeout: time.Second, Now: time.Now}, "")
	if n.pool.patience != poolPatience || n.blocking.patience != time.Second {
		t.Errorf("callers wait for %s and %s", n.pool.patience, n.blocking.patience)
	}
}
