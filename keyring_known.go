package latchkey

import (
	"sync"
	"time"
)

// maxKnown bounds what is known of secrets.
const maxKnown = 1000

// knownSecrets is what this process knows of secrets, by fingerprints: it outlives
// a reload, which makes each keyring whose list is another anew.
type knownSecrets struct {
	mu     sync.Mutex
	since  map[string]time.Time
	behind map[string]bool // it stood behind another one, so that its coming was told
	pairs  map[string]bool // that were listed together
	sealed map[string]bool // it has sealed here
}

// note takes a list of secrets down.
func (n *knownSecrets) note(values []string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.since == nil || len(n.pairs) > maxKnown {
		n.since = map[string]time.Time{}
		n.behind = map[string]bool{}
		n.pairs = map[string]bool{}
		n.sealed = map[string]bool{}
	}
	for i, value := range values {
		name := fingerprint(value)
		if _, found := n.since[name]; !found {
			n.since[name] = now
		}
		if i > 0 && value != values[0] {
			n.behind[name] = true
		}
		for _, other := range values {
			n.pairs[fingerprint(value, other)] = true
		}
	}
}

// ripe is when the secret may seal.
func (n *knownSecrets) ripe(value string, delay time.Duration) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := fingerprint(value)
	since := n.since[name]
	if n.behind[name] {
		return since
	}
	return since.Add(delay)
}

// older is the one that has been known for longer; of two that have been for as
// long, the first.
func (n *knownSecrets) older(a, b string) string {
	if n.younger(a, b) {
		return b
	}
	return a
}

// younger says whether a came to be known after b.
func (n *knownSecrets) younger(a, b string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.since[fingerprint(b)].Before(n.since[fingerprint(a)])
}

// outgoing says whether what a sealed is to be sealed anew by b: not where a is
// the newer one of the two, which other replicas may be using already.
func (n *knownSecrets) outgoing(a, b string) bool {
	if !n.younger(a, b) {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sealed[fingerprint(a)]
}

// seals notes that the secret seals.
func (n *knownSecrets) seals(value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sealed != nil {
		n.sealed[fingerprint(value)] = true
	}
}

// together says whether the two were ever listed at the same time.
func (n *knownSecrets) together(a, b string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pairs[fingerprint(a, b)]
}
