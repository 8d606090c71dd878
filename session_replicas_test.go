package latchkey

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// fresh is one more replica, which knows nothing yet.
func (p *pair) fresh(change func(*Config)) *Latchkey {
	p.t.Helper()
	l := p.replica(func(c *Config) {
		c.Redis.Addresses = []string{p.server.Addr()}
		c.Redis.Timeout = "10s"
		if change != nil {
			change(c)
		}
	})
	p.reading(l)
	return l
}

// records are the keys of the sessions in Redis.
func (p *pair) records() []string {
	p.t.Helper()
	var found []string
	for _, key := range p.keys("") {
		if strings.Contains(key, ":session:") {
			found = append(found, key)
		}
	}
	return found
}

// A login takes over no id that was there: who planted it does not share the
// session.
func TestSessionFixation(t *testing.T) {
	for _, store := range stored {
		g := inStore(t, store, nil)
		name := g.l.set.cookie.Name
		planted := strings.Repeat("a", 32)
		g.jar[name] = planted
		g.login("/app", nil)
		if g.jar[name] == planted {
			t.Errorf("%s: the planted id stays", store)
		}
		g.swap(map[string]string{name: planted})
		g.expectStatus(store+": the planted id", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	}
}

// Cookies that a session in chunks has left go with the next login.
func TestLeftoverChunks(t *testing.T) {
	g := inStore(t, "memory", nil)
	name := g.l.set.cookie.Name
	g.jar[name+"-1"] = "left over"
	g.login("/app", nil)
	if _, there := g.jar[name+"-1"]; there {
		t.Error("a chunk of before is still there")
	}
}

// What is in Redis was sealed for this key, or is no session. It is counted, and
// goes.
func TestSwappedRecords(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	alice := p.swap(nil)
	own := p.record()
	value := p.server.Command("GET", own)
	p.login("/app", map[string]interface{}{"sub": "bob"})
	others := ""
	for _, key := range p.records() {
		if key != own {
			others = p.server.Command("GET", key)
		}
	}
	for what, spoil := range map[string]func(){
		"another's record": func() { p.server.Command("SET", own, others) },
		"truncated":        func() { p.server.Command("SET", own, value[:len(value)-1]) },
		"plain":            func() { p.server.Command("SET", own, `{"i":"x","c":1}`) },
		"a list":           func() { p.server.Command("LPUSH", own, "x") },
	} {
		p.server.Command("DEL", own)
		spoil()
		l := p.fresh(nil)
		p.swap(alice)
		p.at(l, what, fetch(t, "/app"), http.StatusUnauthorized)
		if got := p.server.Command("EXISTS", own); got != "0" {
			t.Errorf("%s: it is still there", what)
		}
		if n := l.sessions.tiered.Stats().Bad; n != 1 {
			t.Errorf("%s: %d bad records are counted, want 1", what, n)
		}
	}
	p.server.Command("SET", own, value)
	p.swap(alice)
	p.at(p.fresh(nil), "the record as it was", fetch(t, "/app"), http.StatusOK)
}

// A record is for one provider and client, and for the id that names it.
func TestRecordsOfOthers(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	other := p.fresh(func(c *Config) { c.Provider.ClientID = "another" })
	p.at(other, "another client", fetch(t, "/app"), http.StatusUnauthorized)

	s, err := p.l.openSession(context.Background(), p.jar[p.l.set.cookie.Name])
	if err != nil {
		t.Fatal(err)
	}
	planted := strings.Repeat("0", 32)
	if err := p.l.sessions.create(context.Background(), s, planted, time.Hour); err != nil {
		t.Fatal(err)
	}
	p.swap(map[string]string{p.l.set.cookie.Name: planted})
	p.at(p.l, "another id's record", fetch(t, "/app"), http.StatusUnauthorized)
}

// A logout removes the record, and ends the copies.
func TestLogoutRemovesTheRecord(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	p.at(p.other, "there", fetch(t, "/app"), http.StatusOK)
	eventually(t, "a copy in its memory", func() bool { return p.other.sessions.tiered.Stats().Backfills == 1 })
	jar := p.swap(p.jar)
	p.do(navigate(t, "/oauth2/logout"))
	if left := p.records(); len(left) != 0 {
		t.Errorf("%q are left", left)
	}
	eventually(t, "the other replica to know", func() bool { return p.statusOf(p.other, jar) == http.StatusUnauthorized })
}

// The provider gets the refresh token back, though nobody waits for it.
func TestLogoutGivesTheRefreshTokenBack(t *testing.T) {
	for _, store := range stores {
		g := inStore(t, store, nil)
		posted := make(chan string, 10)
		g.provider.Handle("/revoke", func(_ http.ResponseWriter, r *http.Request) {
			r.ParseForm()
			posted <- r.PostForm.Get("token_type_hint") + " " + r.PostForm.Get("token")
		})
		g.login("/app", nil)
		s, err := g.l.openSession(context.Background(), g.l.cookieValue(g.withJar(fetch(t, "/app"))))
		if err != nil {
			t.Fatal(err)
		}
		g.do(navigate(t, "/oauth2/logout"))
		select {
		case got := <-posted:
			if got != "refresh_token "+s.RefreshToken {
				t.Errorf("%s: the provider got %q", store, got)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the provider got nothing", store)
		}
	}
}

// A refresh or a renewal that was under way does not bring back what was ended.
func TestWritesAfterTheEnd(t *testing.T) {
	for _, store := range stored {
		g := inStore(t, store, func(c *Config) { c.Session.IdleTimeout = "1h" })
		g.login("/app", nil)
		r := g.withJar(fetch(t, "/app"))
		credential := g.l.cookieValue(r)
		s, err := g.l.openSession(r.Context(), credential)
		if err != nil {
			t.Fatal(err)
		}
		g.do(navigate(t, "/oauth2/logout"))
		g.l.keepGranted(context.Background(), s, credential)
		if _, err := g.l.renewSession(nil, r, s, credential); err != errExpired {
			t.Errorf("%s: a renewal: got %v, want %v", store, err, errExpired)
		}
		if _, found, err := g.l.sessions.reload(context.Background(), credential); found || err != nil {
			t.Errorf("%s: found: %v, %v", store, found, err)
		}
	}
}

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
