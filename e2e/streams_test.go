package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	// socketsOpen and eventStreams are open at once, half of them at each replica, and half of either session.
	socketsOpen, eventStreams = 200, 200
	// closedWithin is how long a stream may outlive its session.
	closedWithin = time.Second
)

// stream is an open WebSocket or event stream.
type stream struct {
	kind   string
	heard  atomic.Int64 // messages or events so far
	closed chan struct{}
	ended  time.Time // set before closed is closed
	socket *websocket.Conn
}

// alive checks that the stream still carries something.
func (s *stream) alive(ctx context.Context) error {
	before := s.heard.Load()
	if s.socket != nil {
		if err := s.socket.Write(ctx, websocket.MessageText, []byte("ping")); err != nil {
			return fmt.Errorf("write to a %s: %w", s.kind, err)
		}
	}
	return harness.Poll(ctx, "something on a "+s.kind, func() error {
		if s.heard.Load() == before {
			return errors.New("nothing came")
		}
		return nil
	})
}

func (s *stream) isOpen() bool {
	select {
	case <-s.closed:
		return false
	default:
		return true
	}
}

// listen notes what comes until next fails.
func (s *stream) listen(next func() error) {
	s.closed = make(chan struct{})
	go func() {
		for next() == nil {
			s.heard.Add(1)
		}
		s.ended = time.Now()
		close(s.closed)
	}()
}

func (f *fleet) openSocket(replica int, name, value string) (*stream, error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	address := "ws" + strings.TrimPrefix(f.Traefiks[replica].URL, "http") + "/live/ws"
	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: http.Header{name: {value}}})
	if err != nil {
		return nil, err
	}
	f.t.Cleanup(func() { _ = c.CloseNow() })
	s := &stream{kind: "WebSocket", socket: c}
	s.listen(func() error {
		_, _, err := c.Read(context.Background())
		return err
	})
	return s, nil
}

func (f *fleet) openEvents(replica int, name, value string) (*stream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.Traefiks[replica].URL+"/live/events", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set(name, value)
	res, err := crowd.Do(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("event stream: status %s", res.Status)
	}
	s := &stream{kind: "event stream"}
	lines := bufio.NewScanner(res.Body)
	s.listen(func() error {
		if lines.Scan() {
			return nil
		}
		res.Body.Close()
		return errors.New("it ended")
	})
	return s, nil
}

// streams opens some of either kind with a cookie, at the replicas in turn.
func (f *fleet) streams(sockets, events int, cookie string) []*stream {
	f.t.Helper()
	opened := make([]*stream, sockets+events)
	err := side(8, len(opened), func(i int) error {
		open := f.openSocket
		if i >= sockets {
			open = f.openEvents
		}
		var err error
		opened[i], err = open(i%len(f.Traefiks), "Cookie", cookie)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return opened
}

// stay checks that streams are open and carry something.
func (f *fleet) stay(streams []*stream, whose string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var dead atomic.Int64
	for _, s := range streams {
		all.Go(func() {
			if err := s.alive(ctx); err != nil && dead.Add(1) == 1 {
				f.t.Errorf("a stream of %s: %v", whose, err)
			}
		})
	}
	all.Wait()
	if n := dead.Load(); n > 0 {
		f.t.Errorf("%d of %d streams of %s are dead, want none", n, len(streams), whose)
	}
}

// end checks that streams that were open are closed soon after began.
func (f *fleet) end(streams []*stream, began time.Time, whose string) {
	f.t.Helper()
	deadline := time.After(10 * time.Second)
	var took []time.Duration
	open := 0
	for _, s := range streams {
		select {
		case <-s.closed:
			took = append(took, s.ended.Sub(began))
		case <-deadline:
			deadline = time.After(0)
			if s.isOpen() {
				open++
			}
		}
	}
	if open > 0 {
		f.t.Errorf("%d of %d streams of %s are still open, 10 s after their session's end", open, len(streams), whose)
	}
	within(f.t, "streams of "+whose+" closed", took, closedWithin)
}

// The streams of a session end with it, on every replica, and no others do. A reload does not lose sight of them.
// It measures time, so nothing runs beside it.
func TestStreamsEndWithTheirSession(t *testing.T) {
	f := startFleet(t, fleetPlan{store: "redis", traefik: harness.TraefikOptions{LogLevel: "INFO"}})
	alice, bob := f.login(0, "alice"), f.login(1, "bob")
	first := f.streams(socketsOpen/2, eventStreams/2, alice.cookie)
	second := f.streams(socketsOpen/2, eventStreams/2, bob.cookie)
	f.stay(first, "alice")
	f.stay(second, "bob")

	began := time.Now()
	f.logout(0, alice.cookie)
	f.end(first, began, "alice")
	f.stay(second, "bob")

	for i := range f.Traefiks {
		if err := f.reload(i); err != nil {
			t.Fatal(err)
		}
	}
	f.answers(bob.cookie, http.StatusOK, "bob after the reload")
	f.stay(second, "bob after the reload")
	began = time.Now()
	f.isTaken(1, f.logoutToken("bob", ""))
	f.end(second, began, "bob")
	if _, err := f.openSocket(0, "Cookie", bob.cookie); err == nil {
		t.Error("a new WebSocket of an ended session was let through")
	}
}

// A stream lasts no longer than its session may.
func TestStreamsEndWithTheLifetime(t *testing.T) {
	t.Parallel()
	const lifetime = 6 * time.Second
	for _, store := range []string{"cookie", "memory"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, fleetPlan{replicas: 1, store: store, alone: true, settings: func(s harness.Settings) harness.Settings {
				return s.With("session", "lifetime", int(lifetime/time.Second))
			}})
			p := f.login(0, "alice")
			logged := time.Now()
			opened := f.streams(3, 3, p.cookie)
			f.stay(opened, "alice")
			// Whole seconds count; the login was some time between p.since and logged.
			f.within(lifetime, "the session to be about to end", func() error {
				if left := time.Until(p.since.Add(lifetime - 2*time.Second)); left > 0 {
					return fmt.Errorf("%v left", left)
				}
				return nil
			})
			f.stay(opened, "alice, shortly before the end")
			f.end(opened, logged.Add(lifetime), "alice")
			f.answers(p.cookie, http.StatusUnauthorized, "the session after its end")
		})
	}
}

// The streams of a program end with its token.
func TestStreamsEndWithTheirToken(t *testing.T) {
	t.Parallel()
	const lifetime = 5 * time.Second
	f := startFleet(t, fleetPlan{replicas: 1, store: "cookie", alone: true})
	f.Provider.SetAccessTokenLifetime(lifetime)
	issued := time.Now()
	token := f.bearer("alice")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	address := "ws" + strings.TrimPrefix(f.Traefiks[0].URL, "http") + "/live/ws"
	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	s := &stream{kind: "WebSocket", socket: c}
	s.listen(func() error {
		_, _, err := c.Read(ctx)
		return err
	})
	f.stay([]*stream{s}, "a program")
	select {
	case <-s.closed:
	case <-time.After(lifetime + 10*time.Second):
		t.Fatal("the stream is open, 10 s after its token's end")
	}
	if lasted := s.ended.Sub(issued); lasted < lifetime-2*time.Second || lasted > lifetime+2*time.Second {
		t.Errorf("the stream ended %v after its token was issued, want about %v", lasted, lifetime)
	}
}
