package main

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

const (
	// lookQuery is the query of a request that asks to be looked at.
	lookQuery = "?look"

	answerBody = "ok"
	answer     = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n" + answerBody
)

// upstream answers ok to everything, and spends as little as it can: it reads to the empty line. Only requests that
// ask to be looked at are kept; others may still be on their way when the program that sent them has ended.
type upstream struct {
	url      string
	listener net.Listener
	answered atomic.Int64

	mu   sync.Mutex
	seen *http.Request // the last one that asked to be looked at
}

func startUpstream() (*upstream, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{url: "http://" + listener.Addr().String(), listener: listener}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go u.serve(c)
		}
	}()
	return u, nil
}

// stop closes the port. The connections are Traefik's to close.
func (u *upstream) stop() { u.listener.Close() }

func (u *upstream) serve(c net.Conn) {
	defer c.Close()
	reader := bufio.NewReaderSize(c, 64<<10)
	var head bytes.Buffer
	for {
		head.Reset()
		for first, look := true, false; ; first = false {
			line, err := reader.ReadSlice('\n')
			if err != nil {
				return
			}
			if look = look || first && bytes.Contains(line, []byte(lookQuery)); look {
				head.Write(line)
			}
			if len(line) <= len("\r\n") {
				break
			}
		}
		if head.Len() > 0 {
			u.see(head.Bytes())
		}
		u.answered.Add(1)
		if _, err := c.Write([]byte(answer)); err != nil {
			return
		}
	}
}

func (u *upstream) see(head []byte) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen = r
}

// takeSeen returns the last request that asked to be looked at, once, or nil.
func (u *upstream) takeSeen() *http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := u.seen
	u.seen = nil
	return seen
}
