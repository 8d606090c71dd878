package harness

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Trouble is what a relay makes of what is said through it.
type Trouble int32

// The troubles of a relay.
const (
	Passing    Trouble = iota // everything passes
	Refusing                  // new connections are ended at once, and those there are cut
	Swallowing                // nothing passes, and no connection ends
	Losing                    // the server's answers are lost, and the connection with them
	Doubling                  // each answer comes twice
	HalfClosed                // the server seems to have said all it has to say; what it is told passes
	Bytewise                  // answers come byte by byte
)

// Relay passes connections on to a server, and can make it seem slow, odd or away.
type Relay struct {
	// Address is where it listens, as host:port.
	Address string

	server   string
	listener net.Listener
	delay    atomic.Int64 // nanoseconds
	trouble  atomic.Int32

	mu   sync.Mutex
	open map[net.Conn]bool
}

// StartRelay starts a relay before the server of that address.
func StartRelay(server string) (*Relay, error) {
	listen, err := address(0)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	r := &Relay{Address: listen, server: server, listener: listener, open: map[net.Conn]bool{}}
	go r.accept()
	return r, nil
}

// Slow delays everything that the server says from now on. 0: no longer.
func (r *Relay) Slow(delay time.Duration) { r.delay.Store(int64(delay)) }

// Make makes trouble from now on, or ends it. Connections that saw the trouble before are cut.
func (r *Relay) Make(trouble Trouble) {
	before := Trouble(r.trouble.Swap(int32(trouble)))
	if trouble == Refusing || before != Passing {
		r.Cut()
	}
}

// Cut ends the connections there are.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.open {
		_ = conn.Close()
	}
}

// Stop accepts no more connections. Those there are end with either side.
func (r *Relay) Stop() { _ = r.listener.Close() }

func (r *Relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.relay(client)
	}
}

func (r *Relay) now() Trouble { return Trouble(r.trouble.Load()) }

func (r *Relay) relay(client net.Conn) {
	defer client.Close()
	if r.now() == Refusing {
		return
	}
	server, err := net.DialTimeout("tcp", r.server, time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	r.keep(client, true)
	defer r.keep(client, false)
	go func() {
		defer server.Close()
		r.copy(server, client, func(to net.Conn, b []byte) error {
			if r.now() == Swallowing {
				return nil
			}
			_, err := to.Write(b)
			return err
		})
	}()
	r.copy(client, server, r.answer)
}

func (r *Relay) keep(conn net.Conn, open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if open {
		r.open[conn] = true
		return
	}
	delete(r.open, conn)
}

func (r *Relay) copy(to, from net.Conn, pass func(to net.Conn, b []byte) error) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || pass(to, buffer[:n]) != nil {
			return
		}
	}
}

// answer passes on what the server said.
func (r *Relay) answer(client net.Conn, b []byte) error {
	if delay := time.Duration(r.delay.Load()); delay > 0 {
		<-time.After(delay)
	}
	switch r.now() {
	case Swallowing:
		return nil
	case Losing:
		return net.ErrClosed
	case HalfClosed:
		return client.(*net.TCPConn).CloseWrite()
	case Doubling:
		b = append(append([]byte(nil), b...), b...)
	case Bytewise:
		for i := range b {
			if _, err := client.Write(b[i : i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	_, err := client.Write(b)
	return err
}
