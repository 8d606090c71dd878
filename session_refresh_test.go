package latchkey

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// What one replica has refreshed the other sees, without a grant of its own,
// also when the result is not shared any more.
func TestRefreshIsSeenByTheOther(t *testing.T) {
	p := newPair(t, withAccessToken)
	p.login("/app", nil)
	p.at(p.other, "there, before", fetch(t, "/app"), http.StatusOK)
	old := p.token()
	p.clock.advance(240 * time.Second)
	p.at(p.l, "the refresh", fetch(t, "/app"), http.StatusOK)
	token := p.token()
	p.clock.advance(31 * time.Second)
	for _, key := range p.keys("refresh:") {
		p.server.Command("DEL", key)
	}
	p.at(p.other, "there, afterwards", fetch(t, "/app"), http.StatusOK)
	if got := p.token(); got != token || got == old {
		t.Error("the other replica has another access token")
	}
	p.at(p.fresh(withAccessToken), "on a third", fetch(t, "/app"), http.StatusOK)
	if n := p.provider.Grants(); n != 1 || p.provider.Hits("/token") != 2 {
		t.Errorf("%d grants, %d requests at the token endpoint", n, p.provider.Hits("/token"))
	}
}

// With cookies alone, replicas share the result of a grant.
func TestLostCookieOnTheOtherReplica(t *testing.T) {
	p := newPair(t, func(c *Config) { withAccessToken(c); c.Session.Store = "cookie" })
	p.login("/app", nil)
	old := p.swap(p.jar)
	p.clock.advance(300 * time.Second)
	p.at(p.l, "the refresh", fetch(t, "/app"), http.StatusOK)
	token := p.token()
	p.swap(old)
	response := p.at(p.other, "the old cookie there", fetch(t, "/app"), http.StatusOK)
	if p.token() != token || p.provider.Grants() != 1 || len(response.Cookies()) == 0 {
		t.Errorf("the same access token: %v; %d grants, %d cookies", p.token() == token, p.provider.Grants(), len(response.Cookies()))
	}
}

// A refresh token that is spent is not tried where the store has the next one,
// and ends nothing.
func TestNewerTokensAreFoundFirst(t *testing.T) {
	p := newPair(t, withAccessToken)
	p.login("/app", nil)
	credential := p.jar[p.l.set.cookie.Name]
	stale, err := p.l.openSession(context.Background(), credential)
	if err != nil {
		t.Fatal(err)
	}
	p.clock.advance(240 * time.Second)
	p.at(p.other, "the refresh", fetch(t, "/app"), http.StatusOK)
	hits := p.provider.Hits("/token")
	result, err := p.l.grant(context.Background(), stale, credential)
	if err != nil || result.RefreshToken == stale.RefreshToken || result.AccessToken != p.token() {
		t.Errorf("got %v, %v, want the newer tokens", result, err)
	}
	if p.provider.Hits("/token") != hits {
		t.Error("the spent refresh token was tried")
	}
	p.at(p.l, "the session", fetch(t, "/app"), http.StatusOK)
}

// The other replica's tokens may come while the provider refuses ours.
func TestNewerTokensAreFoundAfterARefusal(t *testing.T) {
	p := newPair(t, withAccessToken)
	p.login("/app", nil)
	credential := p.jar[p.l.set.cookie.Name]
	stale, err := p.l.openSession(context.Background(), credential)
	if err != nil {
		t.Fatal(err)
	}
	p.provider.Handle("/token", func(w http.ResponseWriter, _ *http.Request) {
		newer := *stale
		newer.RefreshToken = "newer"
		newer.Granted++
		if _, err := p.other.sessions.update(context.Background(), &newer, credential, time.Hour); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_grant"}`))
	})
	result, err := p.l.grant(context.Background(), stale, credential)
	if err != nil || result.RefreshToken != "newer" {
		t.Errorf("got %v, %v, want the newer tokens", result, err)
	}
	p.at(p.l, "the session", fetch(t, "/app"), http.StatusOK)
}

