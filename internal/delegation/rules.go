package delegation

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/latchkey-auth/latchkey/internal/seal"
)

// maxDepth bounds the services in an act claim: what calls itself in a circle
// must not grow tokens without end.
const maxDepth = 4

// Scope returns the scopes of the token, sorted and each once: for a notebook the
// parent's, else those asked for that the parent has.
func (r Request) Scope(p Parent) []string {
	if r.Kind == Notebook {
		return set(p.Scopes)
	}
	has := map[string]bool{}
	for _, scope := range p.Scopes {
		has[scope] = true
	}
	var granted []string
	for _, scope := range r.Scopes {
		if has[scope] {
			granted = append(granted, scope)
		}
	}
	return set(granted)
}

// set returns a list sorted, each once. The list stays as it is.
func set(list []string) []string {
	sorted := append([]string(nil), list...)
	sort.Strings(sorted)
	var out []string
	for i, s := range sorted {
		if i == 0 || s != sorted[i-1] {
			out = append(out, s)
		}
	}
	return out
}

// Audience returns whom the token is for: the service; with a notebook those whom
// the parent is for, or everybody where that is everybody.
func (r Request) Audience(p Parent, everybody string) []string {
	switch {
	case r.Kind != Notebook:
		return []string{r.Service}
	case len(p.Audiences) > 0:
		return p.Audiences
	}
	return []string{everybody}
}

// Expires returns when a token made now ends (Unix seconds), which is never
// after its parent; not ok where that leaves less than Minimum, or nothing. A
// parent with more time left would help.
func (r Request) Expires(p Parent, now int64) (exp int64, ok bool) {
	exp = now + int64(r.Lifetime/time.Second)
	if p.Expires < exp {
		exp = p.Expires
	}
	if exp <= now {
		return exp, false
	}
	return exp, exp-now >= wholeSeconds(r.Minimum)
}

// wholeSeconds counts a part of a second as a whole one.
func wholeSeconds(d time.Duration) int64 {
	whole := int64(d / time.Second)
	if d%time.Second > 0 {
		whole++
	}
	return whole
}

// Key names the token that a request leads to, for a cache: what has the same key
// may have the same token. Each part is prefixed with its length, so that no two
// lists of parts are one key.
//
// The parent's end is part of it, as a parent that was given longer may have a
// token that lasts longer. So are the scopes as they are granted, since a parent
// may lose some, and Lifetime, since a router must not be handed what another one
// asked for. Minimum is not: it is asked of each token that is found.
func (r Request) Key(p Parent) string {
	parts := []string{r.Kind, p.ID, strconv.FormatInt(p.Expires, 10), strconv.FormatInt(int64(r.Lifetime), 10), r.Service}
	parts = append(parts, r.Scope(p)...)
	sum := sha256.Sum256([]byte(seal.Context(parts...)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Act returns the act claim of the token (RFC 8693, 4.1), nil for none: the
// service that now asks, and within it those through which the parent came to it.
// The error wraps ErrDepth.
func (r Request) Act(p Parent) (map[string]interface{}, error) {
	if p.Audience == "" {
		return nil, nil
	}
	if actors(p.Act) >= maxDepth {
		return nil, fmt.Errorf("act for %q: found %d services or more, wanted fewer: %w", p.Audience, maxDepth, ErrDepth)
	}
	act := map[string]interface{}{"sub": p.Audience}
	if p.Act != nil {
		act["act"] = p.Act
	}
	return act, nil
}

// actors counts those of an act claim, as far as it matters.
func actors(act map[string]interface{}) int {
	n := 0
	for act != nil && n < maxDepth {
		n++
		act = inner(act)
	}
	return n
}

// inner is a function of its own because of Yaegi, where a failed assertion in a
// loop leaves the value of the last turn.
func inner(act map[string]interface{}) map[string]interface{} {
	next, _ := act["act"].(map[string]interface{})
	return next
}

// ReusableUntil returns until when a token serves again (Unix seconds): while it
// is now less, half of the token's life is not yet over, and more than minimum is
// left. So whoever gets one has time to use it.
func ReusableUntil(created, expires int64, minimum time.Duration) int64 {
	// Rounded up: of 7 seconds, the third is before half and the fourth is not.
	until := created + (expires-created+1)/2
	if last := expires - wholeSeconds(minimum); last < until {
		return last
	}
	return until
}
