package latchkey

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/latchkey-auth/latchkey/internal/headers"
	"github.com/latchkey-auth/latchkey/internal/identity"
)

// passTable holds passes by the value of the header that carried the
// credential, to the letter: each is the view that was made of it, all that is
// left to do for a request whose credential was verified and whom the router's
// rule lets in. Routers share one table where they would come to the same views.
type passTable struct {
	own    string    // the header that carries the credential; "": it is not the guard's to judge
	except [2]string // headers beside which no pass holds; "": none

	mu     sync.RWMutex
	passes map[string]*view
	// shapes are the method and Accept, in one text, of requests that got a pass.
	// Another may be a stream's, which has to be registered.
	shapes map[string]bool

	// harmless are the guard's names of that version, without except. They are
	// the budget's to change.
	harmless map[string]bool
	version  int64
}

// passTables are those of one view. They are apart, lest a cookie that reads
// like an Authorization header be taken for one: another host of the domain can
// set cookies.
type passTables struct {
	guard                  *headers.Guard
	byCookie, byCredential *passTable
	byKey                  *passTable // API tokens in their own header; nil: there is none
	budget                 *passBudget
}

// passBudget bounds all passes of the process together. When there are too
// many all go; each comes back at the cost of a look into the token cache.
type passBudget struct {
	bound      int
	generation func() uint64 // of the revocations, each of which clears all passes

	mu     sync.Mutex
	held   int
	tables map[*passTable]bool
}

func newPassBudget(bound int, generation func() uint64) *passBudget {
	return &passBudget{bound: bound, generation: generation, tables: map[*passTable]bool{}}
}

// openPasses takes this view's tables, and its guard, which knows the headers
// that the passes of all views set.
func (l *Latchkey) openPasses(ctx context.Context, budget *passBudget) *passTables {
	names := resources.use(ctx, "forwarded names", func() (interface{}, func()) {
		return headers.NewNames(), func() {}
	}).(*headers.Names)
	names.Add(l.set.forwarded())
	// The budget is part of the key: one that keeps nothing has tables of its own,
	// though others come to the same views.
	key := fingerprint("passes", l.set.policy, l.set.view, fmt.Sprint(l.set.tokens), l.set.redis.fingerprint)
	return resources.use(ctx, key, func() (interface{}, func()) {
		t := &passTables{budget: budget}
		// Beside a cookie, Authorization may be the credential that decides, and
		// beside either what comes in the API tokens' own header must not go on.
		key := l.set.keyHeader()
		t.byCookie = budget.open("Authorization", key)
		t.byCredential = budget.open("Cookie", key)
		if !l.set.setsAuthorization {
			t.byCredential.own = "Authorization" // it goes on as it came, or the pass takes it off
		}
		if key != "" {
			t.byKey = budget.open("Cookie", "Authorization")
			t.byKey.own = key
		}
		t.guard = headers.NewGuard(names, l.set.keep, func() { budget.empty(t) })
		return t, func() {
			t.guard.Close()
			budget.close(t)
		}
	}).(*passTables)
}

func (b *passBudget) open(except, key string) *passTable {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &passTable{except: [2]string{except, key}, passes: map[string]*view{}, shapes: map[string]bool{}}
	b.tables[t] = true
	return t
}

func (b *passBudget) close(t *passTables) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, table := range []*passTable{t.byCookie, t.byCredential, t.byKey} {
		if table != nil {
			b.held -= len(table.passes)
			delete(b.tables, table)
		}
	}
}

// empty takes all passes of a view, whose guard has to look at names anew.
func (b *passBudget) empty(t *passTables) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, table := range []*passTable{t.byCookie, t.byCredential, t.byKey} {
		if table != nil {
			b.held -= len(table.passes)
			table.clear()
		}
	}
}

// put keeps the pass under the header's value. The guard is asked for its names
// with mu held, as empty is called when one of them has become ours. Clean is the
// generation at which the credential was not revoked.
func (b *passBudget) put(t *passTable, header string, p *view, guard *headers.Guard, clean uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bound == 0 || !b.tables[t] {
		return // off, or closed while this request was under way
	}
	// The generation moves before a revocation clears the passes, which waits for
	// mu: it comes either before this look or after the pass was put.
	if clean != b.generation() {
		return
	}
	if t.passes[header] == nil {
		if b.held >= b.bound {
			b.clear()
		}
		b.held++
	}
	names, version := guard.Harmless()
	if version != t.version {
		t.learn(names, version)
	}
	if p.version != version {
		if p.harmless != nil { // requests may be reading it
			p = p.with(p.fields)
		}
		p.harmless = t.harmless
		p.version = version
	}
	t.mu.Lock()
	t.passes[header] = p
	t.mu.Unlock()
}