// Tokens that could not be written to the store are written when it is back: the
// refresh token there is spent.
func TestGrantedTokensAreKeptForSure(t *testing.T) {
	p := newPair(t, withAccessToken)
	p.login("/app", nil)
	credential := p.jar[p.l.set.cookie.Name]
	s, err := p.l.openSession(context.Background(), credential)
	if err != nil {
		t.Fatal(err)
	}
	record := p.record()
	value := p.server.Command("GET", record)
	p.stop()
	newer := s.with(&granted{AccessToken: "a", RefreshToken: "newer", At: s.Granted + 1})
	p.l.keepGranted(context.Background(), newer, credential)
	p.server.Restart()
	p.server.Command("SET", record, value)
	eventually(t, "the new tokens to be kept", func() bool {
		p.clock.advance(time.Second)
		stored, found, err := p.l.sessions.reload(context.Background(), credential)
		return err == nil && found && stored.RefreshToken == "newer"
	})
}

// The idle time-out is moved on for both replicas, whichever sees the requests,
// and also by those that come with a refresh.
func TestIdleTimeoutOfReplicas(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.IdleTimeout = "1h" })
	p.login("/app", nil)
	p.at(p.other, "there", fetch(t, "/app"), http.StatusOK)
	for i := 0; i < 4; i++ {
		p.clock.advance(50 * time.Minute)
		p.at(p.l, "in use here", fetch(t, "/app"), http.StatusOK)
	}
	p.clock.advance(50 * time.Minute)
	p.at(p.other, "in use there, where it was seen hours ago", fetch(t, "/app"), http.StatusOK)
	p.clock.advance(50 * time.Minute)
	p.at(p.l, "in use here again", fetch(t, "/app"), http.StatusOK)
	p.clock.advance(61 * time.Minute)
	for _, l := range []*Latchkey{p.l, p.other} {
		p.at(l, "idle for too long", fetch(t, "/app"), http.StatusUnauthorized)
	}
}

// A replica that moves the idle time-out on writes no spent refresh token over
// the one that another replica has got meanwhile.
func TestIdleRenewalKeepsNewTokens(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.IdleTimeout = "8m" })
	late := p.fresh(func(c *Config) { c.Session.IdleTimeout = "8m"; c.Refresh.Before = "5s" })
	p.login("/app", nil)
	p.at(late, "a copy there", fetch(t, "/app"), http.StatusOK)
	eventually(t, "the copy", func() bool { return late.sessions.tiered.Stats().Backfills == 1 })
	p.clock.advance(250 * time.Second)
	p.at(p.l, "the refresh", fetch(t, "/app"), http.StatusOK)
	credential := p.jar[p.l.set.cookie.Name]
	refreshed, _, err := p.l.sessions.reload(context.Background(), credential)
	if err != nil || p.provider.Grants() != 1 {
		t.Fatalf("%d grants, %v", p.provider.Grants(), err)
	}
	p.clock.advance(31 * time.Second) // its copy is not due, and its idle time-out is
	p.at(late, "there, by its copy", fetch(t, "/app"), http.StatusOK)
	stored, found, err := p.l.sessions.reload(context.Background(), credential)
	if err != nil || !found || stored.RefreshToken != refreshed.RefreshToken || stored.AccessToken != refreshed.AccessToken {
		t.Errorf("found: %v, %v; the new tokens are still there: %v", found, err, found && stored.RefreshToken == refreshed.RefreshToken)
	}
}

// Of a list of secrets the first seals and all open, in Redis as in cookies.
func TestSecretsOfRecords(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	with := func(secrets ...string) *Latchkey { return p.fresh(func(c *Config) { c.Secret = secrets }) }
	const next = "another secret for tests of 32 bytes"
	p.at(with(next, testSecret), "the old one still listed", fetch(t, "/app"), http.StatusOK)
	p.at(with(testSecret, next), "the new one known and not yet first", fetch(t, "/app"), http.StatusOK)
	p.at(with(next), "the old one removed", fetch(t, "/app"), http.StatusUnauthorized)
}

// All that is in Redis is under the prefix.
func TestPrefix(t *testing.T) {
	server := redistest.Start(t)
	g := refreshing(t, func(c *Config) {
		c.Redis.Addresses = []string{server.Addr()}
		c.Redis.Prefix = "mine:"
		c.Session.MaxPerUser = 3
	})
	g.login("/app", nil)
	g.clock.advance(300 * time.Second)
	g.expectStatus("a refresh", g.do(fetch(t, "/app")), http.StatusOK)
	g.do(navigate(t, "/oauth2/logout"))
	for _, key := range strings.Split(server.Command("KEYS", "*"), "\n") {
		if !strings.HasPrefix(key, "mine:") {
			t.Errorf("%s is outside", key)
		}
	}
}
