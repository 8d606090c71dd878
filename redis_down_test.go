package latchkey

import (
	"net/http"
	"testing"
	"time"
)

// Sessions in cookies hang on Redis for what was revoked: while it is away they
// go on for staleFor, then it is 503 for all, and all is well when it is back.
func TestCookiesWhileRedisIsDown(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.Store = "cookie" })
	p.login("/app", nil)
	jar := p.swap(p.jar)
	p.stop()
	for _, step := range []time.Duration{0, 29 * time.Second} {
		p.clock.advance(step)
		if a, b := p.statusOf(p.l, jar), p.statusOf(p.other, jar); a != http.StatusOK || b != http.StatusOK {
			t.Errorf("after %s more: status %d and %d", step, a, b)
		}
	}
	p.clock.advance(time.Second)
	for _, l := range []*Latchkey{p.l, p.other} {
		replica := l
		eventually(t, "503 after staleFor", func() bool { return p.statusOf(replica, jar) == http.StatusServiceUnavailable })
	}
	p.restart()
	if a, b := p.statusOf(p.l, jar), p.statusOf(p.other, jar); a != http.StatusOK || b != http.StatusOK {
		t.Errorf("when it is back: status %d and %d", a, b)
	}
}

// A bearer token's verdict hangs on the log of revocations as well.
func TestRedisDownAndBearerTokens(t *testing.T) {
	p := newPair(t, nil)
	token := p.accessToken(nil)
	p.at(p.l, "before", bearer(t, "/app", token), http.StatusOK)
	p.stop()
	p.at(p.l, "for a while", bearer(t, "/app", token), http.StatusOK)
	p.clock.advance(30 * time.Second)
	eventually(t, "503 after staleFor", func() bool {
		return p.do(bearer(t, "/app", token)).StatusCode == http.StatusServiceUnavailable
	})
}

// Neither a refresh nor a renewal of the idle time-out that Redis is in the way
// of ends a session whose access token is good.
func TestRefreshWhileRedisIsDown(t *testing.T) {
	p := newPair(t, func(c *Config) { withAccessToken(c); c.Session.IdleTimeout = "10m"; c.Redis.StaleFor = "10m" })
	p.login("/app", nil)
	p.at(p.l, "before", fetch(t, "/app"), http.StatusOK)
	p.clock.advance(120 * time.Second)
	p.server.Stop()
	p.at(p.l, "a renewal that is due", fetch(t, "/app"), http.StatusOK)
	p.stop()
	p.clock.advance(120 * time.Second)
	p.at(p.l, "a refresh that is due", fetch(t, "/app"), http.StatusOK)
	p.clock.advance(60 * time.Second)
	p.at(p.l, "an access token that has ended", fetch(t, "/app"), http.StatusServiceUnavailable)
	if n := p.provider.Grants(); n != 0 {
		t.Errorf("%d grants by somebody who cannot know whether another replica grants", n)
	}
}

// A session that is logged out while Redis is away is ended everywhere when it
// is back.
func TestLogoutWhileRedisIsDown(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.Store = "cookie" })
	p.login("/app", nil)
	p.at(p.other, "there", fetch(t, "/app"), http.StatusOK)
	jar := p.swap(p.jar)
	p.stop()
	p.do(navigate(t, "/oauth2/logout"))
	p.swap(jar)
	p.at(p.l, "here, at once", fetch(t, "/app"), http.StatusUnauthorized)
	p.restart()
	eventually(t, "the other replica to know", func() bool { return p.statusOf(p.other, jar) == http.StatusUnauthorized })
}
