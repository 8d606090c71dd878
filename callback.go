package latchkey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/page"
)

// serveCallback finishes a login: the provider sends the browser here with a
// code. Whatever is wrong, there is no new session and an existing one stays.
func (l *Latchkey) serveCallback(w http.ResponseWriter, r *http.Request) {
	answer, err := readCallback(r.URL.RawQuery)
	if err != nil {
		l.loginFailed(w, r, err, "/")
		return
	}
	f, err := l.takeFlow(w, r, answer.state)
	if err != nil {
		l.loginFailed(w, r, err, "/")
		return
	}
	s, err := l.finishLogin(r, f, answer)
	if err == nil {
		err = l.beginSession(w, r, s)
	}
	if err != nil {
		l.loginFailed(w, r, err, f.Return)
		return
	}
	l.counters.loginsFinished.Add(1)
	l.log.info("logged in", "session", s.tag())
	l.leave(w, f.Return)
}

func (l *Latchkey) loginFailed(w http.ResponseWriter, r *http.Request, err error, retry string) {
	l.counters.loginsFailed.Add(1)
	l.refuse(w, r, err, retry)
}

// leave sends the browser to where the login was for. A strict cookie is not
// sent along a redirect that another site began (RFC 6265bis, section 5.2), so
// then a page of ours does the last step.
func (l *Latchkey) leave(w http.ResponseWriter, to string) {
	if l.set.cookie.SameSite == http.SameSiteStrictMode {
		page.Write(w, http.StatusOK, page.Page{Title: "Logged in", Refresh: to, Link: to, LinkText: "Continue"})
		return
	}
	redirect(w, to)
}

// callbackAnswer is the authorization response (RFC 6749, section 4.1.2).
type callbackAnswer struct {
	state, code, issuer, failure string
}

// readCallback reads the query. A parameter given twice is an attack or a bug
// (RFC 6749, section 3.1).
func readCallback(rawQuery string) (*callbackAnswer, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: malformed query", errCallback)
	}
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(query[name]) > 1 {
			return nil, fmt.Errorf("%w: %s is given twice", errCallback, name)
		}
	}
	answer := &callbackAnswer{
		state: query.Get("state"), code: query.Get("code"), issuer: query.Get("iss"), failure: query.Get("error"),
	}
	if answer.state == "" || strings.ContainsAny(answer.state, " ;,=\"") {
		return nil, fmt.Errorf("%w: state is missing or malformed", errCallback)
	}
	if (answer.code == "") == (answer.failure == "") {
		return nil, fmt.Errorf("%w: it carries neither code nor error, or both", errCallback)
	}
	return answer, nil
}

// finishLogin trades the code for tokens and makes a session of them.
func (l *Latchkey) finishLogin(r *http.Request, f *flow, answer *callbackAnswer) (*session, error) {
	ctx := r.Context()
	metadata, err := l.provider.Metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errUnavailable, err)
	}
	if err := checkResponseIssuer(answer.issuer, metadata); err != nil {
		return nil, err
	}
	if answer.failure != "" {
		return nil, fmt.Errorf("%w: the provider answered %q", errCallback, answer.failure)
	}
	tokens, err := l.exchangeCode(ctx, answer.code, f.Verifier, l.redirectURI(r))
	if err != nil {
		return nil, loginError(err)
	}
	want := oidc.IDToken{ClientID: l.set.clientID, Nonce: f.Nonce, AccessToken: tokens.AccessToken, Code: answer.code,
		AuthenticatedAfter: l.set.asked.after(f.begun()), Contexts: l.set.asked.contexts}
	claims, err := l.provider.VerifyIDToken(ctx, tokens.IDToken, want)
	if err != nil {
		return nil, loginError(err)
	}
	return l.newSession(ctx, f, tokens, claims)
}

// checkResponseIssuer guards against a code of another provider (RFC 9207).
func checkResponseIssuer(issuer string, metadata *oidc.Metadata) error {
	if issuer == "" && metadata.ResponseIssuer {
		return fmt.Errorf("%w: iss is missing, which the provider says it sends", errCallback)
	}
	if issuer != "" && issuer != metadata.Issuer {
		return fmt.Errorf("%w: iss is %q, want %q", errCallback, issuer, metadata.Issuer)
	}
	return nil
}

// loginError maps what the provider said to what the person is told.
func loginError(err error) error {
	if errors.Is(err, oauth2.ErrUnavailable) || errors.Is(err, oidc.ErrUnavailable) {
		return fmt.Errorf("%w: %v", errUnavailable, err)
	}
	return fmt.Errorf("%w: %v", errCallback, err)
}

func (l *Latchkey) newSession(ctx context.Context, f *flow, tokens *oauth2.Tokens, claims map[string]interface{}) (*session, error) {
	now := l.now()
	s := &session{
		Born: now.UnixMilli(), IDToken: tokens.IDToken, AccessToken: tokens.AccessToken,
		RefreshToken: tokens.RefreshToken, Granted: now.Unix(), Scope: tokens.Scope,
		Asked: f.begun(), AuthTime: unix(claims["auth_time"]), Context: text(claims["acr"]),
	}
	if s.Scope == "" {
		s.Scope = f.Scope // as it was asked for (RFC 6749, section 5.1), whatever this router would ask for
	}
	s.AccessEnds = accessEnds(now.Unix(), tokens)
	s.AccessIsJWT = l.isJWTOf(tokens.AccessToken, text(claims["sub"]))
	if !l.set.userInfo {
		return s, nil
	}
	info, err := l.askUserInfo(ctx, tokens.AccessToken)
	if err != nil {
		return nil, loginError(err)
	}
	// OpenID Connect Core, section 5.3.2.
	if text(info["sub"]) != text(claims["sub"]) {
		return nil, fmt.Errorf("%w: userinfo is of another sub", errCallback)
	}
	s.UserInfo = info
	return s, nil
}

// accessEnds is when the access token ends: at once, where the provider says no
// time to come; 0: not said.
func accessEnds(now int64, tokens *oauth2.Tokens) int64 {
	if tokens.ExpiresIn == oauth2.NoExpiry {
		return 0
	}
	return now + tokens.ExpiresIn
}

// isJWTOf says whether an access token, which came from the token endpoint
// itself, is a JWT of the provider about the subject: then rules may ask it.
func (l *Latchkey) isJWTOf(accessToken, subject string) bool {
	claims, err := oidc.Unverified(accessToken)
	return err == nil && text(claims["iss"]) == l.set.issuer && text(claims["sub"]) == subject
}
