package latchkey

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

// sessionStore keeps sessions on the server. The browser has a random id alone;
// the record is under a hash of it, so that whoever reads the store can neither
// read sessions, which are sealed in Redis, nor be anybody.
type sessionStore struct {
	records cache.Cache
	tiered  *cache.Tiered // nil: in this process alone
	reads   *recordReads
}

// recordReads has each record read once at a time, however many requests come
// with one session that this process does not know.
type recordReads struct {
	mu      sync.Mutex
	flights map[string]*recordRead
}

// recordRead is one of them. What was read is written before done is closed.
type recordRead struct {
	done  chan struct{}
	value []byte
	found bool
	err   error
}

func newRecordReads() *recordReads { return &recordReads{flights: map[string]*recordRead{}} }

// storedID is the shape of what the cookie carries.
var storedID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// sessionID is the ID of the session that a cookie names.
func sessionID(credential string) string { return fingerprint("session", credential) }

// load returns the session, from this process' memory where it is there.
func (p *sessionStore) load(ctx context.Context, credential string) (*session, bool, error) {
	key := recordKey(sessionID(credential))
	p.reads.mu.Lock()
	f := p.reads.flights[key]
	if f != nil {
		p.reads.mu.Unlock()
		return f.wait(ctx)
	}
	f = &recordRead{done: make(chan struct{})}
	p.reads.flights[key] = f
	p.reads.mu.Unlock()
	p.read(ctx, key, f)
	return decodeRecord(f.value, f.found, f.err)
}

// read is not on the request's own context: others wait for it too, and Redis
// has a time-out.
func (p *sessionStore) read(ctx context.Context, key string, f *recordRead) {
	f.err = errInternal // unless it gets so far
	defer p.reads.land(key, f)
	f.value, f.found, f.err = p.records.Get(context.WithoutCancel(ctx), key)
}

func (r *recordReads) land(key string, f *recordRead) {
	r.mu.Lock()
	delete(r.flights, key)
	r.mu.Unlock()
	close(f.done)
}

func (f *recordRead) wait(ctx context.Context) (*session, bool, error) {
	if err := wait.For(ctx, f.done); err != nil {
		return nil, false, fmt.Errorf("load session: %w", err)
	}
	return decodeRecord(f.value, f.found, f.err)
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
