package harness

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Grants is what came of the refresh_token grants that the provider was asked for.
type Grants struct {
	// Succeeded counts those that gave tokens, whether or not the answer arrived.
	Succeeded int
	// Refused counts those that the provider itself refused, such as those with a refresh token that was used before.
	Refused int
	// InFlight and MostInFlight are how many had no answer yet, now and at most.
	InFlight, MostInFlight int
}

// Grants are those since the provider was made, or since the counts were reset.
func (p *Provider) Grants() Grants {
	p.tokens.mu.Lock()
	defer p.tokens.mu.Unlock()
	return p.tokens.grants
}

// ResetGrants sets the counts to zero, but for those in flight.
func (p *Provider) ResetGrants() {
	p.tokens.mu.Lock()
	defer p.tokens.mu.Unlock()
	now := p.tokens.grants.InFlight
	p.tokens.grants = Grants{InFlight: now, MostInFlight: now}
}

// SlowTokens has the token endpoint do as it is asked at once and answer only after delay, so that whoever
// does not wait for the answer has used up a refresh token and got none.
func (p *Provider) SlowTokens(delay time.Duration) { p.tokens.become(tokenMood{delay: delay}) }

// FailTokens has the token endpoint answer everything with a status, and do nothing.
func (p *Provider) FailTokens(status int) { p.tokens.become(tokenMood{status: status}) }

// HangTokens has the token endpoint neither do nor answer anything until it is mended.
func (p *Provider) HangTokens() { p.tokens.become(tokenMood{hangs: make(chan struct{})}) }

// MendTokens ends SlowTokens, FailTokens, HangTokens and AfterGrant. What hangs is answered with 503.
func (p *Provider) MendTokens() { p.tokens.become(tokenMood{}) }

// AfterGrant has the token endpoint call do when a refresh token has been used up, before the answer is sent.
func (p *Provider) AfterGrant(do func()) { p.tokens.become(tokenMood{afterGrant: do}) }

// SetAccessTokenLifetime sets the lifetime of the access tokens that are issued from now on. 0: 5 minutes.
func (p *Provider) SetAccessTokenLifetime(lifetime time.Duration) { p.storage.setLifetime(lifetime) }

// Forget has the provider forget the refresh token of a login, as when an administrator ends it there.
func (p *Provider) Forget(sid string) { p.storage.forget(sid) }

// tokenMood is how the token endpoint treats those who ask.
type tokenMood struct {
	delay      time.Duration
	status     int
	hangs      chan struct{} // closed when the mood is over
	afterGrant func()
}

// tokenEndpoint stands before the token endpoint of the provider.
type tokenEndpoint struct {
	mu     sync.Mutex
	mood   tokenMood
	grants Grants
}

func (t *tokenEndpoint) become(mood tokenMood) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mood.hangs != nil {
		close(t.mood.hangs)
	}
	t.mood = mood
}

func (t *tokenEndpoint) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != TokenPath {
			next.ServeHTTP(w, r)
			return
		}
		t.serve(w, r, next)
	})
}

func (t *tokenEndpoint) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	refresh := r.PostFormValue("grant_type") == "refresh_token"
	mood := t.begin(refresh)
	defer t.end(refresh)
	switch {
	case mood.hangs != nil:
		select {
		case <-r.Context().Done():
		case <-mood.hangs:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return
	case mood.status != 0:
		w.WriteHeader(mood.status)
		return
	}
	// The provider shall not learn that the client has gone.
	res := httptest.NewRecorder()
	next.ServeHTTP(res, r.WithContext(context.WithoutCancel(r.Context())))
	if refresh {
		t.count(res.Code)
		if mood.afterGrant != nil && res.Code == http.StatusOK {
			mood.afterGrant()
		}
	}
	select {
	case <-r.Context().Done():
	case <-time.After(mood.delay):
	}
	for name, values := range res.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(res.Code)
	_, _ = io.Copy(w, res.Body)
}

func (t *tokenEndpoint) begin(refresh bool) tokenMood {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refresh {
		t.grants.InFlight++
		t.grants.MostInFlight = max(t.grants.MostInFlight, t.grants.InFlight)
	}
	return t.mood
}

func (t *tokenEndpoint) end(refresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refresh {
		t.grants.InFlight--
	}
}

func (t *tokenEndpoint) count(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if status == http.StatusOK {
		t.grants.Succeeded++
	} else {
		t.grants.Refused++
	}
}
