package latchkey

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// post is a provider's back-channel logout.
func post(t *testing.T, form url.Values) *http.Request {
	t.Helper()
	r := request(t, http.MethodPost, "/oauth2/backchannel-logout")
	r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func tokenForm(token string) url.Values { return url.Values{"logout_token": {token}} }

// expectLogout posts the form and checks the answer.
func (g *rig) expectLogout(l *Latchkey, what string, form url.Values, status int) {
	g.t.Helper()
	response := g.doAt(l, post(g.t, form))
	if response.StatusCode != status || response.Header.Get("Cache-Control") != "no-store" {
		g.t.Errorf("%s: got status %d, Cache-Control %q, want %d, no-store", what, response.StatusCode, response.Header.Get("Cache-Control"), status)
	}
}

// sid is that of the session in the jar.
func (g *rig) sid() string {
	g.t.Helper()
	s, err := g.l.openSession(testContext(g.t), g.l.cookieValue(g.withJar(navigate(g.t, "/"))))
	if err != nil {
		g.t.Fatal(err)
	}
	claims, err := s.identity(false)
	if err != nil {
		g.t.Fatal(err)
	}
	return text(claims.IDToken["sid"])
}

// A sid ends its session, a sub alone all of the user's; nobody else's end.
func TestBackchannelLogout(t *testing.T) {
	for _, by := range []string{"sid", "sub"} {
		g := newRig(t, nil)
		g.provider.Set(func(b *oidctest.Behavior) { b.SessionIDs = true })
		g.login("/app", nil)
		sid := g.sid()
		first := g.swap(nil)
		g.login("/app", nil)
		second := g.swap(nil)
		g.login("/app", map[string]interface{}{"sub": "bob"})
		bob := g.swap(nil)
		g.clock.advance(time.Second)
		changes := map[string]interface{}{}
		if by == "sid" {
			changes["sid"] = sid
		}
		g.expectLogout(g.l, by, tokenForm(g.provider.LogoutToken(changes)), http.StatusOK)
		want := map[string]int{"the session": 401, "the user's other session": 401, "another user's": 200}
		if by == "sid" {
			want["the user's other session"] = 200
		}
		for name, jar := range map[string]map[string]string{"the session": first, "the user's other session": second, "another user's": bob} {
			g.swap(jar)
			g.expectStatus(by+": "+name, g.do(fetch(t, "/app")), want[name])
		}
		g.swap(nil)
		g.clock.advance(time.Second)
		g.login("/app", nil)
		g.expectStatus(by+": a login afterwards", g.do(fetch(t, "/app")), http.StatusOK)
	}
}

// What is refused ends nothing.
func TestBackchannelLogoutRefuses(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	good := g.provider.LogoutToken(nil)
	for name, form := range map[string]url.Values{
		"nothing":         {},
		"garbage":         tokenForm("garbage"),
		"two tokens":      {"logout_token": {good, good}},
		"another client":  tokenForm(g.provider.LogoutToken(map[string]interface{}{"aud": "other"})),
		"an ID token":     tokenForm(g.provider.Sign(nil, g.provider.Claims(nil))),
		"a nonce":         tokenForm(g.provider.LogoutToken(map[string]interface{}{"nonce": "n"})),
		"a body too long": {"logout_token": {good}, "filler": {strings.Repeat("x", maxLogoutBody)}},
	} {
		g.expectLogout(g.l, name, form, http.StatusBadRequest)
	}
	g.expectStatus("the session", g.do(fetch(t, "/app")), http.StatusOK)
	if got := g.do(request(t, http.MethodGet, "/oauth2/backchannel-logout?logout_token="+good)).StatusCode; got != http.StatusMethodNotAllowed {
		t.Errorf("GET: got status %d, want 405", got)
	}
}

// A logout token counts once, on all replicas, unless nothing came of it.
func TestLogoutTokenCountsOnce(t *testing.T) {
	p := newPair(t, nil)
	token := p.provider.LogoutToken(nil)
	p.expectLogout(p.l, "the first time", tokenForm(token), http.StatusOK)
	p.expectLogout(p.l, "again", tokenForm(token), http.StatusBadRequest)
	p.expectLogout(p.other, "at the other replica", tokenForm(token), http.StatusBadRequest)
	token = p.provider.LogoutToken(nil)
	p.stop()
	p.expectLogout(p.l, "while Redis is away", tokenForm(token), http.StatusBadRequest)
	p.restart()
	token = p.provider.LogoutToken(nil)
	p.expectLogout(p.l, "when it is back", tokenForm(token), http.StatusOK)
}

func TestFrontchannelLogout(t *testing.T) {
	g := newRig(t, nil)
	g.provider.Set(func(b *oidctest.Behavior) { b.SessionIDs = true })
	g.login("/app", nil)
	sid := g.sid()
	issuer := url.QueryEscape(g.provider.Issuer())
	for name, query := range map[string]string{
		"nothing":        "",
		"no sid":         "?iss=" + issuer,
		"no iss":         "?sid=" + sid,
		"another sid":    "?iss=" + issuer + "&sid=other",
		"an empty sid":   "?iss=" + issuer + "&sid=",
		"another issuer": "?iss=https%3A%2F%2Fevil.test&sid=" + sid,
		"two sids":       "?iss=" + issuer + "&sid=" + sid + "&sid=x",
	} {
		g.expectStatus(name, g.do(navigate(t, "/oauth2/frontchannel-logout"+query)), http.StatusBadRequest)
	}
	g.expectStatus("the session", g.do(fetch(t, "/app")), http.StatusOK)
	mine := g.swap(nil)
	query := "?iss=" + issuer + "&sid=" + sid
	g.expectStatus("without the cookie", g.do(navigate(t, "/oauth2/frontchannel-logout"+query)), http.StatusBadRequest)
	g.swap(mine)
	response := g.do(navigate(t, "/oauth2/frontchannel-logout"+query))
	if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" || len(g.jar) != 0 {
		t.Errorf("got status %d, %d cookies left", response.StatusCode, len(g.jar))
	}
	g.swap(mine)
	g.expectStatus("the old cookie", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// A token whose key may be new is not refused: the provider may send it again.
func TestBackchannelLogoutByANewKey(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.provider.Rotate()
	g.clock.advance(time.Second)
	logout := url.Values{"logout_token": {g.provider.LogoutToken(nil)}}
	for i := 0; i < 2; i++ {
		g.expectLogout(g.l, "in the pause", logout, http.StatusServiceUnavailable)
	}
	g.clock.advance(10 * time.Second)
	g.expectLogout(g.l, "after it", logout, http.StatusOK)
	g.expectStatus("then", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}
