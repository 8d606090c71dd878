package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

const (
	// manyTokens are in a file that is exchanged under load.
	manyTokens = 100_000
	// swapPause is between two requests of each worker: it is the latency that is asked for, not the capacity, and the
	// workers are not to take from Traefik the core that reads the file.
	swapPause = 20 * time.Millisecond
	// addedBySwap is how much longer than in a quiet time a request may take.
	addedBySwap = 50 * time.Millisecond
	// starved is by how much the median grows where the machine has no core for reading the file, and starvedMost is how
	// long a request may take there.
	starved, starvedMost = 5, time.Second
	// swapTries is how often the file is exchanged at most.
	swapTries = 3
)

// A file of many tokens is taken over while requests go on, and none of them waits for it.
//
// What is compared is the longest answer while the file is exchanged with the longest one in as much time without,
// right afterwards, with as many tokens in memory: 99 % would let a stop pass that is but one request of each worker. The
// longest answer is also what other programs of the machine spoil most easily. But whatever the exchange itself makes
// wait, it does so each time, so one exchange without a long answer is proof enough; it is looked for in three.
//
// Reading takes one core for seconds. Where others have taken it, the system lets all of Traefik wait, which the median
// tells, and 50 ms are no measure any more. Requests that wait for the reading itself would take seconds even then.
//
// It measures time, so nothing runs beside it.
func TestShadowFileSwap(t *testing.T) {
	s := startShadow(t, lookEvery)
	p := s.login(0, "alice")
	token := s.create(0, p, "busy")
	s.judges(token, http.StatusOK, "a token")
	own := s.tokens()
	for try := 1; ; try++ {
		added, content := s.crowded(own)
		swapped := func() error {
			if n := s.number("latchkey_api_tokens"); n != manyTokens+1 {
				return fmt.Errorf("%v tokens", n)
			}
			return nil
		}
		if try > 1 {
			loads := s.number("latchkey_api_tokens_loads_total")
			swapped = func() error {
				if s.number("latchkey_api_tokens_loads_total") == loads {
					return fmt.Errorf("not loaded")
				}
				return nil
			}
		}
		began := time.Now()
		s.put(content, 0o600)
		during := s.bareLoadUntil(token, workers, swapPause, swapped)
		took := time.Since(began)
		s.judges(added, http.StatusOK, "a token of the new file")
		quiet := s.bareLoad(token, workers, swapPause, took)
		t.Logf("%d tokens (%d MB) were taken over %v after the exchange", manyTokens, len(content)>>20, took.Round(10*time.Millisecond))
		t.Logf("during: %v", during)
		t.Logf("quiet:  %v", quiet)
		if len(during.statuses) != 1 || len(quiet.statuses) != 1 {
			t.Errorf("the answers by status are %v, then %v, want 418 alone", during.statuses, quiet.statuses)
		}
		longest, most := during.took[len(during.took)-1], quiet.took[len(quiet.took)-1]+addedBySwap
		if during.took[len(during.took)/2] > starved*quiet.took[len(quiet.took)/2] {
			t.Logf("the machine had no core to spare: %v is the most", starvedMost)
			most = starvedMost
		}
		if longest <= most {
			return
		}
		if try == swapTries {
			t.Fatalf("a request took %v while the file was exchanged, want %v at most, each of %d times", longest, most, try)
		}
	}
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

// bareLoad has workers ask with a token for some time, each on a connection of its own.
func (s *shadow) bareLoad(t apiToken, workers int, pause, d time.Duration) loaded {
	s.t.Helper()
	ends := time.Now().Add(d)
	return s.bareLoadUntil(t, workers, pause, func() error {
		if left := time.Until(ends); left > 0 {
			return fmt.Errorf("%v left", left)
		}
		return nil
	})
}

// bareLoadUntil is bareLoad until something is done.
func (s *shadow) bareLoadUntil(t apiToken, workers int, pause time.Duration, done func() error) loaded {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	each := make([]loaded, workers)
	var all sync.WaitGroup
	for i := range each {
		each[i].statuses = map[int]int{}
		all.Go(func() { s.bareWorker(ctx, t, pause, &each[i]) })
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

func (s *shadow) bareWorker(ctx context.Context, t apiToken, pause time.Duration, l *loaded) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, s.Traefik.URL+"/bare", nil)
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
		if pause > 0 {
			<-time.After(pause)
		}
	}
}
