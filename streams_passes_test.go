package latchkey

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// A stream is registered also when its headers are known by now, and its
// session has passes.
func TestStreamsGoByNoPass(t *testing.T) {
	for _, kind := range streamKinds {
		g := warm(t, nil)
		stream := func() *http.Request {
			r := asStream(g.withJar(fetch(t, "/app")), kind)
			r.Header.Del("Connection") // which no pass knows
			return r
		}
		first, leave := g.start(g.l, stream())
		leave()
		take(t, kind+": the stream to end", first)
		g.jar["theme"] = "dark"
		for i := 0; i < 2; i++ { // passes that were made since
			g.expectStatus(kind+": a request after it", g.do(fetch(t, "/app")), http.StatusOK)
		}
		g.start(g.l, stream())
		if open, _ := g.l.streams.count(); open != 1 {
			t.Errorf("%s: %d streams are registered, want 1", kind, open)
		}
	}
}

// What was revoked before a login, and is told late, ends nothing of it.
func TestStreamsOfALaterLogin(t *testing.T) {
	g := newRig(t, nil)
	g.clock.advance(time.Minute)
	g.login("/app", nil)
	ended, _ := g.start(g.l, asStream(g.withJar(fetch(t, "/app")), "Upgrade"))
	now := g.clock.now()
	err := g.l.revocations.Revoke(context.Background(), []revocation.Entry{{
		Key: revocation.User(g.provider.Issuer(), oidctest.Subject), At: now.Add(-time.Second).UnixMilli(), Until: now.Add(time.Hour).Unix(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	goesOn(t, "a later login's", ended)
	if open, revoked := g.l.streams.count(); open != 1 || revoked != 0 {
		t.Errorf("%d streams open, %d revoked, want 1 and 0", open, revoked)
	}
	g.expectStatus("its session", g.do(fetch(t, "/app")), http.StatusOK)
}
