package revocation

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// hasty is a proxy that has Redis hold no read: it leaves out BLOCK. It counts them.
type hasty struct {
	listener net.Listener
	server   string
	reads    atomic.Int64
}

func startHasty(t *testing.T, server string) *hasty {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hasty{listener: listener, server: server}
	t.Cleanup(func() { _ = listener.Close() })
	go h.accept()
	return h
}

func (h *hasty) accept() {
	for {
		client, err := h.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", h.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		go h.copy(server, client)
		go h.copy(client, server)
	}
}

func (h *hasty) copy(to, from net.Conn) {
	defer to.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if h.passOn(to, b[:n]) != nil {
			return
		}
	}
}

func (h *hasty) passOn(to net.Conn, b []byte) error {
	held := []byte("$5\r\nBLOCK\r\n$4\r\n1000\r\n")
	if bytes.Contains(b, held) {
		h.reads.Add(1)
		b = bytes.Replace(b, held, nil, 1)
		b = bytes.Replace(b, []byte("*8\r\n"), []byte("*6\r\n"), 1)
	}
	_, err := to.Write(b)
	return err
}

// A proxy that holds no read is not asked without a pause.
func TestReadsThatAreNotHeld(t *testing.T) {
	g := newRig(t)
	h := startHasty(t, g.server.Addr())
	l := g.replicaOf(redis.Config{Addresses: []string{h.listener.Addr().String()}})
	eventually(t, "the log to be read", func() bool { return g.check(l, "nobody") == "clean" })
	eventually(t, "a read", func() bool { return h.reads.Load() > 0 })
	first, began := h.reads.Load(), time.Now()
	eventually(t, "reads", func() bool { return h.reads.Load() >= first+10 })
	if took := time.Since(began); took < 8*pause {
		t.Errorf("10 reads within %v", took)
	}
	g.mustRevoke(g.reading(), "a")
	eventually(t, "what another replica wrote", func() bool { return g.check(l, "a") == "revoked" })
}
