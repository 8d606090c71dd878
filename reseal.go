package latchkey

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/seal"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// resealCheck is how often it is looked whether something is to be sealed anew,
	// and resealAgain how long after a walk over Redis there may be another one.
	resealCheck = time.Second
	resealAgain = 10 * time.Second
	// toldEvery is how often the log says that there are records of an unknown secret.
	toldEvery = time.Minute
)

// recordNotes count what was read in Redis and cannot stay as it is.
type recordNotes struct {
	strangers atomic.Int64 // of a secret that is not known here
	stale     atomic.Int64 // of one that does not seal any more
}

// noticed is what a cache tells.
func (l *Latchkey) noticed() func(error) {
	notes := &l.set.keys.notes
	return func(err error) {
		if err != nil {
			notes.strangers.Add(1)
		} else {
			notes.stale.Add(1)
		}
	}
}

// resealer seals the records in Redis anew when another secret has come to seal:
// the old one can be dropped then. Each replica walks over all of them; what
// another one was quicker with is only looked at.
type resealer struct {
	l      *Latchkey
	tried  *seal.Ring // that the last walk was for; nil: none yet
	walked *seal.Ring // the same, of the last one that came to its end
	again  time.Time  // when there may be another walk for it
	told   time.Time  // when the log was told of strangers last
}

// openResealer starts it. The command has none: it only reads what it is asked
// about.
func (l *Latchkey) openResealer(ctx context.Context) {
	if l.redis == nil {
		return
	}
	key := fingerprint("resealer", l.set.redis.fingerprint, l.set.secretSources, l.set.keys.delay.String())
	resources.use(ctx, key, func() (interface{}, func()) {
		until, stop := context.WithCancel(context.Background())
		w := &resealer{l: l}
		go w.run(until)
		return w, func() { stop() }
	})
}

func (w *resealer) run(ctx context.Context) {
	w.turn(ctx)
	for wait.Pause(ctx, resealCheck) == nil {
		w.turn(ctx)
	}
}

func (w *resealer) turn(ctx context.Context) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if p := recover(); p != nil {
			w.again = w.l.now().Add(resealAgain)
		}
	}()
	now := w.l.now()
	w.tell(now)
	keys := w.l.set.keys
	ring := keys.at(now)
	if ring.Only() || ring == w.tried && now.Before(w.again) || ring == w.walked && keys.notes.stale.Load() == 0 {
		return
	}
	w.tried = ring
	keys.notes.stale.Store(0)
	n, err := cache.Reseal(ctx, w.l.redis, w.l.set.redis.prefix, func() *seal.Ring { return ring })
	w.again = w.l.now().Add(resealAgain)
	if n > 0 {
		w.l.log.info("records sealed anew with the secret that seals now", "records", n)
	}
	if err != nil {
		w.l.log.warn("records of an earlier secret are not all sealed anew; it is tried again", "error", err.Error())
		return
	}
	w.walked = ring
}

// tell has the log say that there are records of a secret that is not known here:
// replicas differ, or one was dropped too early. It is said once a minute.
func (w *resealer) tell(now time.Time) {
	notes := &w.l.set.keys.notes
	if notes.strangers.Load() == 0 || now.Sub(w.told) < toldEvery {
		return
	}
	w.told = now
	w.l.log.err.Error("records in Redis name a key that is not in `secret`, or another version: they are not used and not deleted. List the missing secret, at the end", "reads", notes.strangers.Swap(0))
}
