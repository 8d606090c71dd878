package revocation

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// A Redis that comes back may be another one, whose clock is behind: what it got
// before we were back has an earlier id than what was read last.
func TestAnEarlierClock(t *testing.T) {
	g := newRig(t)
	l := g.replica()
	last := g.clock.now().UnixMilli()
	e := g.clock.entry(Session("a"))
	for _, id := range []int64{last - 1000, last + 1000} {
		g.server.Command("XADD", "test:revocations", strconv.FormatInt(id, 10)+"-0",
			"k", e.Key.Text(), "a", strconv.FormatInt(e.At, 10), "u", strconv.FormatInt(e.Until, 10))
		e = g.clock.entry(Session("b"))
	}
	at := &position{tail: strconv.FormatInt(last, 10) + "-0", doubt: true, page: largestPage}
	for i := 0; i < 5; i++ {
		if err := l.step(context.Background(), at); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b"} {
		if !l.Index().Revoked(1, []Key{Session(id)}) {
			t.Errorf("the entry of %s was not read", id)
		}
	}
}

// The reader may meet an entry before its writer has Redis' answer. That entry was
// read back all the same: it is not waited for, and not written again.
func TestReadBackBeforeTheAnswer(t *testing.T) {
	g := newRig(t)
	answer := make(chan struct{})
	l := g.replicaOf(redis.Config{Addresses: []string{g.behind(answer)}})
	eventually(t, "the log to be read", func() bool { return g.check(l, "nobody") == "clean" })
	done := make(chan error)
	go func() {
		defer func() { _ = recover() }()
		done <- g.revoke(l, "s")
	}()
	eventually(t, "the entry to be read back", func() bool { return l.Stats().Read == 1 })
	if l.Stats().Written != 0 {
		t.Error("the answer did not wait")
	}
	close(answer)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.sent) + len(l.unheard); n != 0 {
		t.Errorf("%d entries are waited for", n)
	}
}

// behind is the address of a proxy of the server: what is answered on a connection
// that wrote an entry is held back until the channel is closed.
func (g *rig) behind(answer <-chan struct{}) string {
	g.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		defer func() { _ = recover() }()
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", g.server.Addr())
			if err != nil {
				_ = near.Close()
				return
			}
			var wrote atomic.Bool
			go pass(far, near, func(data []byte) {
				if bytes.Contains(data, []byte("XADD")) {
					wrote.Store(true)
				}
			})
			go pass(near, far, func(data []byte) {
				if wrote.Load() {
					<-answer
				}
			})
		}
	}()
	return listener.Addr().String()
}

// pass hands on what comes, once it was seen.
func pass(to, from net.Conn, seen func([]byte)) {
	defer func() { _ = recover() }()
	defer to.Close()
	data := make([]byte, 64<<10)
	for {
		n, err := from.Read(data)
		if err != nil {
			return
		}
		seen(data[:n])
		if _, err := to.Write(data[:n]); err != nil {
			return
		}
	}
}

// An entry without a key, or without one of its times, is none.
func TestEntriesThatAreNone(t *testing.T) {
	key := paddedKey{Key: Session("s")}
	keys := []paddedKey{key, key, key, {}, key}
	at := []int64{1000, 0, 1000, 1000, 2000}
	until := []int64{5, 5, 0, 5, 6}
	entries := make([]Entry, len(keys))
	if none := join(entries, keys, at, until, make([]int64, len(keys))); none != 3 || entries[0].At != 1000 || entries[1].At != 2000 || entries[2].At != 0 {
		t.Errorf("%d are none: %+v", none, entries)
	}
}
