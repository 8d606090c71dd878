package oidc

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// own returns a provider of ours that has no way to fetch anything, and what its
// Keys return from now on: the test provider's key set, or the error.
func own(t *testing.T) (op *oidctest.Provider, p *Provider, c *clock, asked *int, fail *error) {
	t.Helper()
	op, _, c = start(t)
	set, err := fetchObject(context.Background(), op.Client(), op.Issuer()+oidctest.JWKS)
	if err != nil {
		t.Fatal(err)
	}
	asked = new(int)
	fail = new(error)
	p = NewProvider(Config{Issuer: op.Issuer(), Now: c.now, Keys: func() (map[string]interface{}, error) {
		*asked++
		if *fail != nil {
			return nil, *fail
		}
		return set, nil
	}})
	return op, p, c, asked, fail
}

func TestOwnKeys(t *testing.T) {
	op, p, _, asked, _ := own(t)
	hits := op.Hits(oidctest.JWKS)
	if *asked != 0 {
		t.Errorf("asked for the keys before there was a token")
	}
	for i := 0; i < 2; i++ {
		raw := op.AccessToken(nil)
		wantToken(t, access(p, raw), "", raw)
	}
	if *asked != 1 {
		t.Errorf("asked for the keys %d times, wanted 1", *asked)
	}
	if h := p.Health(); h.Keys != 5 || h.Discovered || h.LastError != "" {
		t.Errorf("found %+v", h)
	}
	_, err := p.Metadata(context.Background())
	wantUnavailable(t, err, "off")
	_, err = p.Reach(context.Background())
	wantUnavailable(t, err, "off")
	if n := op.Hits(oidctest.Discovery) + op.Hits(oidctest.JWKS) - hits; n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// They are at hand, so an unknown kid has them asked for at once: another secret
// may have come to sign. Behind the requests they are renewed as fetched ones are.
func TestOwnKeysAreRenewed(t *testing.T) {
	op, p, c, asked, _ := own(t)
	raw := op.AccessToken(nil)
	wantToken(t, access(p, raw), "", raw)
	c.move(time.Second)
	unknown := op.Sign(at(object{"kid": "new"}), accessClaims(op, nil))
	wantToken(t, access(p, unknown), "kid", unknown)
	if *asked != 2 {
		t.Errorf("asked %d times, wanted 2", *asked)
	}
	c.move(freshFor)
	raw = op.AccessToken(nil)
	wantToken(t, access(p, raw), "", raw)
	eventually(t, "the keys are asked for again", func() bool { return p.Stats().KeyFetches == 3 })
}

func TestOwnKeysThatFail(t *testing.T) {
	op, p, c, _, fail := own(t)
	*fail = errors.New("the secret is gone")
	raw := op.AccessToken(nil)
	wantUnavailable(t, access(p, raw), "the secret is gone")
	*fail = nil
	c.move(retry)
	wantToken(t, access(p, raw), "", raw)
}

func TestOwnKeysThatAreNone(t *testing.T) {
	op, _, c := start(t)
	p := NewProvider(Config{Issuer: op.Issuer(), Now: c.now, Keys: func() (map[string]interface{}, error) {
		return object{"keys": []interface{}{}}, nil
	}})
	wantUnavailable(t, access(p, op.AccessToken(nil)), "no usable key")
	if h := p.Health(); h.LastError != "invalid_document" {
		t.Errorf("found %+v", h)
	}
}
