package latchkey

import (
	"fmt"

	"github.com/latchkey-auth/latchkey/internal/headers"
	"github.com/latchkey-auth/latchkey/internal/identity"
)

// view is what a router makes of an identity: whether its rule lets it in, and
// the headers that tell the upstream.
type view struct {
	of      string // the router's fingerprint
	refused error
	fields  []field
}

// anonymous is the view of nobody: no headers.
var anonymous = &view{}

// authorize asks this router's rule about the identity. The answer depends on
// nothing else, so it is remembered with the identity for this rule; another
// router's rule is asked for itself.
func (l *Latchkey) authorize(v *verified) (*view, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, known := range v.views {
		if known.of == l.set.view {
			return known, known.refused
		}
	}
	who, err := v.identity.Unpack()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	made := l.makeView(v, who)
	made.of = l.set.view
	v.views = append(v.views, made)
	return made, made.refused
}

func (l *Latchkey) makeView(v *verified, who *identity.Identity) *view {
	if l.set.rule != nil && !l.set.rule(who) {
		return &view{refused: errRuleDenied}
	}
	made := &view{}
	for _, h := range l.set.forward {
		claim, found := h.claim.Lookup(who)
		if !found {
			continue
		}
		value, err := headers.Value(claim)
		if err != nil {
			return &view{refused: fmt.Errorf("%w: %s: %v", errUnprintable, h.source, err)}
		}
		made.add(h.name, value)
	}
	accessToken := v.accessToken
	if l.set.accessTokenHeader == "Authorization" && accessToken != "" {
		accessToken = "Bearer " + accessToken
	}
	made.add(l.set.accessTokenHeader, accessToken)
	made.add(l.set.idTokenHeader, v.idToken)
	return made
}

func (v *view) add(name, value string) {
	if name != "" && value != "" {
		v.fields = append(v.fields, field{name, []string{value}})
	}
}