// learn takes the guard's names.
func (t *passTable) learn(names map[string]bool, version int64) {
	t.version = version
	t.harmless = make(map[string]bool, len(names)+1)
	for name := range names {
		if name != t.except[0] && name != t.except[1] {
			t.harmless[name] = true
		}
	}
	if t.own != "" {
		t.harmless[t.own] = true
	}
}

// learnShape takes a request that was no stream. With no room left it begins anew.
//
// GETtext and /event-stream are, in one text, GET and text/event-stream: what reads
// like a stream's is never learnt, however it is parted.
func (t *passTable) learnShape(shape string) {
	if len(shape) > maxShape || strings.Contains(strings.ToLower(shape), eventStream) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.shapes) >= maxShapes {
		t.shapes = map[string]bool{}
	}
	t.shapes[shape] = true
}

// revoked clears all passes: what a revocation is about is known to the verdicts
// that they came from, which are asked again.
func (b *passBudget) revoked() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
}

func (b *passBudget) clear() {
	for t := range b.tables {
		t.clear()
	}
	b.held = 0
}

func (t *passTable) clear() {
	t.mu.Lock()
	t.passes = map[string]*view{}
	t.mu.Unlock()
}

const (
	// maxPassHeader is the longest header that is remembered.
	maxPassHeader = 8 << 10
	// maxPasses is how many a credential gets until it is verified again: whoever
	// varies the cookies beside it pushes nobody else's out.
	maxPasses = 32
	// maxShapes and maxShape bound what is remembered of methods and Accept: in
	// number, and each in bytes. Browsers have a dozen.
	maxShapes = 200
	maxShape  = 1 << 10
)

// remember makes the pass for the next request with the same credential header,
// if that header alone decides. To be called before forward changes it.
func (l *Latchkey) remember(r *http.Request, v *verified, view *view) {
	t, name := l.passPlace(r, v.identity.Kind)
	header := r.Header[name]
	if t == nil || len(header) != 1 || len(header[0]) > maxPassHeader || v.successor != nil || !v.takePass() {
		return
	}
	l.passes.guard.Learn(r.Header)
	t.learnShape(r.Method + strings.Join(r.Header["Accept"], ","))
	l.passes.budget.put(t, header[0], l.passFor(v.identity.Kind, name, header, view), l.passes.guard, v.clean.Load())
}

// passPlace is the table for the header that decided, and its name; nil where
// another one might have.
func (l *Latchkey) passPlace(r *http.Request, kind identity.Kind) (*passTable, string) {
	cookie, authorization := r.Header["Cookie"], r.Header["Authorization"]
	_, apart := l.apiKey(r)
	switch {
	case apart && len(cookie)+len(authorization) == 0:
		return l.passes.byKey, l.set.apiTokens.header
	case apart || len(cookie)+len(authorization) != 1:
		return nil, ""
	case kind == identity.Session:
		return l.passes.byCookie, "Cookie"
	}
	return l.passes.byCredential, "Authorization"
}

// passFor is the view, but for a session beside whose cookies others came, and
// for an API token, whose header does not go on.
func (l *Latchkey) passFor(kind identity.Kind, name string, header []string, v *view) *view {
	if kind == identity.Token {
		return v.with(append([]field{{name, nil}}, v.fields...))
	}
	if kind != identity.Session {
		return v
	}
	others := l.otherCookies(header)
	if others == nil {
		return v
	}
	return v.with(append([]field{{"Cookie", others}}, v.fields[1:]...))
}

// servedByKey is ServeHTTP's look for an API token in the header of its own.
func (l *Latchkey) servedByKey(w http.ResponseWriter, r *http.Request) bool {
	h := r.Header
	header := h[l.keyHeader]
	if len(header) != 1 || l.unprotected.MatchString(r.URL.Path) {
		return false
	}
	t := l.passes.byKey
	t.mu.RLock()
	p := t.passes[header[0]]
	known := t.shapes[r.Method+strings.Join(h["Accept"], ",")]
	t.mu.RUnlock()
	if !known || p == nil || l.left(p.until) <= 0 || r.Trailer != nil || h.WriteSubset(l.nowhere, p.harmless) != nil {
		return false
	}
	for _, f := range p.fields {
		h[f.name] = f.values
	}
	l.next.ServeHTTP(w, r)
	return true
}

// with is the view with these fields alone, as far as a pass needs it: its place
// among others may be changing.
func (v *view) with(fields []field) *view { return &view{fields: fields, until: v.until} }
