package latchkey

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/page"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// maxLogoutBody bounds what a provider posts: a logout token is at most 16 KiB.
const maxLogoutBody = 64 << 10

// serveBackchannelLogout ends the sessions that the provider says are over
// (OpenID Connect Back-Channel Logout, sections 2.5 to 2.8). It is 200 only once
// every replica has been told.
func (l *Latchkey) serveBackchannelLogout(w http.ResponseWriter, r *http.Request) {
	err := l.backchannelLogout(w, r)
	switch {
	case errors.Is(err, oidc.ErrUnavailable):
		// Nobody knows whether the token is good, so it is worth sending again.
		l.refuse(w, r, fmt.Errorf("%w: %v", errUnavailable, err), "")
	case err != nil:
		l.refuse(w, r, fmt.Errorf("%w: %v", errLogoutToken, err), "")
	default:
		page.Send(w, http.StatusOK, nil)
	}
}

func (l *Latchkey) backchannelLogout(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutBody)
	if err := r.ParseForm(); err != nil {
		return errors.New("its body cannot be read")
	}
	posted := r.PostForm["logout_token"]
	if len(posted) != 1 {
		return errors.New("it has not one logout_token")
	}
	token, err := l.provider.VerifyLogoutToken(r.Context(), posted[0], l.set.clientID)
	if err != nil {
		return err
	}
	if err := l.takeLogoutToken(r, token); err != nil {
		return err
	}
	// A sid names one session even where a sub is given besides (section 2.4).
	key := revocation.User(token.Issuer, token.Subject)
	if token.SessionID != "" {
		key = revocation.ProviderSession(token.Issuer, token.SessionID)
	}
	if err := l.revoke(r.Context(), key); err != nil {
		// It may be posted again.
		if err := l.once.Delete(r.Context(), logoutKey(token)); err != nil {
			l.log.warn("forget a logout token", "error", err.Error())
		}
		return err
	}
	l.counters.providerLogouts.Add(1)
	l.log.info("the provider ended sessions", "bySession", token.SessionID != "")
	return nil
}

// takeLogoutToken has each token count once, on all replicas.
func (l *Latchkey) takeLogoutToken(r *http.Request, token *oidc.LogoutToken) error {
	left := time.Unix(token.Expires, 0).Sub(l.now())
	first, err := l.once.Add(r.Context(), logoutKey(token), nil, left)
	if err != nil {
		return err
	}
	if !first {
		return errors.New("its jti was used before")
	}
	return nil
}

func logoutKey(token *oidc.LogoutToken) string {
	return "logout:" + fingerprint(token.Issuer, token.ID)
}

// serveFrontchannelLogout ends the browser's session if it is the one that the
// provider means (OpenID Connect Front-Channel Logout, section 2). The provider
// shows this in a frame of its page, where browsers send the cookie only if it
// is for that (sameSite: none) or the provider is on the same site.
func (l *Latchkey) serveFrontchannelLogout(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	s, err := l.openSession(r.Context(), l.cookieValue(r))
	if err != nil {
		l.refuse(w, r, fmt.Errorf("%w: no session came along", errLogoutToken), "")
		return
	}
	claims, err := oidc.Unverified(s.IDToken)
	if err != nil || len(query["iss"]) != 1 || len(query["sid"]) != 1 ||
		query.Get("iss") != l.set.issuer || query.Get("sid") == "" || query.Get("sid") != text(claims["sid"]) {
		l.refuse(w, r, fmt.Errorf("%w: iss or sid is not the session's", errLogoutToken), "")
		return
	}
	l.expireChunks(w, r, 0)
	if l.endOnce(r.Context(), s) {
		l.counters.providerLogouts.Add(1)
	}
	page.Send(w, http.StatusOK, nil)
}
