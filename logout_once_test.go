package latchkey

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// show shows the cookies n times at each of the replicas, all at once, and returns
// the pages.
func show(t *testing.T, n int, target string, jar map[string]string, replicas ...*Latchkey) []string {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var pages []string
	for i := 0; i < n; i++ {
		for _, replica := range replicas {
			l := replica
			r := navigate(t, target)
			for name, value := range jar {
				r.AddCookie(&http.Cookie{Name: name, Value: value})
			}
			all.Add(1)
			go func() {
				defer all.Done()
				w := httptest.NewRecorder()
				l.ServeHTTP(w, r)
				mu.Lock()
				defer mu.Unlock()
				pages = append(pages, w.Header().Get("Location")+w.Body.String())
			}()
		}
	}
	all.Wait()
	return pages
}

// A logout acts once, however often the cookie is shown, at once and later: one
// revocation, one call to the provider, one way through it.
func TestLogoutActsOnce(t *testing.T) {
	for _, store := range stores {
		g := inStore(t, store, nil)
		g.login("/app", nil)
		jar := g.swap(nil)
		before := g.l.revocations.Index().Generation()
		pages := show(t, 20, "/oauth2/logout", jar, g.l)
		for i := 0; i < 9; i++ {
			g.clock.advance(time.Minute)
			pages = append(pages, show(t, 20, "/oauth2/logout", jar, g.l)...)
		}
		if got := g.l.revocations.Index().Generation() - before; got != 1 {
			t.Errorf("%s: %d revocations", store, got)
		}
		eventually(t, "the refresh token to go back", func() bool { return len(g.l.ends.slots) == 0 })
		if got := g.provider.Hits(oidctest.Revocation); got != 1 {
			t.Errorf("%s: %d calls to the provider", store, got)
		}
		through := 0
		for _, page := range pages {
			if strings.HasPrefix(page, g.provider.Issuer()) {
				through++
			} else if strings.Contains(page, "ended") || !strings.Contains(page, "You are logged out.") {
				t.Errorf("%s: the page says %q", store, page)
			}
		}
		if through != 1 {
			t.Errorf("%s: %d of %d were sent to the provider", store, through, len(pages))
		}
	}
}

// The same on two replicas at once, which know of one another through Redis.
func TestLogoutActsOnceOnAllReplicas(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.Store = "cookie" })
	p.login("/app", nil)
	jar := p.swap(nil)
	show(t, 20, "/oauth2/logout", jar, p.l, p.other)
	eventually(t, "both to know", func() bool {
		return p.statusOf(p.l, jar) == http.StatusUnauthorized && p.statusOf(p.other, jar) == http.StatusUnauthorized
	})
	show(t, 20, "/oauth2/logout", jar, p.l, p.other)
	if got := p.server.Command("XLEN", "latchkey:revocations"); got != "1" {
		t.Errorf("%s entries, want 1", got)
	}
	eventually(t, "the refresh token to go back", func() bool { return len(p.l.ends.slots)+len(p.other.ends.slots) == 0 })
	if got := p.provider.Hits(oidctest.Revocation); got != 1 {
		t.Errorf("%d calls to the provider", got)
	}
}

// lookedAt is a context that does something when it is asked whether it has ended.
type lookedAt struct {
	context.Context
	then func()
}

func (c *lookedAt) Err() error {
	c.then()
	return c.Context.Err()
}

// A logout that another replica has begun is waited for, and for no longer.
func TestLogoutWaitsForAnotherReplicas(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	s, err := g.l.openSession(context.Background(), g.l.cookieValue(g.withJar(fetch(t, "/app"))))
	if err != nil {
		t.Fatal(err)
	}
	times := 0
	ctx := &lookedAt{context.Background(), func() {
		times++
		g.l.revocations.Index().Add([]revocation.Entry{{Key: revocation.Session(s.ID), At: g.clock.now().UnixMilli(), Until: g.clock.now().Unix() + 60, Always: true}}, g.clock.now().Unix())
	}}
	if !g.l.endedMeanwhile(ctx, s) || times != 1 {
		t.Errorf("looked %d times, and the session has not ended", times)
	}
}

