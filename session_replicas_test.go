package latchkey

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
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
// stays: reading takes nothing away.
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
		if got := p.server.Command("EXISTS", own); got != "1" {
			t.Errorf("%s: it was deleted", what)
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
