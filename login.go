package latchkey

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/page"
)

// serveLogin begins a login and leads back to return_to.
func (l *Latchkey) serveLogin(w http.ResponseWriter, r *http.Request) {
	if background(r) {
		l.refuse(w, r, errNoCredential, "")
		return
	}
	l.startLogin(w, r, returnTarget(r.URL.Query().Get("return_to"), l.set.basePath))
}

// maxHost bounds a host with its port: RFC 1035, section 2.3.4.
const maxHost = 255 + len(":65535")

// startLogin sends the browser to the provider (OpenID Connect Core, section
// 3.1.2.1; PKCE, RFC 7636).
func (l *Latchkey) startLogin(w http.ResponseWriter, r *http.Request, returnTo string) {
	if len(r.Host) > maxHost {
		l.refuse(w, r, fmt.Errorf("%w: the host is longer than a name may be", errBadRequest), "")
		return
	}
	// Not the remembered document: a browser must not be sent to a provider
	// that does not answer.
	metadata, err := l.provider.Reach(r.Context())
	if err != nil {
		l.refuse(w, r, fmt.Errorf("%w: %v", errUnavailable, err), returnTo)
		return
	}
	f := l.newFlow(r, returnTo)
	if err := l.saveFlow(w, r, f); err != nil {
		l.refuse(w, r, err, returnTo)
		return
	}
	query := url.Values{}
	for name, value := range l.set.authParams {
		query.Set(name, value)
	}
	query.Set("response_type", "code")
	query.Set("client_id", l.set.clientID)
	query.Set("redirect_uri", l.redirectURI(r))
	query.Set("scope", f.Scope)
	query.Set("state", f.State)
	query.Set("nonce", f.Nonce)
	query.Set("code_challenge", oauth2.Challenge(f.Verifier))
	query.Set("code_challenge_method", "S256")
	l.counters.loginsStarted.Add(1)
	redirect(w, withQuery(metadata.AuthorizationEndpoint, query))
}

// redirectURI is the callback's URL, which is registered at the provider.
func (l *Latchkey) redirectURI(r *http.Request) string {
	return l.callbackOrigin(r) + l.set.basePath + "/callback"
}

// withQuery adds to the query that an endpoint's URL may have (RFC 6749,
// section 3.1).
func withQuery(endpoint string, query url.Values) string {
	separator := "?"
	if strings.Contains(endpoint, "?") {
		separator = "&"
	}
	return endpoint + separator + query.Encode()
}

// redirect sends the browser on; nobody may keep the answer.
func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	page.Send(w, http.StatusFound, nil)
}
