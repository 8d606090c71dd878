package latchkey

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// It is 200 only once the revocation is written. Else the token may come again.
func TestLogoutTokenMayComeAgain(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	p.at(p.other, "there", fetch(t, "/app"), http.StatusOK)
	p.clock.advance(time.Second)
	p.server.Command("DEL", "latchkey:revocations")
	p.server.Command("SET", "latchkey:revocations", "no stream")
	token := p.provider.LogoutToken(nil)
	p.expectLogout(p.l, "while the log refuses", tokenForm(token), http.StatusBadRequest)
	p.server.Command("DEL", "latchkey:revocations")
	p.expectLogout(p.l, "the same token again", tokenForm(token), http.StatusOK)
	p.expectLogout(p.l, "and once more", tokenForm(token), http.StatusBadRequest)
	jar := p.swap(nil)
	eventually(t, "the other replica to know", func() bool { return p.statusOf(p.other, jar) == http.StatusUnauthorized })
}

// The token is taken from the body alone: addresses end up in logs.
func TestLogoutTokenInTheQuery(t *testing.T) {
	g := newRig(t, nil)
	r := post(t, url.Values{})
	r.URL.RawQuery = tokenForm(g.provider.LogoutToken(nil)).Encode()
	if got := g.do(r).StatusCode; got != http.StatusBadRequest {
		t.Errorf("got status %d, want 400", got)
	}
	r = post(t, tokenForm(g.provider.LogoutToken(nil)))
	r.Header.Set("Content-Type", "text/plain")
	if got := g.do(r).StatusCode; got != http.StatusBadRequest {
		t.Errorf("as plain text: got status %d, want 400", got)
	}
}

// The sid is the provider's; another provider's session of that sid is another.
func TestBackchannelLogoutBySidAlone(t *testing.T) {
	p := newPair(t, nil)
	p.provider.Set(func(b *oidctest.Behavior) { b.SessionIDs = true })
	p.login("/app", nil)
	sid := p.sid()
	jar := p.swap(nil)
	p.clock.advance(time.Second)
	p.expectLogout(p.l, "another sid", tokenForm(p.provider.LogoutToken(map[string]interface{}{"sub": nil, "sid": "other"})), http.StatusOK)
	if got := p.statusOf(p.l, jar); got != http.StatusOK {
		t.Errorf("another sid: got status %d", got)
	}
	p.expectLogout(p.l, "its sid", tokenForm(p.provider.LogoutToken(map[string]interface{}{"sub": nil, "sid": sid})), http.StatusOK)
	if got := p.statusOf(p.l, jar); got != http.StatusUnauthorized {
		t.Errorf("here: got status %d", got)
	}
	eventually(t, "the other replica to know", func() bool { return p.statusOf(p.other, jar) == http.StatusUnauthorized })
}

// A session without a sid cannot be meant by one, not by an empty one either.
func TestFrontchannelLogoutWithoutSid(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	issuer := url.QueryEscape(g.provider.Issuer())
	for _, query := range []string{"?iss=" + issuer + "&sid=", "?iss=" + issuer} {
		g.expectStatus(query, g.do(navigate(t, "/oauth2/frontchannel-logout"+query)), http.StatusBadRequest)
	}
	g.expectStatus("the session", g.do(fetch(t, "/app")), http.StatusOK)
}
