package latchkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/page"
	"github.com/latchkey-auth/latchkey/internal/revocation"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// serveLogout ends the session here, then at the provider (OpenID Connect
// RP-Initiated Logout), which sends the browser back to the same address with
// the state that says where to go. With the provider down, the session here
// ends all the same.
func (l *Latchkey) serveLogout(w http.ResponseWriter, r *http.Request) {
	if !l.readable(r) {
		// Whether there is a session, nobody can say.
		l.refuse(w, r, errHeaders, "")
		return
	}
	if state := r.URL.Query().Get("state"); state != "" {
		l.finishLogout(w, r, state)
		return
	}
	if crossSite(r) {
		l.refuse(w, r, errCrossSite, "")
		return
	}
	if l.credential(r).kind != identity.Session && r.Header["Cookie"] == nil {
		l.refuse(w, r, fmt.Errorf("%w: a token is not logged out; revoke it, or let it expire", errBadRequest), "")
		return
	}
	target := ""
	if to := r.URL.Query().Get("return_to"); to != "" {
		target = l.homeOrigin(r) + returnTarget(to, l.set.basePath)
	}
	credential := l.cookieValue(r)
	s, err := l.openSession(r.Context(), credential)
	if errors.Is(err, errStoreAway) {
		l.endUnread(w, r, credential, target)
		return
	}
	l.expireChunks(w, r, 0)
	if err != nil || !l.endOnce(r.Context(), s) {
		l.loggedOut(w, target, "You are logged out.")
		return
	}
	l.counters.logouts.Add(1)
	l.log.info("logged out", "session", s.tag())
	l.logoutAtProvider(w, r, s, target)
}

// endUnread ends a session whose record cannot be read at the moment: its ID is
// known by its cookie. Whether it ever was one is not, so only so many are taken.
func (l *Latchkey) endUnread(w http.ResponseWriter, r *http.Request, credential, target string) {
	id := sessionID(credential)
	known := l.revocations.Index().Revoked(math.MaxInt64, []revocation.Key{revocation.Session(id)})
	if !known && !l.ends.unread(l.now()) {
		l.refuse(w, r, fmt.Errorf("%w: too many logouts of sessions that cannot be read", errStoreAway), "")
		return
	}
	l.expireChunks(w, r, 0)
	if !known {
		l.counters.logouts.Add(1)
		if err := l.revokeSessions(r.Context(), id); err != nil {
			l.log.warn("the other replicas learn of a logout when Redis is back", "error", err.Error())
		}
	}
	l.loggedOut(w, target, "You are logged out.")
}

func (l *Latchkey) logoutAtProvider(w http.ResponseWriter, r *http.Request, s *session, target string) {
	// As in startLogin: not to a provider that does not answer.
	metadata, err := l.provider.Reach(r.Context())
	if err != nil || metadata.EndSessionEndpoint == "" {
		l.loggedOut(w, target, "Your session has ended.")
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
func (l *Latchkey) finishLogout(w http.ResponseWriter, r *http.Request, state string) {
	var s logoutState
	plain, err := l.set.keys.at(l.now()).Open(seal.Context("logout", l.set.issuer, l.set.clientID), state)
	ours := err == nil && json.Unmarshal(plain, &s) == nil && !l.now().After(time.Unix(s.Ends, 0))
	if ours && l.cookieValue(r) == "" {
		l.loggedOut(w, s.Return, "You are logged out.")
		return
	}
	if ours && s.Return != "" {
		redirect(w, s.Return)
		return
	}
	page.Write(w, http.StatusOK, page.Page{Title: "No logout", Text: "Nothing was ended: no logout of this browser led here.",
		Link: l.set.basePath + "/logout", LinkText: "Log out"})
}

// loggedOut goes to the target, or says what became of the session.
func (l *Latchkey) loggedOut(w http.ResponseWriter, target, outcome string) {
	if target != "" {
		redirect(w, target)
		return
	}
	page.Write(w, http.StatusOK, page.Page{Title: "Logged out", Text: outcome,
		Link: l.set.basePath + "/login", LinkText: "Log in again"})
}
