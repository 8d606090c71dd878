package latchkey

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// session is what a login leaves behind. Sealed, it is the session cookie; the
// names are short because browsers keep 4 KiB a cookie.
type session struct {
	ID          string                 `json:"i"` // random, new at each login
	Created     int64                  `json:"c"` // Unix seconds, as are the others
	Seen        int64                  `json:"s"` // the last request, give or take an eighth of the idle time-out
	IDToken     string                 `json:"t"`
	AccessToken string                 `json:"a,omitempty"`
	AccessEnds  int64                  `json:"e,omitempty"` // 0: not said
	AccessIsJWT bool                   `json:"j,omitempty"` // its claims may be asked
	UserInfo    map[string]interface{} `json:"u,omitempty"`
}

// ends is when the session ends by itself: its lifetime or its idle time-out.
func (s *session) ends(set *settings) int64 {
	end := s.Created + int64(set.lifetime/time.Second)
	if idle := int64(set.idleTimeout / time.Second); idle > 0 && s.Seen+idle < end {
		end = s.Seen + idle
	}
	return end
}

// renews is when a request should move the idle time-out on; without one, and
// close to the end of the lifetime, it is the session's end.
func (s *session) renews(set *settings) int64 {
	end := s.ends(set)
	if renewal := s.Seen + int64(set.idleTimeout/time.Second)/8; set.idleTimeout > 0 && renewal < end {
		return renewal
	}
	return end
}

// verifySession opens a sealed session. Whatever is wrong with it, the answer is
// a new login, never an error page.
func (l *Latchkey) verifySession(w http.ResponseWriter, r *http.Request, sealed string) (*verified, error) {
	s, err := l.openSession(sealed)
	if err != nil {
		l.log.debug("session cookie refused", "error", err.Error())
		return nil, errNoCredential
	}
	now := l.now().Unix()
	if now >= s.ends(l.set) {
		return nil, errExpired
	}
	who, err := s.identity()
	if err != nil {
		l.log.debug("session cookie refused", "error", err.Error())
		return nil, errNoCredential
	}
	if now >= s.renews(l.set) {
		s.Seen = now
		if err := l.saveSession(w, r, s); err != nil {
			return nil, err
		}
		// The old cookie stands until its own end; the new one is verified when
		// it comes.
	}
	until := s.renews(l.set)
	if s.AccessEnds > now && s.AccessEnds < until {
		until = s.AccessEnds
	}
	v := &verified{identity: who, until: until}
	if l.set.accessTokenHeader != "" {
		v.accessToken = s.liveAccessToken(now)
	}
	if l.set.idTokenHeader != "" {
		v.idToken = s.IDToken
	}
	return v, nil
}

// tag stands for the session in the log.
func (s *session) tag() string { return fingerprint("session", s.ID) }

// liveAccessToken is the access token while it is valid.
func (s *session) liveAccessToken(now int64) string {
	if s.AccessEnds != 0 && now >= s.AccessEnds {
		return ""
	}
	return s.AccessToken
}

// openSession reads a sealed session.
func (l *Latchkey) openSession(sealed string) (*session, error) {
	plain, err := l.set.keys.at(l.now()).Open(l.sessionContext(), sealed)
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	s := &session{}
	if err := json.Unmarshal(plain, s); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	return s, nil
}

// identity is who the session's tokens, verified at login, say is asking.
func (s *session) identity() (*identity.Identity, error) {
	idToken, err := oidc.Unverified(s.IDToken)
	if err != nil {
		return nil, err
	}
	claims := idToken
	if len(s.UserInfo) > 0 {
		claims = make(map[string]interface{}, len(idToken)+len(s.UserInfo))
		for name, value := range s.UserInfo {
			claims[name] = value
		}
		for name, value := range idToken {
			claims[name] = value
		}
	}
	who := &identity.Identity{
		Kind: identity.Session, Issuer: text(idToken["iss"]), Subject: text(idToken["sub"]),
		Claims: trustedEmail(claims), IDToken: trustedEmail(idToken),
	}
	if s.AccessIsJWT {
		access, err := oidc.Unverified(s.AccessToken)
		if err != nil {
			return nil, err
		}
		who.AccessToken = trustedEmail(access)
	}
	return who, nil
}

// sessionContext is what a session is sealed for: the cookie, and the provider
// and client of its login.
func (l *Latchkey) sessionContext() string {
	return seal.Context("session", l.set.cookie.Name, l.set.issuer, l.set.clientID)
}

// saveSession sets the session's cookies and expires those that an earlier,
// larger one left.
func (l *Latchkey) saveSession(w http.ResponseWriter, r *http.Request, s *session) error {
	plain, err := json.Marshal(s)
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
	if r.Header["Cookie"] == nil {
		return ""
	}
	return l.joinCookies(r)
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
// one: of two, one was tossed in by a neighbouring host, and none is taken.
func oneCookie(r *http.Request, name string) (string, bool) {
	c, err := r.Cookie(name)
	if err != nil {
		return "", false
	}
	if strings.Count(strings.Join(r.Header["Cookie"], ";"), name+"=") > 1 && countCookies(r, name) > 1 {
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
