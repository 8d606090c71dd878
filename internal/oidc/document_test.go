package oidc

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

var background = context.Background()

func TestOneFetchForAll(t *testing.T) {
	op, p, _ := start(t)
	arrived, release := op.Hold(oidctest.JWKS)
	raw := op.AccessToken(nil)
	errs := make(chan error, 50)
	for i := 0; i < 50; i++ {
		go func() { errs <- access(p, raw) }()
	}
	<-arrived
	release()
	for i := 0; i < 50; i++ {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if d, k := op.Hits(oidctest.Discovery), op.Hits(oidctest.JWKS); d != 1 || k != 1 {
		t.Errorf("found %d and %d requests, wanted 1 and 1", d, k)
	}
	if s := p.Stats(); s.DiscoveryFetches != 1 || s.KeyFetches != 1 || s.Failures != 0 {
		t.Errorf("found %+v", s)
	}
}

func TestClientGoneLeavesTheFetch(t *testing.T) {
	op, p, _ := start(t)
	arrived, release := op.Hold(oidctest.Discovery)
	ctx, cancel := context.WithCancel(background)
	left := make(chan error, 1)
	go func() {
		_, err := p.Metadata(ctx)
		left <- err
	}()
	<-arrived
	cancel()
	if err := <-left; !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("found error %v, wanted ErrUnavailable and context.Canceled", err)
	}
	release()
	if _, err := p.Metadata(background); err != nil {
		t.Error(err)
	}
	if n := op.Hits(oidctest.Discovery); n != 1 {
		t.Errorf("found %d requests, wanted 1", n)
	}
}

func TestBackOffAndRecovery(t *testing.T) {
	op, p, c := start(t)
	ask := func(wantHits int, wantErr bool) {
		t.Helper()
		_, err := p.Metadata(background)
		if wantErr != errors.Is(err, ErrUnavailable) {
			t.Errorf("found error %v", err)
		}
		if n := op.Hits(oidctest.Discovery); n != wantHits {
			t.Errorf("found %d requests, wanted %d", n, wantHits)
		}
	}
	op.Down(true)
	ask(1, true)
	ask(1, true)
	c.move(retry - time.Millisecond)
	ask(1, true)
	c.move(time.Millisecond)
	ask(2, true)
	op.Down(false)
	ask(2, true)
	c.move(retry)
	ask(3, false)
	if h := p.Health(); !h.Discovered || h.LastError != "" {
		t.Errorf("found %+v", h)
	}
}

func TestKeysNeedDiscovery(t *testing.T) {
	op, p, c := start(t)
	raw := op.AccessToken(nil)
	op.Down(true)
	wantUnavailable(t, access(p, raw), "discovery of")
	op.Down(false)
	c.move(retry)
	wantToken(t, access(p, raw), "", raw)
}

func TestRefreshBehindTheRequests(t *testing.T) {
	op, p, c := start(t)
	if _, err := p.Metadata(background); err != nil {
		t.Fatal(err)
	}
	c.move(freshFor - time.Second)
	if _, err := p.Metadata(background); err != nil || op.Hits(oidctest.Discovery) != 1 {
		t.Fatalf("found error %v, %d requests, wanted the remembered one", err, op.Hits(oidctest.Discovery))
	}

	op.Set(func(b *oidctest.Behavior) { b.Discovery = object{"end_session_endpoint": op.Issuer() + "/new"} })
	arrived, release := op.Hold(oidctest.Discovery)
	c.move(time.Second)
	for i := 0; i < 3; i++ {
		m, err := p.Metadata(background)
		if err != nil || m.EndSessionEndpoint != op.Issuer()+oidctest.EndSession {
			t.Fatalf("found %+v, %v, wanted the old one at once", m, err)
		}
	}
	<-arrived
	release()
	eventually(t, "the new document", func() bool {
		m, err := p.Metadata(background)
		return err == nil && m.EndSessionEndpoint == op.Issuer()+"/new"
	})
	if n := op.Hits(oidctest.Discovery); n != 2 {
		t.Errorf("found %d requests, wanted 2", n)
	}
}

func TestLastGoodServesForADay(t *testing.T) {
	op, p, c := start(t)
	// Each round is its own moment, so the tokens last.
	verify := func() error { return access(p, op.AccessToken(nil)) }
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	op.Down(true)
	failures := func(n uint64) {
		t.Helper()
		eventually(t, "a failed fetch", func() bool { return p.Stats().Failures >= n })
	}
	c.move(freshFor)
	if err := verify(); err != nil {
		t.Errorf("after ten minutes: %v", err)
	}
	failures(2) // of the keys and of discovery
	c.move(goodFor - freshFor - time.Second)
	if err := verify(); err != nil {
		t.Errorf("after a day less a second: %v", err)
	}
	if h := p.Health(); h.Keys != 5 || h.LastError != "unreachable" {
		t.Errorf("found %+v", h)
	}
	failures(4)
	c.move(time.Second)
	wantUnavailable(t, verify(), "key set")
	if h := p.Health(); h.Keys != 0 || h.Discovered {
		t.Errorf("found %+v", h)
	}
	op.Down(false)
	c.move(retry)
	if err := verify(); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}

