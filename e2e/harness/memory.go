package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
)

// Memory is what Traefik's process holds.
type Memory struct {
	HeapAlloc  int64 // bytes of live objects, and of dead ones not yet swept
	HeapInuse  int64 // bytes of the spans that they lie in
	HeapSys    int64 // bytes of heap asked of the system: the most there ever was
	Goroutines int64
}

// Memory has Traefik collect its garbage and says what is left. Traefik must have been started with Debug.
func (t *Traefik) Memory(ctx context.Context) (Memory, error) {
	var m Memory
	var heap []byte
	for range 3 { // what a sync.Pool or a finalizer holds goes with the second collection or the third
		var err error
		if heap, err = t.Profile(ctx, "heap?gc=1&debug=1"); err != nil {
			return Memory{}, err
		}
	}
	goroutines, err := t.Profile(ctx, "goroutine?debug=1")
	if err != nil {
		return Memory{}, err
	}
	for _, number := range []struct {
		to      *int64
		in      []byte
		pattern string
	}{
		{&m.HeapAlloc, heap, `# HeapAlloc = (\d+)`},
		{&m.HeapInuse, heap, `# HeapInuse = (\d+)`},
		{&m.HeapSys, heap, `# HeapSys = (\d+)`},
		{&m.Goroutines, goroutines, `goroutine profile: total (\d+)`},
	} {
		found := regexp.MustCompile(number.pattern).FindSubmatch(number.in)
		if found == nil {
			return Memory{}, fmt.Errorf("read memory: nothing matches %q", number.pattern)
		}
		if *number.to, err = strconv.ParseInt(string(found[1]), 10, 64); err != nil {
			return Memory{}, fmt.Errorf("read memory: %w", err)
		}
	}
	return m, nil
}

// Profile is one of Traefik's under /debug/pprof/, such as "heap" or "goroutine?debug=1".
func (t *Traefik) Profile(ctx context.Context, name string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.API+"/debug/pprof/"+name, nil)
	if err != nil {
		return nil, err
	}
	res, err := t.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("profile %q: status %s", name, res.Status)
	}
	return io.ReadAll(res.Body)
}
