package latchkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// SessionInfo is what is told of a session. Times are Unix seconds.
type SessionInfo struct {
	ID      string `json:"id"`
	Since   int64  `json:"since"`
	Until   int64  `json:"until"` // at the latest
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"` // the browser, as it calls itself
	Current bool   `json:"current,omitempty"`

	Delegated []DelegatedInfo `json:"delegated,omitempty"` // made from it for other services
}

// sessionAbout is what is kept of a session for its user to recognise it by. Only
// its fields are exported, for JSON.
type sessionAbout struct {
	Born    int64  `json:"b"` // Unix milliseconds
	Address string `json:"a,omitempty"`
	Agent   string `json:"g,omitempty"`
	SID     string `json:"s,omitempty"` // what the provider calls the login
}

// maxAgent bounds what is kept of a User-Agent header.
const maxAgent = 200

// describeSession keeps what will be told of a new session. Nothing depends on
// it, so a failure is only logged.
func (l *Latchkey) describeSession(r *http.Request, s *session) {
	about := sessionAbout{Born: s.Born, Address: clientAddress(r), Agent: r.UserAgent()}
	if len(about.Agent) > maxAgent {
		about.Agent = about.Agent[:maxAgent]
	}
	if claims, err := oidc.Unverified(s.IDToken); err == nil {
		about.SID = text(claims["sid"])
	}
	value, err := json.Marshal(about)
	if err == nil {
		err = l.about.Set(r.Context(), aboutKey(s.ID), value, l.set.lifetime)
	}
	if err != nil {
		l.log.warn("a session is listed without a description", "session", s.tag(), "error", err.Error())
	}
}

func aboutKey(id string) string { return "about:" + id }

// clientAddress is for people to read: what Traefik says, which nothing is
// decided by.
func clientAddress(r *http.Request) string {
	if real := net.ParseIP(r.Header.Get("X-Real-Ip")); real != nil {
		return real.String()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// listSessions are the user's, as far as they are known and still good. Beside
// cache.ErrUnreadable are those too of which nobody knows here whether they are.
func (l *Latchkey) listSessions(ctx context.Context, user string) ([]SessionInfo, error) {
	known, err := l.users.list(ctx, l.userName(user), l.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	list := make([]SessionInfo, 0, len(known))
	unread := 0
	for _, e := range known {
		info, good, err := l.aboutSession(ctx, user, e)
		if errors.Is(err, cache.ErrUnreadable) {
			unread++
		} else if err != nil {
			return nil, err
		}
		if !good {
			continue
		}
		made, err := l.listDelegated(ctx, revocation.Session(e.ID).Text())
		if err != nil {
			return nil, err
		}
		info.Delegated = made
		list = append(list, info)
	}
	if unread > 0 {
		return list, fmt.Errorf("%w: list sessions: %d of %d records are %w", errStoreAway, unread, len(known), cache.ErrUnreadable)
	}
	return list, nil
}

// aboutSession says what is known of a session, and whether it is still good.
func (l *Latchkey) aboutSession(ctx context.Context, user string, e listed) (SessionInfo, bool, error) {
	info := SessionInfo{ID: e.ID, Since: e.Until/1000 - int64(l.set.lifetime/time.Second), Until: e.Until / 1000}
	about := sessionAbout{Born: e.Until - l.set.lifetime.Milliseconds()}
	value, found, unread := l.about.Get(ctx, aboutKey(e.ID))
	if !legible(unread) {
		return info, false, fmt.Errorf("%w: %v", errStoreAway, unread)
	}
	if found && json.Unmarshal(value, &about) == nil {
		info.Since = about.Born / 1000
		info.Address = about.Address
		info.Agent = about.Agent
	}
	keys := []revocation.Key{revocation.Session(e.ID), revocation.User(l.set.issuer, user)}
	if about.SID != "" {
		keys = append(keys, revocation.ProviderSession(l.set.issuer, about.SID))
	}
	revoked, err := l.revocations.Check(ctx, about.Born, keys)
	if err != nil {
		return info, false, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	if revoked || l.sessions == nil {
		return info, !revoked, unread
	}
	_, kept, err := l.sessions.records.Get(ctx, recordKey(e.ID))
	if errors.Is(err, cache.ErrUnreadable) {
		return info, true, err
	}
	if err != nil {
		return info, false, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	return info, kept, unread
}

// endSessionOf ends one of the user's sessions, and of nobody else's.
func (l *Latchkey) endSessionOf(ctx context.Context, user, id string) error {
	list, err := l.listSessions(ctx, user)
	if !legible(err) {
		return err
	}
	for _, s := range list {
		if s.ID == id {
			return l.endKnown(ctx, user, []string{id})
		}
	}
	return fmt.Errorf("%w: no session %q of this user", errNotFound, id)
}

// endSessionsOf ends all of the user's sessions that are known but one, and
// returns how many.
func (l *Latchkey) endSessionsOf(ctx context.Context, user, except string) (int, error) {
	list, err := l.listSessions(ctx, user)
	if !legible(err) {
		return 0, err
	}
	var ids []string
	for _, s := range list {
		if s.ID != except {
			ids = append(ids, s.ID)
		}
	}
	return len(ids), l.endKnown(ctx, user, ids)
}

func (l *Latchkey) endKnown(ctx context.Context, user string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := l.revokeSessions(ctx, ids...); err != nil {
		return fmt.Errorf("%w: the other replicas learn of it when Redis is back: %v", errStoreAway, err)
	}
	for _, id := range ids {
		l.forgetSession(ctx, id, l.userName(user))
	}
	l.log.info("sessions ended", "ended", len(ids))
	return nil
}

// endUser ends everything of a user: sessions, also those that no list knows;
// access tokens issued so far; API tokens.
func (l *Latchkey) endUser(ctx context.Context, user string) (sessions, tokens int, err error) {
	if err := l.revoke(ctx, revocation.User(l.set.issuer, user)); err != nil {
		return 0, 0, fmt.Errorf("%w: the other replicas learn of it when Redis is back: %v", errStoreAway, err)
	}
	known, err := l.users.list(ctx, l.userName(user), l.now().UnixMilli())
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	for _, e := range known {
		l.forgetSession(ctx, e.ID, l.userName(user))
		sessions++
	}
	if l.apiTokens == nil {
		return sessions, 0, nil
	}
	owned, unread := l.listTokens(ctx, user)
	if !legible(unread) {
		return sessions, 0, unread
	}
	for _, t := range owned {
		if err := l.revokeToken(ctx, user, t.ID); err != nil {
			return sessions, tokens, err
		}
		tokens++
	}
	l.log.info("everything of a user ended", "sessions", sessions, "tokens", tokens)
	return sessions, tokens, unread
}