func TestReach(t *testing.T) {
	op, p, c := start(t)
	reach := func() error {
		_, err := p.Reach(background)
		return err
	}
	if err := reach(); err != nil {
		t.Fatal(err)
	}
	op.Down(true)
	c.move(reachAge - time.Second)
	if err := reach(); err != nil || op.Hits(oidctest.Discovery) != 1 {
		t.Errorf("found error %v, %d requests, wanted the remembered one", err, op.Hits(oidctest.Discovery))
	}
	c.move(time.Second)
	wantUnavailable(t, reach(), "503")
	if _, err := p.Metadata(background); err != nil {
		t.Errorf("the last good one is gone: %v", err)
	}
	op.Down(false)
	c.move(retry)
	if err := reach(); err != nil {
		t.Error(err)
	}
}

func TestUnknownKidIsThrottled(t *testing.T) {
	op, p, c := start(t)
	unknown := func() error {
		return access(p, op.Sign(at(object{"kid": "made-up"}), accessClaims(op, nil)))
	}
	fetches := func(want int) {
		t.Helper()
		if n := op.Hits(oidctest.JWKS); n != want {
			t.Fatalf("found %d key fetches, wanted %d", n, want)
		}
	}
	for i := 0; i < 20; i++ {
		wantToken(t, unknown(), "made-up", "")
	}
	fetches(1)
	c.move(unknownKidPause)
	for i := 0; i < 20; i++ {
		wantToken(t, unknown(), "made-up", "")
	}
	fetches(2)

	op.Rotate()
	rotated := op.AccessToken(nil)
	wantToken(t, access(p, rotated), "rsa-2", rotated) // of the instant of the fetch
	c.move(time.Millisecond)
	wantUnavailable(t, access(p, rotated), "a moment ago")
	c.move(unknownKidPause - 2*time.Millisecond)
	wantUnavailable(t, access(p, rotated), "a moment ago")
	fetches(2)
	c.move(time.Millisecond)
	errs := make(chan error, 20)
	for i := 0; i < 20; i++ {
		go func() { errs <- access(p, rotated) }()
	}
	for i := 0; i < 20; i++ {
		wantToken(t, <-errs, "", rotated)
	}
	fetches(3)
}

func TestUnknownKidWhileDown(t *testing.T) {
	op, p, c := start(t)
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	unknown := op.Sign(at(object{"kid": "new"}), accessClaims(op, nil))
	op.Down(true)
	c.move(unknownKidPause)
	wantUnavailable(t, access(p, unknown), "503")
	wantUnavailable(t, access(p, unknown), "503")
	wantToken(t, access(p, good), "", good)
	if n := op.Hits(oidctest.JWKS); n != 2 {
		t.Errorf("found %d key fetches, wanted 2", n)
	}
}

// A fetch that takes longer than the pause, and then fails.
func TestRenewWhileBackingOff(t *testing.T) {
	c := &clock{at: time.Unix(1700000000, 0)}
	d := &document{name: "key set", timeout: time.Minute, now: c.now}
	d.load = func(_ context.Context) (interface{}, error) {
		c.move(unknownKidPause)
		return nil, errors.New("slow and bad")
	}
	for i := 0; i < 2; i++ {
		_, err := d.renew(background, c.now(), unknownKidPause)
		wantUnavailable(t, err, "slow and bad")
	}
	if n := d.snapshot().fetches; n != 1 {
		t.Errorf("found %d fetches, wanted 1", n)
	}
}

func TestFetchHasItsOwnDeadline(t *testing.T) {
	op, _, c := start(t)
	p := NewProvider(Config{Issuer: op.Issuer(), HTTPClient: &http.Client{}, Now: c.now})
	p.discovery.timeout = 50 * time.Millisecond
	_, release := op.Hold(oidctest.Discovery)
	_, err := p.Metadata(background)
	wantUnavailable(t, err, "deadline")
	release()
}

// panicking is a transport that fails as badly as can be, at first.
type panicking struct{ calls int64 }

func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if atomic.AddInt64(&p.calls, 1) == 1 {
		panic("transport")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestPanicEndsTheFetchOnly(t *testing.T) {
	op, _, c := start(t)
	var transport http.RoundTripper = &panicking{}
	p := NewProvider(Config{Issuer: op.Issuer(), HTTPClient: &http.Client{Transport: transport}, Now: c.now})
	_, err := p.Metadata(background)
	wantUnavailable(t, err, "panic: transport")
	c.move(retry)
	if _, err = p.Metadata(background); err != nil {
		t.Error(err)
	}
}
