package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// stormSize is how many requests come at once.
	stormSize = 1000
	// slowProvider is what the token endpoint takes.
	slowProvider = 2 * time.Second
	// stormPatience is how long each request waits.
	stormPatience = time.Minute
)

// storms are the rows, one for each store of sessions that replicas can share.
var storms = []string{"storm-cookie", "storm-redis"}

// storm measures what becomes of many requests at two replicas that all come with one session, whose access token has
// to be renewed: with a refresh token that is good for one grant, by a provider that takes its time.
func (b *bench) storm(ctx context.Context) ([]series, error) {
	var all []series
	for _, name := range storms {
		if !b.wanted(name) {
			continue
		}
		s, err := b.stormOn(ctx, strings.TrimPrefix(name, "storm-"))
		if err != nil {
			return nil, fmt.Errorf("measure %q: %w", name, err)
		}
		say("%s: %d grants, %d errors, %d logins lost, %s", name, s.grants, s.errors, s.lost, s.took.Round(time.Millisecond))
		all = append(all, s.series(name)...)
	}
	return all, nil
}

// outcome is what became of a storm.
type outcome struct {
	grants   int // that the provider was asked for
	errors   int // requests that did not reach the upstream
	lost     int // those among them that were told to log in
	took     time.Duration
	byStatus map[int]int // errors by their status, 0 where there was no answer
}

func (o outcome) series(row string) []series {
	note := fmt.Sprintf("%d requests over two replicas, the provider takes %s; then one more to each, with the cookie that the browser has by then", stormSize, slowProvider)
	if o.errors > 0 {
		note += fmt.Sprintf("; errors by status, 0 where no answer came: %v", o.byStatus)
	}
	count := func(measure string, n int) series {
		return series{row: row, measure: measure, samples: []float64{float64(n)}, whole: true}
	}
	return []series{
		count("grants", o.grants),
		count("errors", o.errors),
		count("logins lost", o.lost),
		{row: row, measure: "s to last answer", samples: []float64{o.took.Seconds()}, note: note},
	}
}

func (b *bench) stormOn(ctx context.Context, store string) (outcome, error) {
	r, err := b.startReplicas(ctx, store)
	if err != nil {
		return outcome{}, err
	}
	defer r.stop()
	cookie, err := r.expired(ctx)
	if err != nil {
		return outcome{}, err
	}
	r.Provider.ResetGrants()
	r.Provider.SlowTokens(slowProvider)
	answers, took := r.atOnce(ctx, cookie, stormSize)
	if i := slices.IndexFunc(answers, func(a response) bool { return a.header["Set-Cookie"] != nil }); i >= 0 {
		if cookie, err = renewedCookie(cookie, answers[i].header); err != nil {
			return outcome{}, err
		}
	}
	after, _ := r.atOnce(ctx, cookie, len(r.Traefiks))
	answers = append(answers, after...)

	grants := r.Provider.Grants()
	o := outcome{grants: grants.Succeeded + grants.Refused, took: took, byStatus: map[int]int{}}
	o.count(answers)
	return o, ctx.Err()
}

func (o *outcome) count(answers []response) {
	for _, a := range answers {
		if !a.fromUpstream() {
			o.errors++
			o.byStatus[a.status]++
		}
		if a.status == http.StatusUnauthorized {
			o.lost++
		}
	}
}

// atOnce sends n requests to the replicas in turn, each over a connection that was there before. The response to one
// that was not answered is zero.
func (r *replicas) atOnce(ctx context.Context, cookie field, n int) (answers []response, took time.Duration) {
	answers = make([]response, n)
	start := make(chan struct{})
	var connected, answered sync.WaitGroup
	connected.Add(n)
	for i := range n {
		answered.Go(func() {
			req := r.page(i%len(r.Traefiks), cookie)
			c, err := dial(ctx, req.address())
			connected.Done()
			if err != nil {
				return
			}
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.Close() })()
			<-start
			if res, err := c.wait(req.bytes(), stormPatience); err == nil {
				answers[i] = res
			}
		})
	}
	connected.Wait()
	began := time.Now()
	close(start)
	answered.Wait()
	return answers, time.Since(began)
}

// renewedCookie is the header Cookie that a browser sends after an answer with these headers.
func renewedCookie(cookie field, header http.Header) (field, error) {
	jar, err := http.ParseCookie(cookie.value)
	if err != nil {
		return field{}, err
	}
	for _, set := range (&http.Response{Header: header}).Cookies() {
		jar = slices.DeleteFunc(jar, func(c *http.Cookie) bool { return c.Name == set.Name })
		if set.MaxAge >= 0 {
			jar = append(jar, set)
		}
	}
	var pairs []string
	for _, c := range jar {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return field{cookie.name, strings.Join(pairs, "; ")}, nil
}
