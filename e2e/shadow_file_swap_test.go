package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

const (
	// manyTokens are in a file that is exchanged under load.
	manyTokens = 100_000
	// swapPause is between two requests of each worker: the workers are not to take from Traefik the core that reads the
	// file.
	swapPause = 20 * time.Millisecond
	// mostRounds is how often workers who ask for a page without the plugin may be answered, all of them, between two
	// answers of the others.
	mostRounds = 3
)

// A file of many tokens is taken over while requests go on, and none of them waits for it.
//
// What a machine lets all of Traefik wait for says nothing about that, so nothing here is a time: as many workers ask for
// a page without the plugin, at the same pace, and their answers are counted. What stops the requests with a token and
// not the others is ours. Reading takes seconds: requests that waited for it would let the others be answered hundreds
// of times.
func TestShadowFileSwap(t *testing.T) {
	s := startShadow(t, lookEvery)
	s.dynamic.Routers["plain"] = harness.Router{Rule: "PathPrefix(`/plain`)", Service: "noop@internal"}
	if err := s.Traefik.Reload(t.Context(), s.dynamic); err != nil {
		t.Fatal(err)
	}
	p := s.login(0, "alice")
	token := s.create(0, p, "busy")
	s.judges(token, http.StatusOK, "a token")
	added, content := s.crowded(s.tokens())
	began := time.Now()
	s.put(content, 0o600)
	r := &race{}
	during := s.raceUntil(r, token, func() error {
		if n := s.number("latchkey_api_tokens"); n != manyTokens+1 {
			return fmt.Errorf("%v tokens", n)
		}
		return nil
	})
	t.Logf("%d tokens (%d MB) were taken over %v after the exchange: answers by status %v", manyTokens, len(content)>>20, time.Since(began).Round(10*time.Millisecond), during.statuses)
	t.Logf("%d answers without the plugin meanwhile, %d at most between two with it", r.all, r.most)
	s.judges(added, http.StatusOK, "a token of the new file")
	if len(during.statuses) != 1 || during.statuses[http.StatusTeapot] == 0 {
		t.Errorf("the answers by status are %v, want 418 alone", during.statuses)
	}
	if r.most > mostRounds*workers {
		t.Errorf("%d requests without the plugin were answered between two with a token, want %d at most", r.most, mostRounds*workers)
	}
	if r.all < 2*mostRounds*workers {
		t.Errorf("%d requests without the plugin were answered while the file was taken over: it shows nothing", r.all)
	}
}

// race counts the answers of a control between two answers of those whom it is about.
type race struct {
	mu               sync.Mutex
	all, since, most int
}

func (r *race) control() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all++
	r.since++
	r.most = max(r.most, r.since)
}

func (r *race) answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since = 0
}

// raceUntil is bareLoadUntil with the control beside it.
func (s *shadow) raceUntil(r *race, t apiToken, done func() error) loaded {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	var control sync.WaitGroup
	for range workers {
		control.Go(func() {
			var l loaded
			l.statuses = map[int]int{}
			s.bareWorker(ctx, "/plain", apiToken{}, swapPause, &l, r.control)
		})
	}
	l := s.bareLoadUntil(t, workers, swapPause, r.answered, done)
	cancel()
	control.Wait()
	return l
}

// crowded is a file with many other tokens besides, one of which is returned.
func (s *shadow) crowded(own map[string]apitoken.Token) (apiToken, []byte) {
	s.t.Helper()
	tokens := make(map[string]apitoken.Token, manyTokens+len(own))
	for id, t := range own {
		tokens[id] = t
	}
	var one apiToken
	for i := range manyTokens {
		added, record := newRecord(fmt.Sprintf("user-%d", i))
		tokens[added.id] = record
		one = added
	}
	return one, s.edited(tokens)
}

// bareLoadUntil has workers ask with a token, each on a connection of its own, until something is done.
func (s *shadow) bareLoadUntil(t apiToken, workers int, pause time.Duration, answered func(), done func() error) loaded {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	each := make([]loaded, workers)
	var all sync.WaitGroup
	for i := range each {
		each[i].statuses = map[int]int{}
		all.Go(func() { s.bareWorker(ctx, "/bare", t, pause, &each[i], answered) })
	}
	s.within(2*time.Minute, "the end of the load", done)
	cancel()
	all.Wait()
	l := loaded{statuses: map[int]int{}}
	for _, one := range each {
		l.took = append(l.took, one.took...)
		for status, n := range one.statuses {
			l.statuses[status] += n
		}
	}
	slices.Sort(l.took)
	return l
}

func (s *shadow) bareWorker(ctx context.Context, path string, t apiToken, pause time.Duration, l *loaded, answered func()) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, s.Traefik.URL+path, nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+t.credential)
	for ctx.Err() == nil {
		began := time.Now()
		status := 0
		if res, err := client.Do(r); err == nil {
			res.Body.Close()
			status = res.StatusCode
		}
		l.took = append(l.took, time.Since(began))
		l.statuses[status]++
		answered()
		if pause > 0 {
			<-time.After(pause)
		}
	}
}
