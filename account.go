package latchkey

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/page"
)

// accountPath is where people manage their sessions and API tokens.
const accountPath = "/account"

// serveAccount shows the account page, and does what its forms ask for. No rule
// is asked: whoever the router keeps out may still end their sessions.
func (l *Latchkey) serveAccount(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && foreign(r) {
		l.refuse(w, r, errForeign, "")
		return
	}
	c, err := l.caller(w, r)
	if err == nil && c.session == "" {
		err = errNotALogin
	}
	switch {
	case err != nil && answerTo(err).login && navigation(r) && r.Method == http.MethodGet:
		l.startLogin(w, r, l.set.basePath+accountPath)
	case err != nil:
		l.refuse(w, r, err, "")
	case r.Method == http.MethodPost:
		l.postAccount(w, r, c)
	default:
		l.showAccount(w, r, c, page.Account{Notice: accountNotices[r.URL.Query().Get("done")]})
	}
}

// accountNotices are what the page says once something was done, by the name
// that the redirect after it carries.
var accountNotices = map[string]string{
	"session": "The session has ended.",
	"others":  "All other sessions have ended.",
	"revoke":  "The API token is revoked. Whatever uses it gets no further.",
	"again":   "That form had been sent before; nothing was done this time.",
}

// maxForm bounds what is read of a form.
const maxForm = 64 << 10

// formLife is how long a form is remembered to have been sent.
const formLife = 24 * time.Hour

// postAccount does what a form asks for, once.
func (l *Latchkey) postAccount(w http.ResponseWriter, r *http.Request, c *caller) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || len(r.PostForm.Get("once")) != 32 {
		l.refuse(w, r, fmt.Errorf("%w: the form cannot be read", errBadRequest), "")
		return
	}
	first, err := l.once.Add(r.Context(), "form:"+fingerprint(c.session, r.PostForm.Get("once")), nil, formLife)
	if err != nil {
		l.refuse(w, r, fmt.Errorf("%w: %v", errStoreAway, err), "")
		return
	}
	if !first {
		l.accountDone(w, "again")
		return
	}
	done, shown, err := l.doForm(r, c)
	switch {
	case err != nil:
		l.showProblem(w, r, c, err)
	case shown.Secret != "":
		l.showAccount(w, r, c, shown)
	default:
		l.accountDone(w, done)
	}
}

// accountDone leads back to the page, so that sending it again is asking for it
// again.
func (l *Latchkey) accountDone(w http.ResponseWriter, done string) {
	w.Header().Set("Location", l.set.basePath+accountPath+"?done="+url.QueryEscape(done))
	page.Send(w, http.StatusSeeOther, nil)
}

// doForm does what the form asks for. It returns the name of the notice, or what
// is to be shown at once, which is a secret.
func (l *Latchkey) doForm(r *http.Request, c *caller) (done string, shown page.Account, err error) {
	ctx := r.Context()
	id := r.PostForm.Get("id")
	switch r.PostForm.Get("do") {
	case "end-session":
		return "session", shown, l.endSessionOf(ctx, c.user, id)
	case "end-others":
		_, err := l.endSessionsOf(ctx, c.user, c.session)
		return "others", shown, err
	case "revoke":
		return "revoke", shown, l.revokeToken(ctx, c.user, id)
	case "rotate":
		info, credential, err := l.rotateFor(r, c.user, id, r.PostForm.Get("grace"))
		return "", shownSecret(info, credential, "The API token has a new secret."), err
	case "create":
		shown, err := l.createFromForm(r, c)
		return "", shown, err
	}
	return "", shown, fmt.Errorf("%w: the form asks for nothing that is known", errBadRequest)
}

func shownSecret(info TokenInfo, credential, notice string) page.Account {
	name := info.Note
	if name == "" {
		name = info.ID
	}
	return page.Account{Secret: credential, SecretFor: name, Notice: notice}
}

func (l *Latchkey) createFromForm(r *http.Request, c *caller) (page.Account, error) {
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || days < 0 || days > maxDays {
		return page.Account{}, fmt.Errorf("%w: choose when the token expires", errBadRequest)
	}
	n := NewToken{Owner: c.user, Note: r.PostForm.Get("note"), Scopes: r.PostForm["scope"]}
	if days > 0 {
		n.Expires = l.now().AddDate(0, 0, days)
	}
	info, credential, err := l.createTokenFor(r, c, n)
	if err != nil {
		return page.Account{}, err
	}
	return shownSecret(info, credential, "The API token was created."), nil
}

