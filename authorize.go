package latchkey

import (
	"fmt"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/headers"
	"github.com/latchkey-auth/latchkey/internal/identity"
)

// view is what a router makes of an identity: whether its rule lets it in, and
// the headers that tell the upstream. As long as the credential stands it is the
// pass of a request that comes with the same header (passes.go).
type view struct {
	of       string // the router's fingerprint
	refused  error
	fields   []field
	until    time.Time       // the verified credential's
	harmless map[string]bool // header names that need no look; never changed
	version  int64           // of harmless
	next     *view           // what another router made of it; nil: none
	bearer   bool            // the credential is what stands in Authorization
}

// field is a header to set. Its values are shared by all requests; none removes
// what the client sent.
type field struct {
	name   string
	values []string
}

// anonymous is the view of nobody: no headers.
var anonymous = &view{}

// authorize asks this router's rule about the identity. The answer depends on
// nothing else, so it is remembered with the identity for this rule; another
// router's rule is asked for itself.
func (l *Latchkey) authorize(v *verified) (*view, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if known := v.viewOf(l.set.view); known != nil {
		return known, known.refused
	}
	who, err := v.identity.Unpack()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	made := l.makeView(v, who)
	made.of = l.set.view
	made.next = v.views
	v.views = made
	return made, made.refused
}

// viewOf returns what the router of that fingerprint made of it before, or nil.
func (v *verified) viewOf(router string) *view {
	for known := v.views; known != nil; known = known.next {
		if known.of == router {
			return known
		}
	}
	return nil
}

func (l *Latchkey) makeView(v *verified, who *identity.Identity) *view {
	if l.set.rule != nil && !l.set.rule(who) {
		return &view{refused: errRuleDenied}
	}
	var names, values []string
	for _, h := range l.set.forward {
		claim, found := h.claim.Lookup(who)
		if !found {
			continue
		}
		value, err := headers.Value(claim)
		if err != nil {
			return &view{refused: fmt.Errorf("%w: %s: %v", errUnprintable, h.source, err)}
		}
		names = append(names, h.name)
		values = append(values, value)
	}
	accessToken, idToken := v.forwarded()
	if l.set.accessTokenHeader == "Authorization" && accessToken != "" {
		accessToken = "Bearer " + accessToken
	}
	names = append(names, l.set.accessTokenHeader, l.set.idTokenHeader)
	values = append(values, accessToken, idToken)
	made := &view{until: time.Unix(v.until, 0), bearer: v.identity.Kind == identity.Bearer || v.identity.Kind == identity.Delegated}
	made.fields = fieldsOf(names, values, v.identity.Kind == identity.Session)
	return made
}

// fieldsOf are the headers that have both a name and a value. For a session the
// first one removes the cookies; there may be others to put in its place.
func fieldsOf(names, values []string, session bool) []field {
	n := 0
	for i, name := range names {
		if name != "" && values[i] != "" {
			names[n] = name
			values[n] = values[i]
			n++
		}
	}
	// One text, one list: see tokenCache on the number of pieces.
	text := strings.Join(values[:n], "")
	pieces := make([]string, n)
	fields := make([]field, 0, n+1)
	if session {
		fields = append(fields, field{"Cookie", nil})
	}
	for i, value := range values[:n] {
		pieces[i] = text[:len(value)]
		text = text[len(value):]
		fields = append(fields, field{names[i], pieces[i : i+1 : i+1]})
	}
	return fields
}
