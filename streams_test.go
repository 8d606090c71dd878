package latchkey

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// asStream makes a request one that goes on.
func asStream(r *http.Request, kind string) *http.Request {
	if kind == "Upgrade" {
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		return r
	}
	r.Header["Accept"] = strings.Split(kind, "\n")
	return r
}

var streamKinds = []string{"Upgrade", "text/event-stream", "text/event-stream, */*", "Text/Event-Stream", "application/json\nTEXT/EVENT-STREAM;q=0.5"}

// start sends a request whose upstream answers until its context ends, and
// returns once it is there.
func (g *rig) start(l *Latchkey, r *http.Request) (ended <-chan struct{}, leave func()) {
	g.t.Helper()
	ctx, leave := context.WithCancel(r.Context())
	g.t.Cleanup(leave)
	arrived := make(chan struct{})
	done := make(chan struct{})
	next := l.next
	l.next = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	go func() {
		l.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
		close(done)
	}()
	take(g.t, "the upstream to see the stream", arrived)
	l.next = next
	return done, leave
}

// goesOn fails if the stream has ended.
func goesOn(t *testing.T, what string, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
		t.Errorf("%s: ended", what)
	default:
	}
}

// Whatever kind of stream it is, and also on a warm request, it ends with the
// session that let it in, and no other does.
func TestStreamsEndWithTheirSession(t *testing.T) {
	for _, kind := range streamKinds {
		g := newRig(t, nil)
		g.login("/app", nil)
		mine := g.swap(nil)
		g.login("/app", map[string]interface{}{"sub": "bob"})
		others, _ := g.start(g.l, asStream(g.withJar(fetch(t, "/app")), kind))
		g.swap(mine)
		g.expectStatus(kind+": a request before", g.do(fetch(t, "/app")), http.StatusOK)
		g.expectStatus(kind+": a warm one", g.do(fetch(t, "/app")), http.StatusOK)
		ended, _ := g.start(g.l, asStream(g.withJar(fetch(t, "/app")), kind))
		if open, _ := g.l.streams.count(); open != 2 {
			t.Errorf("%s: %d streams are registered, want 2", kind, open)
		}
		g.do(navigate(t, "/oauth2/logout"))
		take(t, kind+": the stream to end", ended)
		goesOn(t, kind+": somebody else's", others)
		if open, revoked := g.l.streams.count(); open != 1 || revoked != 1 {
			t.Errorf("%s: %d streams open, %d revoked, want 1 and 1", kind, open, revoked)
		}
	}
}

func TestStreamsEndWithTheirUser(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	session, _ := g.start(g.l, asStream(g.withJar(fetch(t, "/app")), "Upgrade"))
	token, _ := g.start(g.l, asStream(bearer(t, "/app", g.provider.AccessToken(nil)), "Upgrade"))
	foreign, _ := g.start(g.l, asStream(bearer(t, "/app", g.provider.AccessToken(map[string]interface{}{"sub": "bob"})), "Upgrade"))
	g.clock.advance(time.Second)
	g.revokedBy(g.l, revocation.User(g.provider.Issuer(), oidctest.Subject))
	take(t, "the session's stream to end", session)
	take(t, "the token's stream to end", token)
	goesOn(t, "another user's", foreign)
}

func TestStreamsEndOnTheOtherReplica(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	ended, _ := p.start(p.other, asStream(p.withJar(fetch(t, "/app")), "Upgrade"))
	p.do(navigate(t, "/oauth2/logout"))
	take(t, "the stream to end", ended)
}

// A stream does not outlive its session or its token by the clock of the system.
func TestStreamsEndByThemselves(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Session.Lifetime = "1h" })
	g.login("/app", nil)
	token := g.provider.AccessToken(map[string]interface{}{"exp": g.clock.now().Unix() + 3600})
	g.clock.advance(time.Hour - time.Second)
	session, _ := g.start(g.l, asStream(g.withJar(fetch(t, "/app")), "Upgrade"))
	bearers, _ := g.start(g.l, asStream(bearer(t, "/app", token), "Upgrade"))
	take(t, "the session's stream to end", session)
	take(t, "the token's stream to end", bearers)
}

// A revocation that comes while the stream is being let in has not found it.
func TestStreamThatBeginsDuringARevocation(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	r := asStream(g.withJar(fetch(t, "/app")), "Upgrade")
	v, err := g.l.authenticate(httptest.NewRecorder(), r)
	if err != nil {
		t.Fatal(err)
	}
	view, err := g.l.authorize(v)
	if err != nil {
		t.Fatal(err)
	}
	g.do(navigate(t, "/oauth2/logout"))
	g.upstream = nil
	recorder := httptest.NewRecorder()
	g.l.forwardStream(recorder, r, v, view)
	g.expectStatus("a stream that came too late", recorder.Result(), http.StatusUnauthorized)
}

// Nothing is kept of requests that end, or of streams that did.
func TestOrdinaryRequestsAreNotRegistered(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	registered := false
	g.l.next = http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) {
		open, _ := g.l.streams.count()
		registered = open != 0
	})
	g.do(fetch(t, "/app"))
	if registered {
		t.Error("an ordinary request is registered")
	}
	ended, leave := g.start(g.l, asStream(g.withJar(fetch(t, "/app")), "Upgrade"))
	leave()
	take(t, "the stream to end", ended)
	if len(g.l.streams.open) != 0 {
		t.Errorf("%d keys are left of a stream that ended", len(g.l.streams.open))
	}
}

// With the last middleware that would hear of a revocation, all streams end.
func TestStreamsEndWithTheirMiddleware(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	ended, _ := g.start(g.l, asStream(g.withJar(fetch(t, "/app")), "Upgrade"))
	g.l.streams.endAll()
	take(t, "the stream to end", ended)
}
