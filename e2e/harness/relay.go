package harness

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Relay passes connections on to a server, and can make it seem slow.
type Relay struct {
	// Address is where it listens, as host:port.
	Address string

	server   string
	listener net.Listener
	delay    atomic.Int64 // nanoseconds
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
	r := &Relay{Address: listen, server: server, listener: listener}
	go r.accept()
	return r, nil
}

// Slow delays everything that the server says from now on. 0: no longer.
func (r *Relay) Slow(delay time.Duration) { r.delay.Store(int64(delay)) }

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

func (r *Relay) relay(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", r.server, time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if delay := time.Duration(r.delay.Load()); delay > 0 {
			<-time.After(delay)
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
