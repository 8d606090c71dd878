package oidc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
)

const (
	maxKeys = 100
	// unknownKidPause bounds what made-up kids cost the provider.
	unknownKidPause = 10 * time.Second
)

// keySet is a JWK Set (RFC 7517, 5), as far as it can be used here.
type keySet struct {
	keys  []*publicKey
	byKid map[string][]*publicKey
	// only are the keys that alone fit a kid and an algorithm, so that no token
	// has to look for its own.
	only map[keyName]interface{}
}

// keyName is what a token's header says of its key.
type keyName struct{ kid, alg string }

// parseKeySet skips what it cannot use: one bad key does not spoil the set.
func parseKeySet(object map[string]interface{}) (*keySet, error) {
	list, ok := object["keys"].([]interface{})
	if !ok {
		return nil, fmt.Errorf("%w: keys is not a list", errDocument)
	}
	if len(list) > maxKeys {
		list = list[:maxKeys]
	}
	s := &keySet{byKid: map[string][]*publicKey{}}
	var skipped error
	for _, e := range list {
		k, err := parseJWK(e)
		if err != nil {
			skipped = err
			continue
		}
		s.keys = append(s.keys, k)
		s.byKid[k.kid] = append(s.byKid[k.kid], k)
	}
	if len(s.keys) == 0 {
		return nil, fmt.Errorf("%w: found no usable key among %d; the last: %v", errDocument, len(list), skipped)
	}
	s.only = map[keyName]interface{}{}
	for _, alg := range algorithmNames {
		for kid := range s.byKid {
			s.single(kid, alg)
		}
		s.single("", alg)
	}
	return s, nil
}

func (s *keySet) single(kid, alg string) {
	if fitting := s.choose(kid, alg); len(fitting) == 1 {
		s.only[keyName{kid, alg}] = fitting[0].key
	}
}

// choose returns the keys that fit; without a kid, of the whole set.
func (s *keySet) choose(kid, alg string) []*publicKey {
	candidates := s.keys
	if kid != "" {
		candidates = s.byKid[kid]
	}
	var fitting []*publicKey
	for _, k := range candidates {
		if k.fits(alg) {
			fitting = append(fitting, k)
		}
	}
	return fitting
}

func (p *Provider) fetchKeySet(ctx context.Context) (*keySet, error) {
	if p.ownKeys != nil {
		object, err := p.ownKeys()
		if err != nil {
			return nil, err
		}
		return parseKeySet(object)
	}
	address := p.jwksURL
	if address == "" {
		// The keys may have moved, while old ones are still where they were.
		m, err := p.Rediscover(ctx)
		if err != nil {
			return nil, err
		}
		address = m.JWKSURI
	}
	object, err := fetchObject(ctx, p.client, address)
	if err != nil {
		return nil, err
	}
	return parseKeySet(object)
}

// key returns the one key that may have signed the token.
func (p *Provider) key(ctx context.Context, t *token) (interface{}, error) {
	v, err := p.keys.get(ctx, freshFor, goodFor)
	if err != nil {
		return nil, err
	}
	if key := v.(*keySet).only[keyName{t.kid, t.alg}]; key != nil {
		return key, nil
	}
	return p.keyAnew(ctx, v.(*keySet), t)
}

// keyAnew is key where the set has none, or several that fit.
func (p *Provider) keyAnew(ctx context.Context, known *keySet, t *token) (interface{}, error) {
	var err error
	fitting := known.choose(t.kid, t.alg)
	if len(fitting) == 0 {
		fitting, err = p.newKeys(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	if len(fitting) != 1 {
		return nil, refuseKid(t.kid, t.alg, len(fitting))
	}
	return fitting[0].key, nil
}

// newKeys looks for a key that was not in the set: the provider may have rotated
// (OIDC Core, 10.1.1). It is asked again unless it was within the pause.
//
// While the provider is not asked, or does not answer, nobody knows whether the
// kid is made up or new. That is ErrUnavailable, for the token may be good. Only
// a kid that is there, for another kind of key, is another's then, too.
func (p *Provider) newKeys(ctx context.Context, t *token) ([]*publicKey, error) {
	s, err := p.renewKeys(ctx, t)
	if p.ownKeys != nil && errors.Is(err, errPaused) {
		// Our own are at hand, and a kid that nobody knows does not come here.
		v, failed := p.keys.renew(ctx, t.came, 0)
		s, err = v.(*keySet), failed
	}
	fitting := s.choose(t.kid, t.alg)
	if len(fitting) > 0 {
		return fitting, nil
	}
	if t.kid != "" && len(s.byKid[t.kid]) > 0 {
		return nil, nil
	}
	return nil, err
}

// renewKeys asks for the keys anew. For what the token endpoint has just sent it
// asks a second time where the first answer was on its way before that.
func (p *Provider) renewKeys(ctx context.Context, t *token) (*keySet, error) {
	v, err := p.keys.renew(ctx, t.came, t.pause())
	if t.fromProvider && errors.Is(err, errPaused) {
		v, err = p.keys.renew(ctx, t.came, t.pause())
	}
	return v.(*keySet), err
}

// verifyAnew is verify where the key that is known did not sign the token: the
// provider may have put another in its place, under the same kid. Most of these
// tokens are forged, so while the provider is not asked they are refused; but
// what its token endpoint has just sent is not called forged by keys of before.
func (p *Provider) verifyAnew(ctx context.Context, t *token, known interface{}) error {
	s, err := p.renewKeys(ctx, t)
	if err != nil && t.fromProvider {
		return err
	}
	for _, k := range s.choose(t.kid, t.alg) {
		if !sameKey(k.key, known) && t.signedBy(k.key) {
			return nil
		}
	}
	return t.refuseSignature()
}

// sameKey is true of two that were read from equal JWKs. The keys' own Equal
// takes an interface, which the interpreter would have to fill.
func sameKey(a, b interface{}) bool { return reflect.DeepEqual(a, b) }

// pause is how long the keys must not have been asked for to be asked for now.
// Anybody can make up a kid, but nobody makes the token endpoint send one: what
// it sends waits for the keys of now.
func (t *token) pause() time.Duration {
	if t.fromProvider {
		return 0
	}
	return unknownKidPause
}

func refuseKid(kid, alg string, fitting int) error {
	found := quote(kid)
	if kid == "" {
		found = "nothing"
	}
	return refuse("header: kid", fmt.Sprintf("%s, which %d keys fit", found, fitting), "one key of the provider for "+alg)
}
