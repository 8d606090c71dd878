package oidc

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// object is a JSON object, short enough for tables.
type object = map[string]interface{}

// clock moves only when told to.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// start returns a provider that behaves, and ours that asks it, on one clock.
func start(t *testing.T) (*oidctest.Provider, *Provider, *clock) {
	t.Helper()
	c := &clock{at: time.Unix(1700000000, 0)}
	op := oidctest.New(t)
	op.Set(func(b *oidctest.Behavior) { b.Now = c.now })
	return op, NewProvider(Config{Issuer: op.Issuer(), HTTPClient: op.Client(), Now: c.now}), c
}

// wantToken fails unless err is nil where says is "", or else an ErrToken that
// says so without quoting the token.
func wantToken(t *testing.T, err error, says, raw string) {
	t.Helper()
	if says == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if !errors.Is(err, ErrToken) || !strings.Contains(err.Error(), says) {
		t.Errorf("found error %v, wanted an ErrToken with %q", err, says)
		return
	}
	for _, part := range strings.Split(raw, ".") {
		if len(part) > 20 && strings.Contains(err.Error(), part[:20]) {
			t.Errorf("the error quotes the token: %v", err)
		}
	}
}

func wantUnavailable(t *testing.T, err error, says string) {
	t.Helper()
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), says) {
		t.Fatalf("found error %v, wanted an ErrUnavailable with %q", err, says)
	}
}

// access verifies an access token for the API.
func access(p *Provider, raw string) error {
	_, err := p.VerifyAccessToken(context.Background(), raw, AccessToken{Audiences: []string{oidctest.Audience}})
	return err
}

// accessClaims are good ones for the API.
func accessClaims(op *oidctest.Provider, changes object) object {
	claims := op.Claims(object{"aud": oidctest.Audience})
	for name, v := range changes {
		claims[name] = v
		if v == nil {
			delete(claims, name)
		}
	}
	return claims
}

// eventually waits for something that another goroutine does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
