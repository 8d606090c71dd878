package latchkey

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-auth/latchkey/internal/delegation"
	"github.com/latchkey-auth/latchkey/internal/seal"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// passingFor is how much longer than secretDelay a secret opens that was
	// replaced in its file, and is not listed any more.
	passingFor = time.Minute
	// keyringCheck is how often it is looked whether a secret has changed, besides
	// when one is needed.
	keyringCheck = time.Second
)

// keyring is the seal.Ring of the secrets as they are now.
//
// All that are listed open. The first one seals, but for one that was not known
// before: it seals once it has been known for delay, since the other replicas may
// not have it yet. Until then the one goes on that has been known for longest.
//
//	[old] -> [old, new] -> [new, old]    new seals at once: it was listed before
//	[old] -> [new, old]                  new seals after delay
//	file "old" -> file "new"             new seals after delay, old opens until
//	                                     passingFor after that
//
// Replicas look at their files at different times, so with delay longer than
// these are apart, none ever seals what another cannot open.
type keyring struct {
	secrets []*secret
	delay   time.Duration
	known   *knownSecrets

	mu      sync.Mutex
	values  string    // as they were looked at last
	listed  []string  // those that are of use
	passing []passing // those that were listed
	next    int64     // when to look again though no value has changed (Unix seconds)
	inForce []string  // all, the one that seals first
	ring    *seal.Ring
	signer  *delegation.Signer // of the same; nil: not asked for yet
	report  func(error)        // told of secrets that cannot be used; nil: nobody

	turns atomic.Int64 // how often another one came to seal
	notes recordNotes
}

// passing is a secret that opens for a while yet.
type passing struct {
	value string
	until time.Time
	lasts bool // it was listed beside the one that seals now: what it sealed is worth sealing anew
}

func newKeyring(secrets []*secret, delay time.Duration) (*keyring, error) {
	k := &keyring{secrets: secrets, delay: delay, known: &knownSecrets{}}
	values := k.read()
	if err := usableSecrets(values); err != nil {
		return nil, err
	}
	k.values = seal.Context(values...)
	k.listed = values
	err := k.make(time.Time{})
	return k, err
}

// begin takes down since when its secrets are known.
func (k *keyring) begin(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known.note(k.listed, now)
	_ = k.make(now) // of secrets that it was made of before
}

func (k *keyring) read() []string {
	var values []string
	for _, s := range k.secrets {
		values = append(values, s.get())
	}
	return values
}

// at returns the ring for the secrets as they are. One that is of no use leaves
// the last ring in force.
func (k *keyring) at(now time.Time) *seal.Ring {
	values := k.read()
	joined := seal.Context(values...)
	k.mu.Lock()
	defer k.mu.Unlock()
	if joined != k.values || now.Unix() >= k.next {
		k.renew(values, joined, now)
	}
	return k.ring
}

func (k *keyring) renew(values []string, joined string, now time.Time) {
	err := usableSecrets(values)
	if err == nil {
		k.replace(values, now)
		err = k.make(now)
	} else if joined == k.values {
		err = k.make(now)
	}
	if err != nil && joined != k.values && k.report != nil {
		k.report(err)
	}
	k.values = joined
}

// replace notes which secrets are listed now, and which are not any more.
func (k *keyring) replace(values []string, now time.Time) {
	k.known.note(values, now)
	var left []passing
	for _, p := range k.passing {
		if now.Before(p.until) && !contains(values, p.value) {
			left = append(left, p)
		}
	}
	for _, value := range k.listed {
		if !contains(values, value) {
			left = append(left, passing{value: value, until: now.Add(k.delay + passingFor), lasts: k.known.together(value, values[0])})
		}
	}
	k.passing = left
	k.listed = values
}

// make derives the keys of those that are in force.
func (k *keyring) make(now time.Time) error {
	k.next = math.MaxInt64
	first := k.sealing(now)
	lasting := []string{first}
	var others []string
	for _, value := range k.listed {
		lasting, others = k.place(lasting, others, value, true)
	}
	for _, p := range k.passing {
		if !now.Before(p.until) {
			continue
		}
		k.until(p.until)
		lasting, others = k.place(lasting, others, p.value, p.lasts)
	}
	ring, err := seal.NewRing(lasting, others...)
	if err != nil {
		return fmt.Errorf("derive keys: %w", err)
	}
	if len(k.inForce) > 0 && k.inForce[0] != first {
		k.turns.Add(1)
	}
	k.known.seals(first)
	k.ring = ring
	k.inForce = append(lasting, others...)
	k.signer = nil
	return nil
}

// place adds a secret to those whose texts are to be sealed anew, or to the
// others. While the first of the list does not seal yet nothing is sealed anew:
// other replicas may be ahead.
func (k *keyring) place(lasting, others []string, value string, lasts bool) ([]string, []string) {
	first := lasting[0]
	if value == first {
		return lasting, others
	}
	if lasts && first == k.listed[0] && k.known.outgoing(value, first) {
		lasting = append(lasting, value)
	} else {
		others = append(others, value)
	}
	return lasting, others
}

// sealing is the secret that seals now.
func (k *keyring) sealing(now time.Time) string {
	first := k.listed[0]
	ripe := k.known.ripe(first, k.delay)
	if !now.Before(ripe) {
		return first
	}
	chosen := first
	for _, value := range k.listed {
		chosen = k.known.older(chosen, value)
	}
	for _, p := range k.passing {
		if now.Before(p.until) {
			chosen = k.known.older(chosen, p.value)
		}
	}
	if chosen != first {
		k.until(ripe)
	}
	return chosen
}

// until has the secrets looked at again at that time, at the latest.
func (k *keyring) until(end time.Time) {
	if at := end.Unix() + 1; at < k.next {
		k.next = at
	}
}

// name stands for the secret that seals now.
func (k *keyring) name(now time.Time) string {
	k.at(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	return fingerprint(k.inForce[0])
}

// named says whether a secret of that name is in force.
func (k *keyring) named(now time.Time, name string) bool {
	k.at(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, value := range k.inForce {
		if fingerprint(value) == name {
			return true
		}
	}
	return false
}

// signerAt signs with the same secrets as at seals with.
func (k *keyring) signerAt(now time.Time) (*delegation.Signer, error) {
	k.at(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.signer == nil {
		signer, err := delegation.NewSigner(k.inForce)
		if err != nil {
			return nil, fmt.Errorf("derive signing keys: %w", err)
		}
		k.signer = signer
	}
	return k.signer, nil
}

// watch notices changes while nobody asks, so that this replica is no later than
// others.
func (k *keyring) watch(ctx context.Context, now func() time.Time) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		_ = recover()
	}()
	for wait.Pause(ctx, keyringCheck) == nil {
		k.at(now())
	}
}

// openKeyring takes the keyring of these sources. A reload that leaves them as
// they are goes on with the one that there is, and what it knows.
func (l *Latchkey) openKeyring(ctx context.Context) {
	l.watchSecrets(ctx)
	own := l.set.keys
	own.known = resources.use(ctx, "known secrets", func() (interface{}, func()) {
		return &knownSecrets{}, func() {}
	}).(*knownSecrets)
	log, now := l.log, l.now
	l.set.keys = resources.use(ctx, fingerprint("keyring", l.set.secretSources, own.delay.String()), func() (interface{}, func()) {
		own.report = func(err error) { log.warn("the last value of a secret stays in force", "error", err.Error()) }
		own.begin(now())
		until, stop := context.WithCancel(context.Background())
		go own.watch(until, now)
		return own, func() { stop() }
	}).(*keyring)
	l.set.keys.at(now())
}
