package latchkey

import (
	"net/http/httptest"
	"testing"
	"time"
)

// The path that was asked for is a return target like any other.
func TestRequestedPathIsNoWayOut(t *testing.T) {
	for target, want := range map[string]string{
		"//evil.test/x": "/", "/%2fevil.test": "/", "/%5cevil.test": "/", "/a%0d%0ab": "/", "/deep?x=1": "/deep?x=1", "http://evil.test/x?y": "/x?y",
	} {
		g := newRig(t, nil)
		if to := g.login(target, nil); to != want {
			t.Errorf("%s: the login ended at %q, want %q", target, to, want)
		}
	}
}

// Back to another host than the callback's only where the session's cookie is
// sent to it.
func TestHomeOrigin(t *testing.T) {
	for _, c := range []struct{ domain, host, want string }{
		{"example.com", "app.example.com", "https://app.example.com"},
		{"example.com", "APP.example.com", "https://APP.example.com"},
		{"example.com", "app.example.com:8443", "https://app.example.com:8443"},
		{"example.com", "login.example.com", ""},
		{"example.com", "evil.test", ""},
		{"example.com", "evilexample.com", ""},
		{"example.com", "example.com.evil.test", ""},
		{"", "app.example.com", ""},
		{"", "evil.test", ""},
		{"", "evil.test.", ""},
	} {
		g := newRig(t, func(config *Config) {
			config.RedirectURL = "https://login.example.com"
			config.Session.Cookie.Domain = c.domain
		})
		r := navigate(t, "/x")
		r.Host = c.host
		if got := g.l.homeOrigin(r); got != c.want {
			t.Errorf("%q, cookies of %q: got %q, want %q", c.host, c.domain, got, c.want)
		}
	}
}

func TestLogoutStateEnds(t *testing.T) {
	g := newRig(t, nil)
	state, err := g.l.sealLogoutState("/bye")
	if err != nil {
		t.Fatal(err)
	}
	finish := func() string {
		w := httptest.NewRecorder()
		g.l.finishLogout(w, request(t, "GET", "/oauth2/logout"), state)
		return w.Header().Get("Location")
	}
	g.clock.advance(flowLifetime - time.Second)
	if to := finish(); to != "/bye" {
		t.Errorf("in time it ended at %q", to)
	}
	g.clock.advance(2 * time.Second)
	if to := finish(); to != "" {
		t.Errorf("after its time it ended at %q", to)
	}
}

// Browsers take dot segments out before they ask: what leads back to an endpoint
// that way would go round in circles too.
func TestReturnTargetWithDotSegments(t *testing.T) {
	for target, want := range map[string]string{
		"/./oauth2/login": "/", "/x/../oauth2/logout": "/", "/x/%2e%2e/oauth2/login": "/", "/oauth2/../oauth2": "/", "/x/..//oauth2/login": "/",
		"/oauth2/../app": "/oauth2/../app", "/x/../app": "/x/../app",
	} {
		if got := returnTarget(target, "/oauth2"); got != want {
			t.Errorf("%q: got %q, want %q", target, got, want)
		}
	}
}

// HTTP/2 lets a client write anything for an authority.
func TestHomeOriginOfForgedHost(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.RedirectURL = "https://login.example.com"
		c.Session.Cookie.Domain = "example.com"
	})
	for _, host := range []string{"app.example.com:80@evil.test", "app.example.com:/@evil.test", "app.example.com:\\evil.test", "app.example.com:?x", "app.example.com:#x"} {
		r := navigate(t, "/x")
		r.Host = host
		if got := g.l.homeOrigin(r); got != "" {
			t.Errorf("%q: got %q", host, got)
		}
	}
}
