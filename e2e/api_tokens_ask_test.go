package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// apiToken is an API token as its owner knows it.
type apiToken struct{ id, credential string }

// send sends a request with these headers, given as name, value, name, value, ...
func (f *fleet) send(ctx context.Context, replica int, method, path, body string, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, f.Traefiks[replica].URL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := crowd.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

// call asks the JSON API for something that a person wants, and checks the status. It sends what curl would.
func (f *fleet) call(replica int, p *person, method, path string, body any, want int) answer {
	f.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	a, err := f.send(f.t.Context(), replica, method, "/oauth2/api/"+path, string(text),
		"Cookie", p.cookie, "Content-Type", "application/json")
	if err != nil || a.status != want {
		f.t.Fatalf("%s %s at replica %d: status %d, error %v, want %d\n%s", method, path, replica, a.status, err, want, a.body)
	}
	return a
}

// create makes an API token for a person.
func (f *fleet) create(replica int, p *person, note string) apiToken {
	f.t.Helper()
	return f.credential(f.call(replica, p, http.MethodPost, "tokens", map[string]any{"note": note}, http.StatusCreated))
}

// rotate gives a token another secret; the old one is dead at once.
func (f *fleet) rotate(replica int, p *person, t apiToken) apiToken {
	f.t.Helper()
	next := f.credential(f.call(replica, p, http.MethodPost, "tokens/"+t.id+"/rotate", map[string]any{}, http.StatusOK))
	if next.id != t.id || next.credential == t.credential {
		f.t.Fatalf("token %s was rotated to token %s, want the same with another secret", t.id, next.id)
	}
	return next
}

func (f *fleet) revokeToken(replica int, p *person, t apiToken) {
	f.t.Helper()
	f.call(replica, p, http.MethodDelete, "tokens/"+t.id, nil, http.StatusNoContent)
}

func (f *fleet) credential(a answer) apiToken {
	f.t.Helper()
	var given struct {
		Token      struct{ ID string }
		Credential string
	}
	if err := json.Unmarshal([]byte(a.body), &given); err != nil || !strings.HasPrefix(given.Credential, "lk_"+given.Token.ID+"_") {
		f.t.Fatalf("the API gave no token: %v\n%s", err, a.body)
	}
	return apiToken{given.Token.ID, given.Credential}
}

// listed are a person's tokens by their id, as the API lists them, with note and scopes.
func (f *fleet) listed(replica int, p *person) map[string]listedToken {
	f.t.Helper()
	var list struct{ Tokens []listedToken }
	a := f.call(replica, p, http.MethodGet, "tokens", nil, http.StatusOK)
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		f.t.Fatalf("list tokens: %v\n%s", err, a.body)
	}
	tokens := map[string]listedToken{}
	for _, t := range list.Tokens {
		tokens[t.ID] = t
	}
	return tokens
}

type listedToken struct {
	ID, Note string
	Scopes   []string
}

// verdict is the status of the answer to a token, 0 when there was none.
func (f *fleet) verdict(replica int, t apiToken) int {
	a, err := f.send(f.t.Context(), replica, http.MethodGet, "/token", "", "Authorization", "Bearer "+t.credential)
	if err != nil {
		return 0
	}
	return a.status
}

// judges checks what every replica answers to a token, the first time it is asked.
func (f *fleet) judges(t apiToken, want int, whose string) {
	f.t.Helper()
	for i := range f.Traefiks {
		if status := f.verdict(i, t); status != want {
			f.t.Errorf("%s at replica %d: status %d, want %d", whose, i, status, want)
		}
	}
}

// deadAfter waits until a replica refuses a token and says how long after began that was.
func (f *fleet) deadAfter(began time.Time, replica int, t apiToken) time.Duration {
	f.t.Helper()
	f.within(5*time.Second, "401", func() error {
		if status := f.verdict(replica, t); status != http.StatusUnauthorized {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	return time.Since(began)
}

// programs go on using one token, at the replicas in turn, until they are stopped.
type programs struct {
	f    *fleet
	stop context.CancelFunc
	all  sync.WaitGroup
	now  atomic.Value   // the apiToken in use
	used []atomic.Value // by program, the credential that was answered last

	mu       sync.Mutex
	statuses map[int]int
	revived  int // times that a token was accepted where it had been refused
}

// startPrograms has so many programs use the token, each with a pause between two requests.
func (f *fleet) startPrograms(n int, pause time.Duration, t apiToken) *programs {
	ctx, cancel := context.WithCancel(f.t.Context())
	p := &programs{f: f, stop: cancel, used: make([]atomic.Value, n), statuses: map[int]int{}}
	p.now.Store(t)
	for i := range n {
		p.all.Go(func() { p.run(ctx, i, pause) })
	}
	f.t.Cleanup(func() { cancel(); p.all.Wait() })
	return p
}

func (p *programs) run(ctx context.Context, i int, pause time.Duration) {
	refused := ""
	for ctx.Err() == nil {
		t := p.now.Load().(apiToken)
		status := p.f.verdict(i%len(p.f.Traefiks), t)
		p.mu.Lock()
		p.statuses[status]++
		if status == http.StatusOK && refused == t.credential {
			p.revived++
		}
		p.mu.Unlock()
		if status == http.StatusUnauthorized {
			refused = t.credential
		}
		p.used[i].Store(t.credential)
		<-time.After(pause)
	}
}

// use has the programs use another token, and waits until each of them has.
func (p *programs) use(t apiToken) {
	p.f.t.Helper()
	p.now.Store(t)
	p.f.within(20*time.Second, "all programs to use the token", func() error {
		for i := range p.used {
			if p.used[i].Load() != t.credential {
				return fmt.Errorf("program %d does not", i)
			}
		}
		return nil
	})
}

// end stops them, and checks that all they ever got is 200 and 401, in this order for each token.
func (p *programs) end() {
	p.f.t.Helper()
	p.stop()
	p.all.Wait()
	p.f.t.Logf("%d programs were answered by status %v", len(p.used), p.statuses)
	for _, status := range slices.Sorted(maps.Keys(p.statuses)) {
		if status != http.StatusOK && status != http.StatusUnauthorized {
			p.f.t.Errorf("%d requests of programs were answered with %d, want 200 and 401 alone", p.statuses[status], status)
		}
	}
	if p.revived > 0 {
		p.f.t.Errorf("a dead token was accepted again %d times", p.revived)
	}
}
