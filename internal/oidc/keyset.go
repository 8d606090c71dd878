package oidc

import (
	"context"
	"fmt"
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
		m, err := p.Metadata(ctx)
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

// key returns the one key that may have signed a token of that header.
func (p *Provider) key(ctx context.Context, kid, alg string) (interface{}, error) {
	v, err := p.keys.get(ctx, freshFor, goodFor)
	if err != nil {
		return nil, err
	}
	if key := v.(*keySet).only[keyName{kid, alg}]; key != nil {
		return key, nil
	}
	return p.keyAnew(ctx, v.(*keySet), kid, alg)
}

// keyAnew is key where the set has none, or several that fit.
func (p *Provider) keyAnew(ctx context.Context, known *keySet, kid, alg string) (interface{}, error) {
	var err error
	fitting := known.choose(kid, alg)
	if len(fitting) == 0 {
		fitting, err = p.newKeys(ctx, kid, alg)
	}
	if err != nil {
		return nil, err
	}
	if len(fitting) != 1 {
		return nil, refuseKid(kid, alg, len(fitting))
	}
	return fitting[0].key, nil
}

// newKeys looks for a key that was not in the set: the provider may have rotated
// (OIDC Core, 10.1.1). It is asked again unless it was within the pause.
//
// While the provider does not answer, nobody knows whether the kid is made up or
// new. That is ErrUnavailable, for the token may be good.
func (p *Provider) newKeys(ctx context.Context, kid, alg string) ([]*publicKey, error) {
	v, err := p.keys.renew(ctx, unknownKidPause)
	fitting := v.(*keySet).choose(kid, alg)
	if len(fitting) == 0 {
		return nil, err
	}
	return fitting, nil
}

func refuseKid(kid, alg string, fitting int) error {
	found := quote(kid)
	if kid == "" {
		found = "nothing"
	}
	return refuse("header: kid", fmt.Sprintf("%s, which %d keys fit", found, fitting), "one key of the provider for "+alg)
}
