package latchkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/latchkey-auth/latchkey/internal/page"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// serveLogout ends the session here, then at the provider (OpenID Connect
// RP-Initiated Logout), which sends the browser back to the same address with
// the state that says where to go. With the provider down, the session here
// ends all the same.
func (l *Latchkey) serveLogout(w http.ResponseWriter, r *http.Request) {
	if state := r.URL.Query().Get("state"); state != "" {
		l.finishLogout(w, state)
		return
	}
	if crossSite(r) {
		l.refuse(w, r, errCrossSite, "")
		return
	}
	target := ""
	if to := r.URL.Query().Get("return_to"); to != "" {
		target = l.homeOrigin(r) + returnTarget(to, l.set.basePath)
	}
	credential := l.cookieValue(r)
	s, err := l.openSession(r.Context(), credential)
	l.expireChunks(w, r, 0)
	if errors.Is(err, errStoreAway) {
		l.endUnread(r.Context(), credential)
	}
	if err != nil {
		l.loggedOut(w, target)
		return
	}
	l.counters.logouts.Add(1)
	l.log.info("logged out", "session", s.tag())
	if err := l.endSession(r.Context(), s); err != nil {
		l.log.warn("the other replicas learn of a logout when Redis is back", "session", s.tag(), "error", err.Error())
	}
	l.revokeRefreshToken(s)
	l.logoutAtProvider(w, r, s, target)
}

// endUnread ends a session whose record cannot be read at the moment: its ID is
// known by its cookie.
func (l *Latchkey) endUnread(ctx context.Context, credential string) {
	l.counters.logouts.Add(1)
	if err := l.revokeSessions(ctx, sessionID(credential)); err != nil {
		l.log.warn("the other replicas learn of a logout when Redis is back", "error", err.Error())
	}
}

// revokeRefreshToken gives the refresh token back (RFC 7009), behind the
// person's back: the logout does not wait for it, nor fail with it.
func (l *Latchkey) revokeRefreshToken(s *session) {
	if s.RefreshToken == "" {
		return
	}
	go func() {
		defer func() {
			// A panic in a goroutine would end the whole of Traefik.
			if p := recover(); p != nil {
				l.log.warn("revoke a refresh token", "error", fmt.Sprint("panic: ", p))
			}
		}()
		ctx, cancel := context.WithTimeout(context.Background(), l.set.timeout)
		defer cancel()
		if err := l.giveBack(ctx, s.RefreshToken); err != nil {
			l.log.warn("the provider did not take a refresh token back", "session", s.tag(), "error", err.Error())
		}
	}()
}

func (l *Latchkey) logoutAtProvider(w http.ResponseWriter, r *http.Request, s *session, target string) {
	// As in startLogin: not to a provider that does not answer.
	metadata, err := l.provider.Reach(r.Context())
	if err != nil || metadata.EndSessionEndpoint == "" {
		l.loggedOut(w, target)
		return
	}
	query := url.Values{}
	query.Set("id_token_hint", s.IDToken)
	query.Set("client_id", l.set.clientID)
	query.Set("post_logout_redirect_uri", l.callbackOrigin(r)+l.set.basePath+"/logout")
	if state, err := l.sealLogoutState(target); err == nil {
		query.Set("state", state)
	}
	redirect(w, withQuery(metadata.EndSessionEndpoint, query))
}

// logoutState goes through the provider and back.
type logoutState struct {
	Return string `json:"r"`
	Ends   int64  `json:"e"` // Unix seconds
}

func (l *Latchkey) sealLogoutState(target string) (string, error) {
	plain, err := json.Marshal(logoutState{Return: target, Ends: l.now().Add(flowLifetime).Unix()})
	if err != nil {
		return "", err
	}
	return l.set.keys.at(l.now()).Seal(seal.Context("logout", l.set.issuer, l.set.clientID), plain)
}

// finishLogout takes the browser on after the provider's part. It ends nothing,
// so it may come from another site.
func (l *Latchkey) finishLogout(w http.ResponseWriter, state string) {
	var s logoutState
	plain, err := l.set.keys.at(l.now()).Open(seal.Context("logout", l.set.issuer, l.set.clientID), state)
	if err != nil || json.Unmarshal(plain, &s) != nil || l.now().After(time.Unix(s.Ends, 0)) {
		s.Return = ""
	}
	l.loggedOut(w, s.Return)
}

// loggedOut goes to the target, or says that the session is over.
func (l *Latchkey) loggedOut(w http.ResponseWriter, target string) {
	if target != "" {
		redirect(w, target)
		return
	}
	page.Write(w, http.StatusOK, page.Page{Title: "Logged out", Text: "Your session has ended.",
		Link: l.set.basePath + "/login", LinkText: "Log in again"})
}
