package latchkey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// openSession reads the session that the cookies carry, or name.
func (l *Latchkey) openSession(ctx context.Context, credential string) (*session, error) {
	if l.sessions != nil {
		return l.loadSession(ctx, credential)
	}
	plain, err := l.set.keys.at(l.now()).Open(l.sessionContext(), credential)
	if err != nil {
		l.log.debug("session cookie refused", "error", err.Error())
		return nil, errNoCredential
	}
	s, err := decodeSession(plain)
	if err != nil {
		l.log.debug("session cookie refused", "error", err.Error())
		return nil, errNoCredential
	}
	return s, nil
}

func (l *Latchkey) loadSession(ctx context.Context, credential string) (*session, error) {
	if !storedID.MatchString(credential) {
		return nil, errNoCredential
	}
	s, found, err := l.sessions.load(ctx, credential)
	if errors.Is(err, cache.ErrUnreadable) {
		// Of a secret that the operator has done away with: a new login. The log says
		// so, in case that it was a mistake.
		return nil, errNoCredential
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	if !found || s.ID != sessionID(credential) || !l.keeps(s) {
		return nil, errNoCredential
	}
	return s, nil
}

// keeps says whether a record is of this middleware's cookie and, in memory, where
// nothing is sealed, of a secret that is in force: as it would be if the cookie
// were the session.
func (l *Latchkey) keeps(s *session) bool {
	if s.Cookie != "" && s.Cookie != l.set.cookie.Name {
		return false
	}
	return l.set.store != "memory" || l.set.keys.named(l.now(), s.Keeper)
}

// mark says whose record it is.
func (l *Latchkey) mark(s *session) {
	s.Cookie = l.set.cookie.Name
	if l.set.store == "memory" {
		s.Keeper = l.set.keys.name(l.now())
	}
}

// sessionContext is what a session is sealed for: the cookie, and the provider
// and client of its login.
func (l *Latchkey) sessionContext() string {
	return seal.Context("session", l.set.cookie.Name, l.set.issuer, l.set.clientID)
}

// beginSession gives a new session its ID, keeps it, and sets its cookies.
func (l *Latchkey) beginSession(w http.ResponseWriter, r *http.Request, s *session) error {
	credential := randomID(16)
	s.ID = sessionID(credential)
	if err := l.admitSession(r.Context(), s); err != nil {
		return err
	}
	l.describeSession(r, s)
	if l.sessions == nil {
		return l.giveSession(w, r, s)
	}
	l.mark(s)
	if err := l.sessions.create(r.Context(), s, credential, l.timeLeft(s)); err != nil {
		return fmt.Errorf("%w: %v", errStoreAway, err)
	}
	l.setCookie(w, l.chunkName(0), credential, int(s.lasts(l.set)-l.now().Unix()))
	l.expireChunks(w, r, 1)
	return nil
}

// timeLeft is how long a record of the session is kept.
func (l *Latchkey) timeLeft(s *session) time.Duration {
	return time.Unix(s.ends(l.set), 0).Sub(l.now())
}

// renewSession moves the idle time-out on, in the cookie or in the store. While
// the store is away the session is left as it is: a write that fails would take
// it out of this process' memory.
func (l *Latchkey) renewSession(w http.ResponseWriter, r *http.Request, s *session, credential string) (*session, error) {
	now := l.now().Unix()
	if l.sessions == nil {
		s.Seen = now
		err := l.giveSession(w, r, s)
		return s, err
	}
	// Not the copy that this replica has: another one may have refreshed it.
	stored, found, err := l.sessions.reload(r.Context(), credential)
	if err != nil {
		l.log.debug("the idle time-out of a session stays", "error", err.Error())
		return s, nil
	}
	if !found || stored.ID != s.ID {
		return nil, errExpired
	}
	stored.Seen = now
	there, err := l.sessions.update(r.Context(), stored, credential, l.timeLeft(stored))
	if err == nil && !there {
		return nil, errExpired
	}
	return stored, nil
}

// giveSession hands a session to the browser.
func (l *Latchkey) giveSession(w http.ResponseWriter, r *http.Request, s *session) error {
	chunks, err := l.sealSession(s)
	if err != nil {
		return err
	}
	l.setSessionCookies(w, r, chunks, int(s.ends(l.set)-l.now().Unix()))
	return nil
}

// sealSession returns the values of the session's cookies.
func (l *Latchkey) sealSession(s *session) ([]string, error) {
	plain, err := s.encode()
	if err != nil {
		return nil, fmt.Errorf("save session: %w", err)
	}
	sealed, err := l.set.keys.at(l.now()).Seal(l.sessionContext(), plain)
	if err != nil {
		return nil, fmt.Errorf("save session: %w", err)
	}
	chunks, err := seal.Chunks(sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errTooLarge, err)
	}
	return chunks, nil
}

