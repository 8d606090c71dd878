package oidc

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

func id(p *Provider, raw string) error {
	_, err := p.VerifyIDToken(background, raw, IDToken{ClientID: oidctest.ClientID})
	return err
}

// Somebody's made-up kid keeps no key from those who log in: what the token
// endpoint sends waits for the keys.
func TestTokenEndpointsTokensWaitForKeys(t *testing.T) {
	op, p, c := start(t)
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	c.move(unknownKidPause)
	unknown := op.Sign(at(object{"kid": "made-up"}), accessClaims(op, nil))
	wantToken(t, access(p, unknown), "made-up", unknown)
	op.Rotate()
	c.move(time.Second)
	client := op.AccessToken(nil)
	wantUnavailable(t, access(p, client), "a moment ago")
	fresh := op.Sign(nil, op.Claims(nil))
	wantToken(t, id(p, fresh), "", fresh)
	wantToken(t, access(p, client), "", client)
	if n := op.Hits(oidctest.JWKS); n != 3 {
		t.Errorf("found %d key fetches, wanted 3", n)
	}
	// One that stays unknown is refused, after a fetch.
	c.move(time.Second)
	never := op.Sign(object{"kid": "never"}, op.Claims(nil))
	wantToken(t, id(p, never), "never", never)
	op.Down(true)
	c.move(time.Second)
	never = op.Sign(object{"kid": "never"}, op.Claims(nil))
	wantUnavailable(t, id(p, never), "503")
}

// The fetch that is under way may bring the keys of before: it is not what a
// token that has just come is judged by.
func TestTokenEndpointsTokensWaitForTheNextFetch(t *testing.T) {
	op, p, c := start(t)
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	before := op.PublicKeys()
	op.Set(func(b *oidctest.Behavior) { b.Keys = before })
	c.move(unknownKidPause)
	arrived, release := op.Hold(oidctest.JWKS)
	unknown := op.Sign(at(object{"kid": "made-up"}), accessClaims(op, nil))
	others := make(chan error, 1)
	go func() { others <- access(p, unknown) }()
	<-arrived
	op.Rotate()
	c.move(time.Second)
	fresh := op.Sign(nil, op.Claims(nil))
	logins := make(chan error, 1)
	go func() { logins <- id(p, fresh) }()
	op.Handle(oidctest.JWKS, func(w http.ResponseWriter, _ *http.Request) {
		keys := before
		if op.Hits(oidctest.JWKS) > 2 {
			keys = op.PublicKeys()
		}
		oidctest.WriteJSON(w, http.StatusOK, object{"keys": keys})
	})
	release()
	wantToken(t, <-others, "made-up", unknown)
	wantToken(t, <-logins, "", fresh)
}

// A key that another has taken the place of, under the same kid.
func TestKeyReplacedUnderItsKid(t *testing.T) {
	op, p, c := start(t)
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	op.Rotate()
	keys := op.PublicKeys()
	keys[0]["kid"] = "rsa-1"
	op.Set(func(b *oidctest.Behavior) { b.Keys = keys })
	c.move(time.Second)
	replaced := op.Sign(at(object{"kid": "rsa-1"}), accessClaims(op, nil))
	wantToken(t, access(p, replaced), "signature", replaced)
	if n := op.Hits(oidctest.JWKS); n != 1 {
		t.Errorf("found %d key fetches within the pause, wanted 1", n)
	}
	fresh := op.Sign(object{"kid": "rsa-1"}, op.Claims(nil))
	wantToken(t, id(p, fresh), "", fresh)
	wantToken(t, access(p, replaced), "", replaced)
	if n := op.Hits(oidctest.JWKS); n != 2 {
		t.Errorf("found %d key fetches, wanted 2", n)
	}
	c.move(unknownKidPause)
	op.Rotate()
	keys = op.PublicKeys()
	keys[0]["kid"] = "rsa-1"
	op.Set(func(b *oidctest.Behavior) { b.Keys = keys })
	replaced = op.Sign(at(object{"kid": "rsa-1"}), accessClaims(op, nil))
	wantToken(t, access(p, replaced), "", replaced)

	// While the provider does not answer, what a client sends is forged, and what
	// the token endpoint sent is not known to be.
	op.Down(true)
	c.move(unknownKidPause)
	op.Rotate()
	replaced = op.Sign(at(object{"kid": "rsa-1"}), accessClaims(op, nil))
	wantToken(t, access(p, replaced), "signature", replaced)
	fresh = op.Sign(object{"kid": "rsa-1"}, op.Claims(nil))
	c.move(time.Second)
	wantUnavailable(t, id(p, fresh), "503")
}

