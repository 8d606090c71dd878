package latchkey

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/page"
)

// The reasons for which a step refuses a request. Their texts are the reason
// codes of logs, pages and problem documents.
var (
	errNoCredential = errors.New("no_credential")
	errExpired      = errors.New("session_expired")
	errBadToken     = errors.New("invalid_token")
	errRuleDenied   = errors.New("rule_denied")
	errUnprintable  = errors.New("claim_unprintable")
	errCrossSite    = errors.New("cross_site")
	errCallback     = errors.New("callback_refused")
	errLogoutToken  = errors.New("logout_refused")
	errTooLarge     = errors.New("session_too_large")
	errForeign      = errors.New("foreign_origin")
	errNotALogin    = errors.New("login_required")
	errNotAdmin     = errors.New("admin_required")
	errScope        = errors.New("scope_denied")
	errDelegation   = errors.New("delegation_refused")
	errBadRequest   = errors.New("bad_request")
	errNotFound     = errors.New("not_found")
	errHeaders      = errors.New("too_many_headers")
	errConnect      = errors.New("connect_refused")
	errTooOften     = errors.New("too_often")
	errUnavailable  = errors.New("provider_unavailable")
	errStoreAway    = errors.New("store_unavailable")
	errStaysStored  = errors.New("revoked_not_deleted")
	errInternal     = errors.New("internal_error")
)

// answer is what a refused request gets.
type answer struct {
	reason error
	status int
	title  string
	detail string
	login  bool // a navigation is sent to the provider instead
	again  bool // the page links back to where the login was for
	logout bool // the page links to the logout
	told   bool // the cause says what to mend, and nothing but what the client sent
}

// answers is the one table from reason to answer.
var answers = []answer{
	{reason: errNoCredential, status: http.StatusUnauthorized, login: true, title: "Not logged in",
		detail: "This needs a login."},
	{reason: errExpired, status: http.StatusUnauthorized, login: true, title: "Session ended",
		detail: "The session has ended; log in again."},
	{reason: errBadToken, status: http.StatusUnauthorized, title: "Token refused",
		detail: "The access token is not valid here."},
	{reason: errRuleDenied, status: http.StatusForbidden, logout: true, title: "No access",
		detail: "You are logged in, but this is not open to you."},
	{reason: errUnprintable, status: http.StatusForbidden, logout: true, title: "No access",
		detail: "Your account has a value that cannot be passed on safely."},
	{reason: errCrossSite, status: http.StatusForbidden, title: "Refused",
		detail: "This was asked for by another site."},
	{reason: errCallback, status: http.StatusBadRequest, again: true, title: "Login failed",
		detail: "This login did not begin here, took too long, was finished before, or the provider refused it."},
	{reason: errLogoutToken, status: http.StatusBadRequest, title: "Logout refused",
		detail: "What the provider sent does not end a session here."},
	{reason: errForeign, status: http.StatusForbidden, title: "Refused",
		detail: "This was asked for by a page of another origin."},
	{reason: errNotALogin, status: http.StatusForbidden, title: "Refused",
		detail: "This is for somebody who has logged in; a token cannot do it here."},
	{reason: errNotAdmin, status: http.StatusForbidden, title: "Refused",
		detail: "This is for administrators."},
	{reason: errScope, status: http.StatusForbidden, title: "Refused", told: true,
		detail: "A scope was asked for that is not yours to give."},
	{reason: errDelegation, status: http.StatusForbidden, title: "No access",
		detail: "No token can be made for the service behind this."},
	{reason: errBadRequest, status: http.StatusBadRequest, title: "Not understood", told: true,
		detail: "What was sent cannot be used."},
	{reason: errNotFound, status: http.StatusNotFound, title: "Not found",
		detail: "There is no such thing here."},
	{reason: errHeaders, status: http.StatusRequestHeaderFieldsTooLarge, title: "Too many headers",
		detail: "The request has more headers or cookies than are read here."},
	{reason: errConnect, status: http.StatusNotImplemented, title: "Refused",
		detail: "This is no proxy; CONNECT leads nowhere."},
	{reason: errTooOften, status: http.StatusTooManyRequests, again: true, title: "Too often",
		detail: "You have logged in, or made API tokens, too often today. Try again tomorrow, or ask your administrator."},
	{reason: errTooLarge, status: http.StatusBadRequest, title: "Login failed",
		detail: "Your account has more claims than fit into cookies."},
	{reason: errUnavailable, status: http.StatusServiceUnavailable, again: true, title: "Login is out of reach",
		detail: "The identity provider does not answer. Try again in a moment."},
	// Before that of a store that is away, which it is, too.
	{reason: errStaysStored, status: http.StatusServiceUnavailable, title: "Revoked, but not deleted",
		detail: "The API token is refused from now on. It could not be deleted from where tokens are kept: revoke it again when that can be written."},
	{reason: errStoreAway, status: http.StatusServiceUnavailable, again: true, title: "Sessions are out of reach",
		detail: "Where sessions are kept does not answer. Try again in a moment."},
	{reason: errInternal, status: http.StatusServiceUnavailable, again: true, title: "Out of order",
		detail: "This could not be checked. Try again in a moment."},
}

