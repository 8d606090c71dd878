package latchkey

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-auth/latchkey/internal/revocation"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// maxReturns bounds the refresh tokens on their way back to providers.
	maxReturns = 16
	// maxUnread bounds, for each minute, the logouts of sessions that nobody can look
	// at: anybody can make up an id.
	maxUnread = 300
	// endedFor is how long a logout is known to have been made; by then each replica
	// has heard of it.
	endedFor = time.Minute
	// endedBy is how long a logout waits for the same one on another replica.
	endedBy = time.Second
)

// ends bound what logouts cause, for the whole process.
type ends struct {
	slots   chan struct{} // one for each refresh token on its way back
	dropped atomic.Int64  // refresh tokens that did not go back, as too many were on their way

	mu     sync.Mutex
	minute int64
	taken  int // logouts of sessions that could not be read, in that minute
}

func newEnds() *ends { return &ends{slots: make(chan struct{}, maxReturns)} }

// unread says whether one more session that cannot be read may be ended.
func (e *ends) unread(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if minute := now.Unix() / 60; minute != e.minute {
		e.minute = minute
		e.taken = 0
	}
	e.taken++
	return e.taken <= maxUnread
}

// slot says whether a refresh token may be given back now; then leave must follow.
func (e *ends) slot() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.slots) == cap(e.slots) {
		e.dropped.Add(1)
		return false
	}
	e.slots <- struct{}{} // nobody else fills it meanwhile
	return true
}

func (e *ends) leave() { <-e.slots }

// endOnce ends a session and gives its refresh token back, and says whether it did:
// of a session that has ended, by whatever, there is nothing left to do. So a
// cookie that is kept causes nothing more, however often it is shown.
func (l *Latchkey) endOnce(ctx context.Context, s *session) bool {
	if l.now().Unix() >= s.ends(l.set) || l.isEnded(s) {
		return false
	}
	first, err := l.once.Add(ctx, "ended:"+fingerprint(s.ID), nil, endedFor)
	if err != nil {
		l.log.warn("another replica may be ending a session at the same time", "session", s.tag(), "error", err.Error())
		first = true
	}
	if !first && l.endedMeanwhile(ctx, s) {
		return false
	}
	if err := l.endSession(ctx, s); err != nil {
		l.log.warn("the other replicas learn of a logout when Redis is back", "session", s.tag(), "error", err.Error())
	}
	if first {
		l.returnRefreshToken(s)
	}
	return first
}

// isEnded says whether this process knows that the session was revoked.
func (l *Latchkey) isEnded(s *session) bool {
	v, err := l.identify(s)
	if err != nil {
		return l.revocations.Index().Revoked(s.Born, []revocation.Key{revocation.Session(s.ID)})
	}
	return l.revocations.Index().Revoked(v.issued, v.keys[:])
}

// endedMeanwhile waits for a logout of the same session that is under way.
func (l *Latchkey) endedMeanwhile(ctx context.Context, s *session) bool {
	for began := time.Now(); time.Since(began) < endedBy && ctx.Err() == nil; {
		if l.isEnded(s) {
			return true
		}
		_ = wait.Pause(ctx, 20*time.Millisecond) // the loop asks whether ctx has ended
	}
	return l.isEnded(s)
}

// returnRefreshToken gives the refresh token back (RFC 7009), behind the
// person's back: the logout does not wait for it, nor fail with it.
func (l *Latchkey) returnRefreshToken(s *session) {
	if s.RefreshToken == "" {
		return
	}
	if !l.ends.slot() {
		l.log.debug("a refresh token does not go back: too many are on their way", "session", s.tag())
		return
	}
	go func() {
		defer func() {
			// A panic in a goroutine would end the whole of Traefik.
			if p := recover(); p != nil {
				l.log.warn("revoke a refresh token", "error", fmt.Sprint("panic: ", p))
			}
			l.ends.leave()
		}()
		l.revokeAtProvider(s)
	}()
}

func (l *Latchkey) revokeAtProvider(s *session) {
	ctx, cancel := context.WithTimeout(context.Background(), l.set.timeout)
	defer cancel()
	if err := l.giveBack(ctx, s.RefreshToken); err != nil {
		l.log.warn("the provider did not take a refresh token back", "session", s.tag(), "error", err.Error())
	}
}
