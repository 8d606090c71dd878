package latchkey

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// A revocation clears the passes, and what is still good gets its pass again
// without a verification.
func TestRevocationClearsPasses(t *testing.T) {
	g := warm(t, nil)
	jar := g.swap(g.jar)
	g.swap(nil)
	g.login("/app", map[string]interface{}{"sub": "bob"})
	g.expectStatus("bob, warming", g.do(fetch(t, "/app")), http.StatusOK)
	bob := g.swap(jar)
	g.do(navigate(t, "/oauth2/logout"))
	if n := len(g.l.byCookie.passes); n != 0 {
		t.Errorf("%d passes after a revocation", n)
	}
	before := g.verifications()
	g.swap(jar)
	g.expectStatus("the revoked session", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	g.swap(bob)
	g.expectStatus("bob", g.do(fetch(t, "/app")), http.StatusOK)
	if g.verifications() != before || len(g.l.byCookie.passes) != 1 {
		t.Errorf("bob was verified %d times more, and has %d passes", g.verifications()-before, len(g.l.byCookie.passes))
	}
}

// A bearer token of a revoked user is refused, also where it is warm; one that
// was issued afterwards is not.
func TestRevokedBearerTokens(t *testing.T) {
	g := newRig(t, nil)
	token := g.accessToken(nil)
	for i := 0; i < 2; i++ {
		g.expectStatus("before", g.do(bearer(t, "/app", token)), http.StatusOK)
	}
	foreign := g.accessToken(map[string]interface{}{"sub": "bob"})
	g.revokedBy(g.l, revocation.User(g.provider.Issuer(), "alice"))
	g.expectStatus("warm", g.do(bearer(t, "/app", token)), http.StatusUnauthorized)
	g.expectStatus("at first sight", g.do(bearer(t, "/app", g.accessToken(map[string]interface{}{"jti": "new"}))), http.StatusUnauthorized)
	g.expectStatus("another user", g.do(bearer(t, "/app", foreign)), http.StatusOK)
	g.clock.advance(time.Second)
	g.expectStatus("issued afterwards", g.do(bearer(t, "/app", g.accessToken(nil))), http.StatusOK)
}

// A verdict from before a revocation is not put after it, neither as a pass nor
// as a clean verdict: the steps of a request and of a revocation, interleaved.
//
//	request                     revocation
//	authenticate: clean
//	                            the index has it, the passes are cleared
//	remember: refused
//	the next: asked again
func TestVerdictFromBeforeARevocation(t *testing.T) {
	for name, key := range map[string]func(*rig, *verified) revocation.Key{
		"its session":      func(_ *rig, v *verified) revocation.Key { return v.keys[0] },
		"its user":         func(_ *rig, v *verified) revocation.Key { return v.keys[1] },
		"somebody else's":  func(_ *rig, _ *verified) revocation.Key { return revocation.Session("other") },
		"another provider": func(g *rig, _ *verified) revocation.Key { return revocation.User("https://other", "alice") },
	} {
		g := newRig(t, nil)
		g.login("/app", nil)
		r := g.withJar(fetch(t, "/app"))
		v, err := g.l.authenticate(httptest.NewRecorder(), r)
		if err != nil {
			t.Fatal(err)
		}
		view, err := g.l.authorize(v)
		if err != nil {
			t.Fatal(err)
		}
		what := key(g, v)
		g.revokedBy(g.l, what)
		g.l.remember(r, v, view)
		if n := len(g.l.byCookie.passes); n != 0 {
			t.Errorf("%s: %d passes of before the revocation", name, n)
		}
		want := http.StatusOK
		if what == v.keys[0] || what == v.keys[1] {
			want = http.StatusUnauthorized
		}
		g.expectStatus(name+": the next request", g.do(fetch(t, "/app")), want)
	}
}

// What is revoked while a credential is being verified counts: the generation is
// that of before.
func TestRevokedDuringVerification(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	r := g.withJar(fetch(t, "/app"))
	s, err := g.l.openSession(r.Context(), g.l.cookieValue(r))
	if err != nil {
		t.Fatal(err)
	}
	v, err := g.l.identify(s)
	if err != nil {
		t.Fatal(err)
	}
	generation := g.l.revocations.Index().Generation()
	g.revokedBy(g.l, revocation.Session("other"))
	if err := g.l.checkRevoked(r.Context(), v, generation); err != nil {
		t.Fatal(err)
	}
	if v.clean.Load() == g.l.revocations.Index().Generation() {
		t.Error("found clean at a generation that came after the look")
	}
	g.revokedBy(g.l, v.keys[0])
	if err := g.l.checkClean(r.Context(), v); err != errExpired {
		t.Errorf("got %v, want %v", err, errExpired)
	}
}

// The same, through the steps: a revocation comes while the session is being
// verified, between the look at the index and the verdict.
func TestRevokedDuringARefresh(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	jar := g.swap(g.jar)
	g.clock.advance(301 * time.Second)
	quiet(g.l)
	arrived, release := g.provider.Hold("/token")
	answers := statuses(t, g.l, 1, jar)
	take(t, "the grant", arrived)
	s, err := g.l.openSession(testContext(t), g.l.cookieValue(g.withJar(fetch(t, "/app"))))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.l.endSession(testContext(t), s); err != nil {
		t.Fatal(err)
	}
	release()
	<-answers // it was let in before
	g.swap(jar)
	g.expectStatus("the next request", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// A pass does not outlast the log: when nobody knows any more what was revoked,
// the passes go.
func TestPassesGoWithTheLog(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.Store = "cookie" })
	p.login("/app", nil)
	p.at(p.l, "warming", fetch(t, "/app"), http.StatusOK)
	if len(p.l.byCookie.passes) != 1 {
		t.Fatalf("%d passes", len(p.l.byCookie.passes))
	}
	p.stop()
	p.clock.advance(30 * time.Second)
	eventually(t, "503", func() bool { return p.do(fetch(t, "/app")).StatusCode == http.StatusServiceUnavailable })
}