// setSessionCookies sets them, for so many seconds, and expires those that an
// earlier, larger session left.
func (l *Latchkey) setSessionCookies(w http.ResponseWriter, r *http.Request, chunks []string, age int) {
	for n, chunk := range chunks {
		l.setCookie(w, l.chunkName(n), chunk, age)
	}
	l.expireChunks(w, r, len(chunks))
}

// expireChunks expires the cookies of the request from the nth chunk on.
func (l *Latchkey) expireChunks(w http.ResponseWriter, r *http.Request, from int) {
	sent := map[string]bool{}
	for _, c := range l.ownCookies(r) {
		sent[c.Name] = true
	}
	for n := from; n < seal.MaxChunks; n++ {
		if sent[l.chunkName(n)] {
			l.setCookie(w, l.chunkName(n), "", -1)
		}
	}
}

func (l *Latchkey) chunkName(n int) string {
	if n == 0 {
		return l.set.cookie.Name
	}
	return l.set.cookie.Name + "-" + strconv.Itoa(n)
}

// setCookie sets a cookie with the attributes of the settings; an age below
// zero expires it.
func (l *Latchkey) setCookie(w http.ResponseWriter, name, value string, age int) {
	c := l.set.cookie
	c.Name, c.Value, c.MaxAge = name, value, age
	setPrivately(w, &c)
}

// setPrivately sets a cookie, and keeps the answer from shared caches. What the
// upstream says of caching comes as another line; of two that disagree the
// stricter counts (RFC 9111, section 4.2.1), and private is the stricter.
func setPrivately(w http.ResponseWriter, c *http.Cookie) {
	h := w.Header()
	if h["Cache-Control"] == nil {
		h.Set("Cache-Control", "private")
	}
	http.SetCookie(w, c)
}

// cookieValue returns the sealed session as its cookies carry it, or "".
func (l *Latchkey) cookieValue(r *http.Request) string {
	if r.Header["Cookie"] == nil || !l.readable(r) {
		return ""
	}
	return l.joinCookies(r)
}

const (
	// maxCookies bounds what is read of a request's cookies, in bytes: ours, with
	// login flows under way, are half of it.
	maxCookies = 64 << 10
	// maxCookieCount bounds their number; browsers keep some 200 for a site.
	maxCookieCount = 1000
)

// readable says whether the request's cookies are few enough to be read.
func (l *Latchkey) readable(r *http.Request) bool {
	all := strings.Join(r.Header["Cookie"], ";")
	return len(all) <= maxCookies && strings.Count(all, ";") < maxCookieCount && strings.Count(all, l.set.cookie.Name) <= maxMentions
}

func (l *Latchkey) joinCookies(r *http.Request) string {
	first, ok := l.oneCookie(r, l.set.cookie.Name)
	if !ok {
		return ""
	}
	if l.sessions != nil {
		return first // an id alone
	}
	sealed, ok := seal.Join(first, func(n int) (string, bool) { return l.oneCookie(r, l.chunkName(n)) })
	if !ok {
		return ""
	}
	return sealed
}

// oneCookie returns the value of our cookie of that name, if there is exactly
// one: of two, one was tossed in by a neighbouring host, and none is taken. A
// cookie without a name may be "name =value" whole, which reads as one.
func (l *Latchkey) oneCookie(r *http.Request, name string) (string, bool) {
	c, err := r.Cookie(name)
	if err != nil {
		return "", false
	}
	if strings.Count(strings.Join(r.Header["Cookie"], ";"), name) > 1 && l.countCookies(r, name) != 1 {
		return "", false
	}
	return c.Value, true
}

func (l *Latchkey) countCookies(r *http.Request, name string) int {
	count := 0
	for _, c := range l.ownCookies(r) {
		if c.Name == name {
			count++
		}
	}
	return count
}

// ownCookies are ours among the request's cookies; none, if they are more than
// are read.
func (l *Latchkey) ownCookies(r *http.Request) []*http.Cookie {
	if r.Header["Cookie"] == nil || !l.readable(r) {
		return nil
	}
	own, _ := l.splitCookies(strings.Join(r.Header["Cookie"], ";"))
	alone := http.Request{Header: http.Header{"Cookie": {own}}}
	return alone.Cookies()
}
