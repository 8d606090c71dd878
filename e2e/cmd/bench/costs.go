package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	compiledcosts "github.com/latchkey-auth/latchkey/e2e/cmd/bench/testdata/costs"
)

// costsRow is the name of the part.
const costsRow = "costs"

// cost is what one kind of request takes in ServeHTTP.
type cost struct {
	Input       string  `json:"input"`
	Bytes       int     `json:"bytes"`  // of the request
	Status      int     `json:"status"` // of the answer
	Compiled    spread  `json:"compiledMs"`
	Interpreted spread  `json:"interpretedMs"`
	KB          spread  `json:"interpretedKB"` // allocated
	Goal        float64 `json:"goalMs"`        // interpreted
}

type handler = func(http.ResponseWriter, *http.Request)

// costs measures what a request without a good credential takes: CPU time, and what is allocated.
func (b *bench) costs(ctx context.Context) ([]series, error) {
	if !b.wanted(costsRow) {
		return nil, nil
	}
	provider, err := costProvider()
	if err != nil {
		return nil, err
	}
	defer provider.Close()
	dir, err := os.MkdirTemp("", "latchkey-costs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	tokens := filepath.Join(dir, "tokens.json")
	if err := os.WriteFile(tokens, []byte(`{"version":1,"tokens":{}}`), 0o600); err != nil {
		return nil, err
	}
	interpreted, err := interpretCosts(b.latchkeyDir, filepath.Join(b.emptyDir, "..", "testdata", "costs"), provider.URL, tokens)
	if err != nil {
		return nil, err
	}
	compiled, err := compiledcosts.Open(provider.URL, tokens, audience)
	if err != nil {
		return nil, err
	}
	for _, r := range costRows(provider.URL) {
		c, err := b.costOf(ctx, r, compiled, interpreted)
		if err != nil {
			return nil, fmt.Errorf("measure %q: %w", r.input, err)
		}
		say("%s: %s ms, goal %s", c.Input, number(c.Interpreted.Median), number(c.Goal))
		b.unauthenticated = append(b.unauthenticated, c)
	}
	return []series{{row: costsRow, measure: "rows over their goal", samples: []float64{float64(overGoal(b.unauthenticated))}, whole: true}}, nil
}

func overGoal(costs []cost) int {
	n := 0
	for _, c := range costs {
		if c.Interpreted.Median > c.Goal {
			n++
		}
	}
	return n
}

func (b *bench) costOf(ctx context.Context, r costRow, compiled, interpreted handler) (cost, error) {
	c := cost{Input: r.input, Goal: r.goal, Bytes: sizeOf(r.request(0))}
	var compiledMs, interpretedMs, kilobytes []float64
	for range b.rounds {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		m, err := r.measure(compiled, 200)
		if err != nil {
			return c, err
		}
		compiledMs = append(compiledMs, m.ms)
		if m, err = r.measure(interpreted, 200); err != nil {
			return c, err
		}
		interpretedMs = append(interpretedMs, m.ms)
		kilobytes = append(kilobytes, m.kb)
		c.Status = m.status
	}
	if r.status != 0 && c.Status != r.status {
		return c, fmt.Errorf("answered with %d, not %d", c.Status, r.status)
	}
	c.Compiled, c.Interpreted, c.KB = spreadOf(compiledMs), spreadOf(interpretedMs), spreadOf(kilobytes)
	return c, nil
}

// measured is what one request takes.
type measured struct {
	ms, kb float64
	status int
}

// serial numbers requests, so that no two have the same token.
var serial int

// measure serves up to n requests, and no more than fit into a tenth of a second, once one has been served.
func (r costRow) measure(h handler, n int) (measured, error) {
	serve := func() int {
		serial++
		request := r.request(serial)
		w := httptest.NewRecorder()
		h(w, request)
		return w.Code
	}
	m := measured{status: serve()}
	began := time.Now()
	serve()
	n = max(2, min(n, int(100*time.Millisecond/max(time.Since(began), 1))))
	requests := make([]*http.Request, n)
	for i := range requests {
		serial++
		requests[i] = r.request(serial)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var total time.Duration
	err := addCPU(&total, func() error {
		for _, request := range requests {
			w := httptest.NewRecorder()
			h(w, request)
			m.status = w.Code
		}
		return nil
	})
	runtime.ReadMemStats(&after)
	m.ms = float64(total.Microseconds()) / 1000 / float64(n)
	m.kb = float64(after.TotalAlloc-before.TotalAlloc) / 1024 / float64(n)
	return m, err
}

// sizeOf is what a client has to send, give or take the request line.
func sizeOf(r *http.Request) int {
	size := len(r.URL.RequestURI()) + int(max(r.ContentLength, 0))
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + 4
		}
	}
	return size
}

// costProvider has discovery, and a key that nobody signs with.
func costProvider() (*httptest.Server, error) {
	i, err := startIssuer()
	if err != nil {
		return nil, err
	}
	defer i.stop()
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.public[jose.RS256], KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		return nil, err
	}
	var url string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_, _ = w.Write(keys)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": url, "authorization_endpoint": url + "/a", "token_endpoint": url + "/t", "jwks_uri": url + "/keys"})
	}))
	url = s.URL
	return s, nil
}

func interpretCosts(plugin, source, issuer, tokens string) (handler, error) {
	gopath, err := os.MkdirTemp("", "latchkey-costs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(gopath)
	const module = "github.com/latchkey-auth/costs"
	for path, dir := range map[string]string{module: source, checkout.Module: plugin} {
		if err := checkout.LinkAs(gopath, path, dir); err != nil {
			return nil, err
		}
	}
	i := interp.New(interp.Options{GoPath: gopath, Env: os.Environ()})
	if err := i.Use(stdlib.Symbols); err != nil {
		return nil, err
	}
	if _, err := i.Eval(fmt.Sprintf("import %q", module)); err != nil {
		return nil, fmt.Errorf("interpret %s: %w", source, err)
	}
	open, ok := i.Symbols(module)[module]["Open"].Interface().(func(string, string, string) (func(http.ResponseWriter, *http.Request), error))
	if !ok {
		return nil, fmt.Errorf("interpret %s: Open is of another type than expected", source)
	}
	return open(issuer, tokens, audience)
}

// costTable writes a line for each kind of request.
func costTable(w io.Writer, costs []cost) error {
	if len(costs) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nWhat a request without a good credential takes in ServeHTTP: ms of CPU, and KB allocated\n")
	var lines strings.Builder
	t := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "input\tbytes\tanswer\tms compiled\tms interpreted\t(min-max)\tgoal\tKB interpreted\t")
	for _, c := range costs {
		over := ""
		if c.Interpreted.Median > c.Goal {
			over = "over"
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Input, c.Bytes, c.Status, fine(c.Compiled.Median), fine(c.Interpreted.Median),
			cmp.Or(betweenWith(c.Interpreted, fine), "-"), number(c.Goal), number(c.KB.Median), over)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(lines.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
	return nil
}

// fine has three digits behind the point, for what takes microseconds.
func fine(v float64) string { return fmt.Sprintf("%.3f", v) }
