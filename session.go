package latchkey

import (
	"fmt"
	"net/http"
	"time"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// session is what a login leaves behind. Sealed, it is the session cookie
// (session_cookie.go), or the record that a cookie names (session_store.go), so
// its names are short.
type session struct {
	ID           string                 `json:"i"`           // stands for the session; new at each login
	Born         int64                  `json:"b"`           // Unix milliseconds; the others are in seconds
	Seen         int64                  `json:"s,omitempty"` // the last request, give or take an eighth of the idle time-out; 0: the login
	IDToken      string                 `json:"t"`
	AccessToken  string                 `json:"a,omitempty"`
	AccessEnds   int64                  `json:"e,omitempty"` // 0: not said
	AccessIsJWT  bool                   `json:"j,omitempty"` // its claims may be asked
	Scope        string                 `json:"c,omitempty"` // that the provider granted; "": nobody knows
	RefreshToken string                 `json:"r,omitempty"` // "": none, the session goes on without
	Granted      int64                  `json:"g,omitempty"` // when the tokens came
	UserInfo     map[string]interface{} `json:"u,omitempty"`
	Asked        int64                  `json:"l,omitempty"` // when the login began; 0: not known
	AuthTime     int64                  `json:"h,omitempty"` // auth_time of the login; 0: not said
	Context      string                 `json:"x,omitempty"` // acr of the login; "": not said
	Cookie       string                 `json:"k,omitempty"` // of a record in a store: the name of the cookie that carries its id; "": any
	Keeper       string                 `json:"o,omitempty"` // of a record in memory: the name of the secret that sealed then
}

// lasts is when the session is over, whatever is done with it.
func (s *session) lasts(set *settings) int64 {
	return s.Born/1000 + int64(set.lifetime/time.Second)
}

// seen is when its last request was known to be.
func (s *session) seen() int64 {
	if s.Seen == 0 {
		return s.Born / 1000
	}
	return s.Seen
}

// ends is when the session ends by itself: its lifetime or its idle time-out.
func (s *session) ends(set *settings) int64 {
	end := s.lasts(set)
	if idle := int64(set.idleTimeout / time.Second); idle > 0 && s.seen()+idle < end {
		end = s.seen() + idle
	}
	return end
}

// renews is when a request should move the idle time-out on; without one, and
// close to the end of the lifetime, it is the session's end.
func (s *session) renews(set *settings) int64 {
	end := s.ends(set)
	if renewal := s.seen() + int64(set.idleTimeout/time.Second)/8; set.idleTimeout > 0 && renewal < end {
		return renewal
	}
	return end
}

// verifySession opens a session and brings it up to date. Whatever is wrong with
// it, the answer is a new login, never an error page.
func (l *Latchkey) verifySession(w http.ResponseWriter, r *http.Request, credential string, key cacheKey) (*verified, error) {
	generation := l.revocations.Index().Generation()
	s, err := l.openSession(r.Context(), credential)
	if err != nil {
		return nil, err
	}
	if l.now().Unix() >= s.ends(l.set) {
		s = l.newest(r.Context(), s, credential)
	}
	if l.now().Unix() >= s.ends(l.set) {
		return nil, errExpired
	}
	v, err := l.identify(s)
	if err != nil {
		return nil, err
	}
	if err := l.checkRevoked(r.Context(), v, generation); err != nil {
		return nil, err
	}
	current, err := l.refresh(r.Context(), s, credential)
	if err != nil {
		return nil, err
	}
	if current == s {
		return l.updateSession(w, r, v, s, credential)
	}
	// Of the many that waited for one grant, the first one has done the rest.
	if known := l.tokens.get(key); known != nil && l.now().Unix() < known.until && l.checkClean(r.Context(), known) == nil {
		l.setSuccessor(w, r, known)
		return known, nil
	}
	return l.succeedSession(w, r, v, current, credential)
}

// updateSession moves the idle time-out on where that is due, and returns the
// verdict.
func (l *Latchkey) updateSession(w http.ResponseWriter, r *http.Request, v *verified, s *session, credential string) (*verified, error) {
	now := l.now().Unix()
	cookieEnds := s.ends(l.set)
	if now >= s.renews(l.set) {
		renewed, err := l.renewSession(w, r, s, credential)
		if err != nil {
			return nil, err
		}
		s = renewed
	}
	v.until = l.verdictEnds(s, now)
	// A cookie ends when it says so; the one that it was renewed by is verified when
	// it comes.
	if l.sessions == nil && v.until > cookieEnds {
		v.until = cookieEnds
	}
	return v, nil
}

// succeedSession returns the verdict on a session that was refreshed. Its cookie,
// where that is the session, has a successor then: whoever still comes with the
// old one is told each time, for as long as the result of the grant is known.
func (l *Latchkey) succeedSession(w http.ResponseWriter, r *http.Request, old *verified, s *session, credential string) (*verified, error) {
	now := l.now().Unix()
	v, err := l.identify(s)
	if err != nil {
		return nil, err
	}
	v.clean.Store(old.clean.Load())
	if l.sessions != nil {
		return l.updateSession(w, r, v, s, credential)
	}
	v.until = l.verdictEnds(s, now)
	s.Seen = now
	chunks, err := l.sealSession(s)
	if err != nil {
		return nil, err
	}
	v.successor = &successor{chunks: chunks, age: int(s.ends(l.set) - now)}
	if shared := now + int64(l.set.refresh.shareFor/time.Second); shared < v.until {
		v.until = shared
	}
	l.setSuccessor(w, r, v)
	return v, nil
}

func (l *Latchkey) setSuccessor(w http.ResponseWriter, r *http.Request, v *verified) {
	if v.successor != nil {
		l.setSessionCookies(w, r, v.successor.chunks, v.successor.age)
	}
}

// verdictEnds is when the session has to be looked at again.
func (l *Latchkey) verdictEnds(s *session, now int64) int64 {
	until := s.renews(l.set)
	if end := s.ends(l.set); end < until {
		until = end
	}
	if s.AccessEnds > now && s.AccessEnds < until {
		until = s.AccessEnds
	}
	at := s.refreshes(l.set)
	if at > 0 && at <= now {
		at = now + retryRefresh
	}
	if at > 0 && at < until {
		until = at
	}
	return until
}

// identify reads who the session is of.
func (l *Latchkey) identify(s *session) (*verified, error) {
	who, err := s.identity(l.set.asksAccessToken)
	if err != nil {
		l.log.debug("session refused", "error", err.Error())
		return nil, errNoCredential
	}
	if l.set.asked.anything() {
		if err := l.set.asked.check(s, who.IDToken); err != nil {
			return nil, err
		}
	}
	packed, err := identity.Pack(who)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	v := &verified{identity: packed, issued: s.Born, ends: s.lasts(l.set)}
	v.keys[0] = revocation.Session(s.ID)
	v.keys[1] = revocation.User(l.set.issuer, text(who.IDToken["sub"]))
	if sid := text(who.IDToken["sid"]); sid != "" {
		v.keys[2] = revocation.ProviderSession(l.set.issuer, sid)
	}
	if l.set.accessTokenHeader != "" || l.set.idTokenHeader != "" || l.set.delegate != nil {
		v.tokens = &heldTokens{access: s.liveAccessToken(l.now().Unix()), id: s.IDToken, scope: s.scope()}
	}
	return v, nil
}

// scope is what the session was granted, whichever router looks at it. A login
// of an older version may not have kept it: it asked for openid at least, since
// there is an ID token.
func (s *session) scope() string {
	if s.Scope == "" {
		return "openid"
	}
	return s.Scope
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

// identity is who the session's tokens, verified at login, say is asking.
func (s *session) identity(asksAccessToken bool) (*identity.Identity, error) {
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
	who := &identity.Identity{Kind: identity.Session, Claims: trustedEmail(claims), IDToken: trustedEmail(idToken)}
	if s.AccessIsJWT && asksAccessToken {
		access, err := oidc.Unverified(s.AccessToken)
		if err != nil {
			return nil, err
		}
		who.AccessToken = trustedEmail(access)
	}
	return who, nil
}