// showProblem shows the page again with what went wrong, and what was typed.
func (l *Latchkey) showProblem(w http.ResponseWriter, r *http.Request, c *caller, err error) {
	a := answerTo(err)
	if !a.told && !errors.Is(err, errNotFound) && !errors.Is(err, errStoreAway) && !errors.Is(err, errStaysStored) {
		l.refuse(w, r, err, "")
		return
	}
	l.counters.refused(a.reason.Error())
	l.logRefusal(a, requestID(r), err)
	l.writeAccount(w, r, c, a.status, page.Account{
		Problem: a.tell(err), Note: r.PostForm.Get("note"), Chosen: r.PostForm["scope"], Expiry: r.PostForm.Get("days"),
	})
}

func (l *Latchkey) showAccount(w http.ResponseWriter, r *http.Request, c *caller, a page.Account) {
	l.writeAccount(w, r, c, http.StatusOK, a)
}

// writeAccount fills in what the page always shows.
func (l *Latchkey) writeAccount(w http.ResponseWriter, r *http.Request, c *caller, status int, a page.Account) {
	sessions, err := l.listSessions(r.Context(), c.user)
	if !legible(err) {
		l.refuse(w, r, err, "")
		return
	}
	a.User = c.user
	a.Action = l.set.basePath + accountPath
	a.Logout = l.set.basePath + "/logout"
	a.Once = randomID(16)
	for i := len(sessions) - 1; i >= 0; i-- { // the newest first
		s := sessions[i]
		a.Sessions = append(a.Sessions, page.Session{ID: s.ID, Where: s.Address, Agent: browserName(s.Agent), Since: moment(s.Since), This: s.ID == c.session, Services: services(s.Delegated)})
	}
	if l.apiTokens != nil {
		err := l.fillTokens(r, c, &a)
		if errors.Is(err, errStoreAway) && a.Problem == "" {
			// Sessions can be ended all the same.
			l.counters.refused(errStoreAway.Error())
			l.logRefusal(answerTo(err), requestID(r), err)
			a.Problem = "Your API tokens can't be shown right now."
			status = http.StatusServiceUnavailable
			err = nil
		}
		if err != nil {
			l.refuse(w, r, err, "")
			return
		}
	}
	page.WriteAccount(w, status, a)
}

func (l *Latchkey) fillTokens(r *http.Request, c *caller, a *page.Account) error {
	tokens, err := l.listTokens(r.Context(), c.user)
	if !legible(err) {
		return err
	}
	a.TokensOn = true
	a.Scopes = l.set.apiTokens.givable(c.who)
	a.Expiries = l.set.apiTokens.expiries()
	if a.Expiry == "" {
		a.Expiry = defaultExpiry
	}
	now := l.now().Unix()
	for i := len(tokens) - 1; i >= 0; i-- {
		t := tokens[i]
		a.Tokens = append(a.Tokens, page.Token{
			ID: t.ID, Note: t.Note, Scopes: t.Scopes, Created: moment(t.Created), LastUsed: moment(t.LastUsed), Expires: moment(t.Expires),
			Expired: t.Expires != 0 && t.Expires <= now, Services: services(t.Delegated),
		})
	}
	return nil
}

// services names who has a delegated token.
func services(made []DelegatedInfo) []string {
	var list []string
	for _, d := range made {
		name := d.Service
		if name == "" {
			name = "notebook"
		}
		if len(d.Scopes) > 0 {
			name += ": " + strings.Join(d.Scopes, " ")
		}
		list = append(list, name)
	}
	return list
}

// moment is a time for people to read; "" for none.
func moment(unix int64) string {
	if unix == 0 {
		return ""
	}
	return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04 UTC")
}

// maxDays bounds the life that a form may ask for, which a setting bounds further.
const maxDays = 36500

// defaultExpiry is chosen until something else is, in days.
const defaultExpiry = "90"

// expiries are the lives that the page offers.
func (a *apiTokenSettings) expiries() []page.Choice {
	var list []page.Choice
	for _, days := range []int{7, 30, 90, 365} {
		if a.maxLifetime == 0 || time.Duration(days)*24*time.Hour <= a.maxLifetime {
			list = append(list, page.Choice{Value: strconv.Itoa(days), Text: fmt.Sprint(days, " days")})
		}
	}
	if a.maxLifetime == 0 || len(list) == 0 {
		list = append(list, page.Choice{Value: "0", Text: a.longest()})
	}
	return list
}

// longest names the life of a token that asks for none.
func (a *apiTokenSettings) longest() string {
	if a.maxLifetime == 0 {
		return "never"
	}
	return a.maxLifetime.String()
}
