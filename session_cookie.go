package latchkey

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/seal"
)

// openSession reads a sealed session.
func (l *Latchkey) openSession(sealed string) (*session, error) {
	plain, err := l.set.keys.at(l.now()).Open(l.sessionContext(), sealed)
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	s, err := decodeSession(plain)
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	return s, nil
}

// sessionContext is what a session is sealed for: the cookie, and the provider
// and client of its login.
func (l *Latchkey) sessionContext() string {
	return seal.Context("session", l.set.cookie.Name, l.set.issuer, l.set.clientID)
}

// saveSession sets the session's cookies and expires those that an earlier,
// larger one left.
func (l *Latchkey) saveSession(w http.ResponseWriter, r *http.Request, s *session) error {
	plain, err := s.encode()
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	sealed, err := l.set.keys.at(l.now()).Seal(l.sessionContext(), plain)
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	chunks, err := seal.Chunks(sealed)
	if err != nil {
		return fmt.Errorf("%w: %v", errTooLarge, err)
	}
	age := int(s.ends(l.set) - l.now().Unix())
	for n, chunk := range chunks {
		l.setCookie(w, l.chunkName(n), chunk, age)
	}
	l.expireChunks(w, r, len(chunks))
	return nil
}

// expireChunks expires the cookies of the request from the nth chunk on.
func (l *Latchkey) expireChunks(w http.ResponseWriter, r *http.Request, from int) {
	for n := from; n < seal.MaxChunks; n++ {
		if _, err := r.Cookie(l.chunkName(n)); err == nil {
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
	http.SetCookie(w, &c)
}

// cookieValue returns the sealed session as its cookies carry it, or "".
func (l *Latchkey) cookieValue(r *http.Request) string {
	if r.Header["Cookie"] == nil || !readable(r) {
		return ""
	}
	return l.joinCookies(r)
}

// maxCookies bounds what is read of a request's cookies: ours, with login flows
// under way, are half of it.
const maxCookies = 64 << 10

func readable(r *http.Request) bool {
	return len(strings.Join(r.Header["Cookie"], "; ")) <= maxCookies
}

func (l *Latchkey) joinCookies(r *http.Request) string {
	first, ok := oneCookie(r, l.set.cookie.Name)
	if !ok {
		return ""
	}
	sealed, ok := seal.Join(first, func(n int) (string, bool) { return oneCookie(r, l.chunkName(n)) })
	if !ok {
		return ""
	}
	return sealed
}

// oneCookie returns the value of the cookie of that name, if there is exactly
// one: of two, one was tossed in by a neighbouring host, and none is taken. A
// cookie without a name may be "name =value" whole, which reads as one.
func oneCookie(r *http.Request, name string) (string, bool) {
	c, err := r.Cookie(name)
	if err != nil {
		return "", false
	}
	if strings.Count(strings.Join(r.Header["Cookie"], ";"), name) > 1 && countCookies(r, name) > 1 {
		return "", false
	}
	return c.Value, true
}

func countCookies(r *http.Request, name string) int {
	count := 0
	for _, c := range r.Cookies() {
		if c.Name == name {
			count++
		}
	}
	return count
}
