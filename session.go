package latchkey

import (
	"fmt"
	"net/http"
	"time"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// session is what a login leaves behind. Sealed, it is the session cookie
// (session_cookie.go), so its names are short.
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
	end := s.ends(l.set)
	if now >= end {
		return nil, errExpired
	}
	who, err := s.identity(l.set.asksAccessToken)
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
	if end < until {
		until = end
	}
	if s.AccessEnds > now && s.AccessEnds < until {
		until = s.AccessEnds
	}
	packed, err := identity.Pack(who)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	v := &verified{identity: packed, until: until}
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