// Discovery says where keys are that are no longer where they were.
func TestKeysThatMoved(t *testing.T) {
	op, p, c := start(t)
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	op.Set(func(b *oidctest.Behavior) { b.Moved = "/v2" })
	op.Rotate()
	c.move(unknownKidPause)
	rotated := op.AccessToken(nil)
	wantToken(t, access(p, rotated), "", rotated)
	if n := op.Hits("/v2" + oidctest.JWKS); n != 1 {
		t.Errorf("found %d key fetches at the new address, wanted 1", n)
	}
	// Nowhere: discovery is asked once in the pause.
	hits := op.Hits(oidctest.Discovery)
	op.Handle("/v2"+oidctest.JWKS, http.NotFound)
	for i := 0; i < 5; i++ {
		c.move(unknownKidPause / 5)
		fresh := op.Sign(object{"kid": "new"}, op.Claims(nil))
		wantUnavailable(t, id(p, fresh), "404")
	}
	if n := op.Hits(oidctest.Discovery) - hits; n != 1 {
		t.Errorf("discovery was asked %d times, wanted 1", n)
	}
}

func TestKeysWhereNobodyListens(t *testing.T) {
	op, p, c := start(t)
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		oidctest.WriteJSON(w, http.StatusOK, object{"keys": op.PublicKeys()})
	}))
	op.Set(func(b *oidctest.Behavior) { b.Discovery = object{"jwks_uri": old.URL} })
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	old.Close()
	op.Set(func(b *oidctest.Behavior) { b.Discovery = nil })
	op.Rotate()
	c.move(unknownKidPause)
	rotated := op.AccessToken(nil)
	wantToken(t, access(p, rotated), "", rotated)
}

// Where the keys were, the old ones may stay for a while.
func TestKeysThatMovedAndLeftACopy(t *testing.T) {
	op, p, c := start(t)
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	old := op.PublicKeys()
	op.Handle(oidctest.JWKS, func(w http.ResponseWriter, _ *http.Request) {
		oidctest.WriteJSON(w, http.StatusOK, object{"keys": old})
	})
	op.Set(func(b *oidctest.Behavior) { b.Moved = "/v2" })
	op.Rotate()
	c.move(unknownKidPause)
	fresh := op.Sign(nil, op.Claims(nil))
	wantToken(t, id(p, fresh), "", fresh)
}

// A provider that begins to sign by another algorithm says so in discovery.
func TestAlgorithmThatIsNew(t *testing.T) {
	op, p, c := start(t)
	op.Set(func(b *oidctest.Behavior) {
		b.Discovery = object{"id_token_signing_alg_values_supported": []string{"RS256"}}
	})
	good := op.Sign(nil, op.Claims(nil))
	wantToken(t, id(p, good), "", good)
	op.Set(func(b *oidctest.Behavior) {
		b.Discovery = object{"id_token_signing_alg_values_supported": []string{"ES256"}}
	})
	c.move(unknownKidPause)
	fresh := op.Sign(object{"alg": "ES256"}, op.Claims(nil))
	wantToken(t, id(p, fresh), "", fresh)
	old := op.Sign(nil, op.Claims(nil))
	wantToken(t, id(p, old), "alg", old)
}
