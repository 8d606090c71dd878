package latchkey

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
)

// sessionStore keeps sessions on the server. The browser has a random id alone;
// the record is under a hash of it, so that whoever reads the store can neither
// read sessions, which are sealed in Redis, nor be anybody.
type sessionStore struct {
	records cache.Cache
	tiered  *cache.Tiered // nil: in this process alone
}

// storedID is the shape of what the cookie carries.
var storedID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// sessionID is the ID of the session that a cookie names.
func sessionID(credential string) string { return fingerprint("session", credential) }

// load returns the session, from this process' memory where it is there.
func (p *sessionStore) load(ctx context.Context, credential string) (*session, bool, error) {
	value, found, err := p.records.Get(ctx, recordKey(sessionID(credential)))
	return decodeRecord(value, found, err)
}

// reload is load past this process' memory.
func (p *sessionStore) reload(ctx context.Context, credential string) (*session, bool, error) {
	if p.tiered == nil {
		return p.load(ctx, credential)
	}
	value, found, err := p.tiered.Fresh(ctx, recordKey(sessionID(credential)))
	return decodeRecord(value, found, err)
}

func decodeRecord(value []byte, found bool, err error) (*session, bool, error) {
	if err != nil {
		return nil, false, fmt.Errorf("load session: %w", err)
	}
	if !found {
		return nil, false, nil
	}
	s, err := decodeSession(value)
	if err != nil {
		return nil, false, nil // written by another version: a new login
	}
	return s, true, nil
}

// create keeps a new session.
func (p *sessionStore) create(ctx context.Context, s *session, credential string, ttl time.Duration) error {
	value, err := s.encode()
	if err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	if err := p.records.Set(ctx, recordKey(sessionID(credential)), value, ttl); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	return nil
}

// update keeps a session that is there, and says whether it still was: one that
// was ended meanwhile does not come back.
func (p *sessionStore) update(ctx context.Context, s *session, credential string, ttl time.Duration) (bool, error) {
	value, err := s.encode()
	if err != nil {
		return false, fmt.Errorf("keep session: %w", err)
	}
	there, err := p.records.Replace(ctx, recordKey(sessionID(credential)), value, ttl)
	if err != nil {
		return false, fmt.Errorf("keep session: %w", err)
	}
	return there, nil
}

// remove forgets the session of that ID.
func (p *sessionStore) remove(ctx context.Context, id string) error {
	if err := p.records.Delete(ctx, recordKey(id)); err != nil {
		return fmt.Errorf("remove session: %w", err)
	}
	return nil
}

func recordKey(id string) string { return "session:" + id }