// retryAfter is when a request that got 503 is worth repeating, in seconds.
const retryAfter = "5"

func answerTo(reason error) answer {
	for _, a := range answers {
		if errors.Is(reason, a.reason) {
			return a
		}
	}
	return answerTo(errInternal)
}

// tell is what is told of the reason.
func (a answer) tell(reason error) string {
	if cause := strings.TrimPrefix(reason.Error(), a.reason.Error()+": "); a.told && cause != reason.Error() {
		return strings.ToUpper(cause[:1]) + cause[1:] + "."
	}
	return a.detail
}

// challenge answers a request for a protected path that a step refused.
func (l *Latchkey) challenge(w http.ResponseWriter, r *http.Request, reason error) {
	a := answerTo(reason)
	if !a.login {
		l.refuse(w, r, reason, "")
		return
	}
	if l.set.unauthenticated == "pass" {
		l.forward(w, r, anonymous)
		return
	}
	if !l.redirects(r) {
		l.refuse(w, r, reason, "")
		return
	}
	l.startLogin(w, r, l.askedFor(r))
}

// askedFor is where a login for the request leads back to. Written out, it is no
// shorter than its parts.
func (l *Latchkey) askedFor(r *http.Request) string {
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxReturnTarget {
		return "/"
	}
	return returnTarget(r.URL.RequestURI(), l.set.basePath)
}

// redirects says whether a request without a credential is sent to log in.
func (l *Latchkey) redirects(r *http.Request) bool {
	switch l.set.unauthenticated {
	case "redirect":
		return r.Method == http.MethodGet && !background(r)
	case "auto":
		return navigation(r)
	}
	return false
}

// navigation says whether a person's browser is opening a page.
func navigation(r *http.Request) bool {
	if r.Method != http.MethodGet || background(r) {
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" || accepts(r.Header, "text/html")
}

// background says whether the request says of itself that it is no navigation:
// a script's, a stream's, a prefetch. A redirect would take it to a page that
// it cannot show, and start a login nobody asked for.
func background(r *http.Request) bool {
	h := r.Header
	mode := h.Get("Sec-Fetch-Mode")
	return mode != "" && mode != "navigate" ||
		h.Get("Upgrade") != "" ||
		strings.EqualFold(h.Get("X-Requested-With"), "XMLHttpRequest") ||
		accepts(h, eventStream) ||
		strings.Contains(h.Get("Sec-Purpose")+h.Get("Purpose"), "prefetch")
}

// problem is a problem document (RFC 9457).
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Reason  string `json:"reason"`
	Request string `json:"request"`
}

// refuse writes the answer to the reason: a page for a person, a problem
// document for everything else. Retry is where the page's link leads, for
// those answers that have one.
func (l *Latchkey) refuse(w http.ResponseWriter, r *http.Request, reason error, retry string) {
	a := answerTo(reason)
	code := a.reason.Error()
	id := requestID(r)
	l.counters.refused(code)
	l.logRefusal(a, id, reason)

	h := w.Header()
	h.Set("Cache-Control", "no-store")
	switch a.status {
	case http.StatusUnauthorized:
		// RFC 6750, section 3.1: no error code without a credential.
		h.Set("WWW-Authenticate", `Bearer realm="latchkey"`)
		if a.reason == errBadToken {
			h.Set("WWW-Authenticate", `Bearer realm="latchkey", error="invalid_token"`)
		}
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	case http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.FormatInt(untilTomorrow(l.now()), 10))
	}
	if navigation(r) {
		p := page.Page{Title: a.title, Text: a.tell(reason), Reason: code, Request: id}
		if a.again && retry != "" {
			p.Link = retry
			p.LinkText = "Try again"
		}
		if a.logout {
			p.Link = l.set.basePath + "/logout"
			p.LinkText = "Log out"
		}
		page.Write(w, a.status, p)
		return
	}
	h.Set("Content-Type", "application/problem+json")
	body, err := json.Marshal(problem{Type: "about:blank", Title: a.title, Status: a.status, Detail: a.tell(reason), Reason: code, Request: id})
	if err != nil {
		body = nil
	}
	page.Send(w, a.status, body)
}

// logRefusal keeps what anybody can cause by the million out of the log's
// default level.
func (l *Latchkey) logRefusal(a answer, id string, reason error) {
	log := l.log.info
	switch a.reason {
	case errNoCredential, errExpired, errBadToken, errHeaders, errConnect:
		log = l.log.debug
	case errInternal:
		log = l.log.warn
	}
	log("refused", "reason", a.reason.Error(), "status", a.status, "request", id, "cause", reason.Error())
}

// requestID names the request in the log and in the answer, so that the one can
// be found by the other.
func requestID(r *http.Request) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= 64 && strings.Trim(id, letters) == "" {
		return id
	}
	return randomID(8)
}

// randomID returns n random bytes in hexadecimal.
func randomID(n int) string {
	id := make([]byte, n)
	if _, err := rand.Read(id); err != nil {
		// The system has no randomness: nothing here is safe without.
		panic("latchkey: read random bytes: " + err.Error())
	}
	return hex.EncodeToString(id)
}
