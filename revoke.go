package latchkey

import (
	"context"
	"fmt"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// checkClean asks again whether a known credential was revoked, if anything was
// since it was last asked.
func (l *Latchkey) checkClean(ctx context.Context, v *verified) error {
	generation := l.revocations.Index().Generation()
	if v.clean.Load() == generation {
		return nil
	}
	return l.checkRevoked(ctx, v, generation)
}

// checkRevoked asks whether the credential was revoked. Generation is that of
// before it was looked at: what is revoked since moves it on, and the verdict
// has to be asked about again.
func (l *Latchkey) checkRevoked(ctx context.Context, v *verified, generation uint64) error {
	revoked, err := l.revocations.Check(ctx, v.issued, v.keys[:])
	switch {
	case err != nil:
		return fmt.Errorf("%w: %v", errStoreAway, err)
	case revoked && v.identity.Kind == identity.Session:
		return errExpired
	case revoked:
		return errBadToken
	}
	v.clean.Store(generation)
	return nil
}

// revoke has the key's credentials refused on every replica, those issued up to
// now. The error says that the other replicas learn of it later.
func (l *Latchkey) revoke(ctx context.Context, key revocation.Key) error {
	err := l.revocations.Revoke(ctx, []revocation.Entry{{Key: key, At: l.now().UnixMilli()}})
	return err
}

// revokeSessions is revoke for sessions by their IDs, each of which is of one login:
// whatever clock that went by.
func (l *Latchkey) revokeSessions(ctx context.Context, ids ...string) error {
	at := l.now().UnixMilli()
	var entries []revocation.Entry
	for _, id := range ids {
		entries = append(entries, revocation.Entry{Key: revocation.Session(id), At: at, Always: true})
	}
	err := l.revocations.Revoke(ctx, entries)
	return err
}

// endSession ends one session, on every replica.
func (l *Latchkey) endSession(ctx context.Context, s *session) error {
	err := l.revokeSessions(ctx, s.ID)
	l.forgetSession(ctx, s.ID, l.userOf(s))
	return err
}

// forgetSession takes an ended session out of the stores. It is not what ends it,
// so a failure only leaves something behind that ends by itself.
func (l *Latchkey) forgetSession(ctx context.Context, id, user string) {
	if l.sessions != nil {
		if err := l.sessions.remove(ctx, id); err != nil {
			l.log.warn("an ended session stays in the store until its end", "error", err.Error())
		}
	}
	if err := l.about.Delete(ctx, aboutKey(id)); err != nil {
		l.log.warn("what was told of an ended session stays until its end", "error", err.Error())
	}
	if user != "" {
		if err := l.users.remove(ctx, user, id, l.now().UnixMilli()); err != nil {
			l.log.warn("an ended session stays in its user's list until its end", "error", err.Error())
		}
	}
}

// userOf stands for the session's user.
func (l *Latchkey) userOf(s *session) string {
	claims, err := oidc.Unverified(s.IDToken)
	if err != nil {
		return ""
	}
	return l.userName(text(claims["sub"]))
}

func (l *Latchkey) userName(subject string) string {
	return fingerprint("user", l.set.issuer, subject)
}

// admitSession counts a new session among its user's, and ends those that must
// make room for it.
func (l *Latchkey) admitSession(ctx context.Context, s *session) error {
	user := l.userOf(s)
	if err := l.grantOne(user); err != nil {
		return err
	}
	others, err := l.users.add(ctx, user, s.ID, s.Born+l.set.lifetime.Milliseconds(), s.Born)
	if err != nil && l.sessions == nil && l.set.maxPerUser == 0 && !l.set.endOthers {
		// The cookies need no store, and there is nobody to make room.
		l.log.warn("a session is not in its user's list", "session", s.tag(), "error", err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %v", errStoreAway, err)
	}
	excess := 0
	if most := l.set.maxPerUser; most > 0 && len(others) >= most {
		excess = len(others) - most + 1
	}
	if l.set.endOthers {
		excess = len(others)
	}
	if excess == 0 {
		return nil
	}
	if err := l.revokeSessions(ctx, others[:excess]...); err != nil {
		return fmt.Errorf("%w: %v", errStoreAway, err)
	}
	for _, id := range others[:excess] {
		l.forgetSession(ctx, id, user)
	}
	l.log.info("sessions ended by a login", "session", s.tag(), "ended", excess)
	return nil
}
