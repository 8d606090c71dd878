package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// tokenStreams is how many WebSockets, and how many event streams, of either token are open, half at each replica.
const tokenStreams = 20

// The streams that a secret opened end with it, on every replica, and no others do.
func (f *fleet) tokenStreamsEnd(p *person) {
	revoked, rotated, stays := f.create(0, p, "revoked"), f.create(1, p, "rotated"), f.create(1, p, "stays")
	first, second, third := f.openWith(revoked), f.openWith(rotated), f.openWith(stays)
	f.stay(first, "the token to be revoked")
	f.stay(second, "the token to be rotated")

	began := time.Now()
	f.revokeToken(0, p, revoked)
	f.end(first, began, "the revoked token")
	f.stay(second, "another token")

	began = time.Now()
	f.rotate(1, p, rotated)
	f.end(second, began, "the rotated token")
	f.stay(third, "a token that nothing happened to")
	for i := range f.Traefiks {
		if _, err := f.openTokenSocket(i, revoked); err == nil {
			f.t.Errorf("replica %d let a new WebSocket of the revoked token through", i)
		}
	}
}

// openWith opens streams of either kind with a token, at the replicas in turn.
func (f *fleet) openWith(t apiToken) []*stream {
	f.t.Helper()
	opened := make([]*stream, 2*tokenStreams)
	err := side(8, len(opened), func(i int) error {
		open := f.openTokenSocket
		if i >= tokenStreams {
			open = f.openTokenEvents
		}
		var err error
		opened[i], err = open(i%len(f.Traefiks), t)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return opened
}

func (f *fleet) openTokenSocket(replica int, t apiToken) (*stream, error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	address := "ws" + strings.TrimPrefix(f.Traefiks[replica].URL, "http") + "/live/ws"
	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: http.Header{"X-Api-Key": {t.credential}}})
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

func (f *fleet) openTokenEvents(replica int, t apiToken) (*stream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.Traefiks[replica].URL+"/live/events", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+t.credential)
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