// What has ended by itself, by its user's end or by the provider's word is only told so.
func TestLogoutOfAnEndedSession(t *testing.T) {
	for what, end := range map[string]func(*rig){
		"its lifetime": func(g *rig) { g.clock.advance(25 * time.Hour) },
		"its user": func(g *rig) {
			if _, _, err := g.l.endUser(context.Background(), oidctest.Subject); err != nil {
				t.Fatal(err)
			}
		},
	} {
		g := inStore(t, "cookie", nil)
		g.login("/app", nil)
		end(g)
		before := g.l.revocations.Index().Generation()
		if got := body(t, g.do(navigate(t, "/oauth2/logout"))); !strings.Contains(got, "You are logged out.") {
			t.Errorf("%s: the page says %q", what, got)
		}
		if g.l.revocations.Index().Generation() != before || g.provider.Hits(oidctest.Revocation) != 0 {
			t.Errorf("%s: it was ended again", what)
		}
	}
}

// Front-channel logouts, too, act once.
func TestFrontchannelLogoutActsOnce(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.provider.Set(func(b *oidctest.Behavior) { b.SessionIDs = true })
	g.login("/app", nil)
	target := "/oauth2/frontchannel-logout?iss=" + g.provider.Issuer() + "&sid=" + g.sid()
	jar := g.swap(nil)
	before := g.l.revocations.Index().Generation()
	show(t, 20, target, jar, g.l)
	if got := g.l.revocations.Index().Generation() - before; got != 1 || g.l.counters.providerLogouts.Load() == 0 {
		t.Errorf("%d revocations", got)
	}
	eventually(t, "the refresh token to go back", func() bool { return len(g.l.ends.slots) == 0 })
	if got := g.provider.Hits(oidctest.Revocation); got != 1 {
		t.Errorf("%d calls to the provider", got)
	}
}

// Refresh tokens on their way back to a provider that hangs are bounded: the rest
// stays where it is, and is counted.
func TestReturnsAreBounded(t *testing.T) {
	g := refreshing(t, nil)
	_, release := g.provider.Hold(oidctest.Revocation)
	defer release()
	dropped := g.l.ends.dropped.Load()
	for i := 0; i < maxReturns+5; i++ {
		g.l.returnRefreshToken(&session{ID: "x", RefreshToken: "r"})
	}
	if got := len(g.l.ends.slots); got != maxReturns {
		t.Errorf("%d on their way, want %d", got, maxReturns)
	}
	if got := g.l.ends.dropped.Load() - dropped; got != 5 {
		t.Errorf("%d dropped, want 5", got)
	}
	release()
	eventually(t, "all to be there", func() bool { return len(g.l.ends.slots) == 0 })
}

// While the store is away anybody can make up ids of sessions: so many are revoked
// in a minute, and no more.
func TestUnreadLogoutsAreBounded(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.Store = "redis" })
	p.login("/app", nil)
	name := ""
	for cookie := range p.swap(nil) {
		name = cookie
	}
	p.stop()
	before := p.l.revocations.Index().Size()
	refused := 0
	for i := 0; i < maxUnread+20; i++ {
		p.swap(map[string]string{name: randomID(16)})
		if p.do(navigate(t, "/oauth2/logout")).StatusCode == http.StatusServiceUnavailable {
			refused++
		}
	}
	if got := p.l.revocations.Index().Size() - before; got > maxUnread || got < maxUnread/2 {
		t.Errorf("%d revocations of made-up sessions, want at most %d", got, maxUnread)
	}
	if refused < 20 {
		t.Errorf("%d were refused, want 20", refused)
	}
	e := newEnds()
	for i, c := range []struct {
		at   int64
		want bool
	}{{60, true}, {61, false}, {119, false}, {120, true}} {
		if i > 0 {
			e.taken = maxUnread
		}
		if got := e.unread(time.Unix(c.at, 0)); got != c.want {
			t.Errorf("at %d: %v, want %v", c.at, got, c.want)
		}
	}
}

// The way back from the provider says what is so: with a session in the browser,
// or a state of nobody's, nothing was ended.
func TestWhatTheLogoutPageSays(t *testing.T) {
	g := newRig(t, nil)
	state, err := g.l.sealLogoutState("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ target, want string }{
		{"/oauth2/logout", "You are logged out."},
		{"/oauth2/logout?state=" + state, "You are logged out."},
		{"/oauth2/logout?state=x", "Nothing was ended"},
	} {
		if got := body(t, g.do(navigate(t, c.target))); !strings.Contains(got, c.want) || strings.Contains(got, "has ended") {
			t.Errorf("%s: %s", c.target, got)
		}
	}
	g.login("/app", nil)
	if got := body(t, g.do(navigate(t, "/oauth2/logout?state="+state))); !strings.Contains(got, "Nothing was ended") {
		t.Errorf("with a session: %s", got)
	}
	g.expectStatus("the session", g.do(fetch(t, "/app")), http.StatusOK)
}
