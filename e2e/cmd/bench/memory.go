package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// memory measures what Traefik's heap grows by, after a garbage collection, for each session and each bearer token
// that Latchkey remembers. All logins are real, through another Traefik, so that nothing of them is in the figure.
func (b *bench) memory(ctx context.Context) ([]series, error) {
	var all []series
	if b.wanted("memory-session") {
		s, err := b.sessionMemory(ctx)
		if err != nil {
			return nil, fmt.Errorf("measure the memory of sessions: %w", err)
		}
		all = append(all, s)
	}
	if b.wanted("memory-bearer") {
		s, err := b.bearerMemory(ctx)
		if err != nil {
			return nil, fmt.Errorf("measure the memory of bearer tokens: %w", err)
		}
		all = append(all, s)
	}
	return all, nil
}

func (b *bench) sessionMemory(ctx context.Context) (series, error) {
	say("logging in %d times", b.sessions)
	cookies, err := b.logIns(ctx, stage{}, b.sessions)
	if err != nil {
		return series{}, err
	}
	return b.growth(ctx, "memory-session", func(i int) (field, error) { return cookies[i], nil })
}

func (b *bench) bearerMemory(ctx context.Context) (series, error) {
	tokens := make([]string, b.sessions)
	for i := range tokens {
		var err error
		if tokens[i], err = b.issuer.sign(quick, fmt.Sprintf("user-%d", i)); err != nil {
			return series{}, err
		}
	}
	return b.growth(ctx, "memory-bearer", func(i int) (field, error) { return authorization(tokens[i]), nil })
}

// growth sends each credential twice to a Traefik of its own: the first tenth to have everything else in place, the
// rest between two looks at the heap.
func (b *bench) growth(ctx context.Context, name string, credential func(int) (field, error)) (series, error) {
	at := stage{name: name}
	t, err := b.traefik(ctx, at)
	if err != nil {
		return series{}, err
	}
	defer b.end(at)
	var length atomic.Int64
	send := func(first, last int) error {
		return sendAll(ctx, navigation(t.URL, "latchkey").address(), 2*(last-first), func(i int) ([]byte, error) {
			f, err := credential(first + i/2)
			length.Store(int64(len(f.value)))
			return navigation(t.URL, "latchkey", f).bytes(), err
		})
	}
	warm := b.sessions / 10
	if err := send(0, warm); err != nil {
		return series{}, err
	}
	before, err := liveHeap(ctx, t)
	if err != nil {
		return series{}, err
	}
	if err := send(warm, b.sessions); err != nil {
		return series{}, err
	}
	after, err := liveHeap(ctx, t)
	if err != nil {
		return series{}, err
	}
	n := b.sessions - warm
	each := (after - before) / float64(n)
	note := fmt.Sprintf("live heap after garbage collection, %d of them, header of %d bytes", n, length.Load())
	return series{row: name, measure: "bytes", samples: []float64{each}, note: note}, nil
}

// liveHeap is what Traefik's heap holds after a garbage collection, in bytes.
func liveHeap(ctx context.Context, t *harness.Traefik) (float64, error) {
	var live float64
	for range 2 { // a sync.Pool lets go at the second
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.API+"/debug/pprof/heap?gc=1&debug=1", nil)
		if err != nil {
			return 0, err
		}
		if live, err = heapAlloc(r); err != nil {
			return 0, fmt.Errorf("read the heap of Traefik: %w", err)
		}
	}
	return live, nil
}

// heapAlloc reads the line "# HeapAlloc = 123" of runtime/pprof.
func heapAlloc(r *http.Request) (float64, error) {
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "# HeapAlloc = "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("no HeapAlloc in %s, status %s", r.URL, res.Status)
}
