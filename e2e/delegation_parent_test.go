package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	// chainTries is how many chains end in each way.
	chainTries = 50
	// firstRequests is how many requests come at once with parents that no token was made from yet: with one of them,
	// and with so many.
	firstRequests, stormParents = 1000, 50
)

// Whatever ends a session ends all that was made from it, at every replica, and nothing else.
func (f *fleet) tokensEndWithTheirParent() {
	stays, admin := f.chain(f.login(0, "bob")), f.login(1, "alice")
	tried := 0
	for _, way := range []struct {
		name string
		end  func(replica int, p *person)
	}{
		{"a logout", func(replica int, p *person) { f.logout(replica, p.cookie) }},
		{"everything of a user", func(replica int, p *person) {
			f.call(replica, admin, http.MethodDelete, "user?user="+p.user, nil, http.StatusOK)
		}},
	} {
		var took []time.Duration
		var ended []chain
		for i, p := range f.logins(chainTries, func(i int) string { return numbered(tried + i) }) {
			c := f.chain(p)
			f.holds(c, http.StatusOK, "before "+way.name)
			began := time.Now()
			way.end(i%2, p)
			took = append(took, f.endedAfter(began, c))
			ended = append(ended, c)
		}
		tried += chainTries
		within(f.t, "401 for all of a chain at both replicas after "+way.name, took, heardOf)
		for _, c := range ended {
			f.holds(c, http.StatusUnauthorized, "some time after "+way.name)
		}
		f.holds(stays, http.StatusOK, "somebody else's, after "+way.name)
	}
}

// endedAfter waits until every replica refuses all of a chain and says how long after began that was.
func (f *fleet) endedAfter(began time.Time, c chain) time.Duration {
	f.t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	last := time.Duration(0)
	for what, status := range f.links(c) {
		for i := range f.Traefiks {
			all.Go(func() {
				err := f.poll(5*time.Second, what, func() error {
					if got := status(i); got != http.StatusUnauthorized {
						return fmt.Errorf("status %d at replica %d", got, i)
					}
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				last = max(last, time.Since(began))
			})
		}
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		f.t.Fatalf("the end of %s: %v", c.user, err)
	}
	return last
}

// However many requests come at once with a parent, and to whichever replica, all are forwarded with one token.
func (f *fleet) oneIsMadeForAll() {
	p := f.login(0, "alice")
	person := f.first("a session", "/portal/storm", "Cookie", p.cookie)[0]
	f.verified(person, "query")
	service := f.first("a delegated token", "/query/storm", "Authorization", "Bearer "+person)[0]
	f.verified(service, "storage")
	var cookies []string
	for _, p := range f.logins(stormParents, numbered) {
		cookies = append(cookies, p.cookie)
	}
	f.first("many sessions", "/portal/storms", "Cookie", cookies...)
}

// first sends the first requests of some parents, all at once and those of each to the replicas in turn, and returns
// their tokens.
func (f *fleet) first(whose, path, name string, parents ...string) []string {
	f.t.Helper()
	const metric = "latchkey_delegated_tokens_total"
	before := f.metrics(0)[metric] + f.metrics(1)[metric]
	began := time.Now()
	answers := make([]answer, firstRequests)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			parent := parents[i/2%len(parents)]
			answers[i], _ = f.send(f.t.Context(), i%len(f.Traefiks), http.MethodGet, path, "", "Accept", "application/json", name, parent)
		})
	}
	all.Wait()
	f.t.Logf("%d requests with %s took %v", firstRequests, whose, time.Since(began).Round(time.Millisecond))
	f.isAll(answers, http.StatusOK)
	if made := int(f.metrics(0)[metric] + f.metrics(1)[metric] - before); made != len(parents) {
		f.t.Errorf("%s: the replicas tell of %d tokens made, want %d", whose, made, len(parents))
	}
	tokens := make([]string, len(parents))
	for i, a := range answers {
		if a.status != http.StatusOK {
			continue
		}
		token := a.seen(f.t).Header.Get(delegatedHeader)
		if known := &tokens[i/2%len(parents)]; *known == "" {
			*known = token
		} else if *known != token {
			f.t.Fatalf("%s: requests with one parent were forwarded with two tokens", whose)
		}
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(tokens))); len(distinct) != len(parents) || distinct[0] == "" {
		f.t.Fatalf("%s: %d parents have %d tokens, want one each", whose, len(parents), len(distinct))
	}
	return tokens
}

// poll is harness.Poll with a time-out.
func (f *fleet) poll(d time.Duration, what string, ready func() error) error {
	ctx, cancel := context.WithTimeout(f.t.Context(), d)
	defer cancel()
	return harness.Poll(ctx, what, ready)
}
