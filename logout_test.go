package latchkey

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLogout(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", map[string]interface{}{"large": noise(6000)})
	cookies := g.withJar(fetch(t, "/app")).Header.Get("Cookie")
	u, err := url.Parse(location(t, g.do(navigate(t, "/oauth2/logout?return_to=/bye"))))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(u.String(), g.provider.Issuer()+"/logout?") {
		t.Errorf("the browser was sent to %s", u)
	}
	q := u.Query()
	if q.Get("id_token_hint") == "" || q.Get("post_logout_redirect_uri") != "https://app.example.com/oauth2/logout" {
		t.Errorf("got %v", q)
	}
	if len(g.jar) != 0 {
		t.Errorf("%d cookies are left", len(g.jar))
	}
	g.expectStatus("afterwards", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	// The provider sends the browser back, which is a request from its site.
	back := navigate(t, "/oauth2/logout?state="+url.QueryEscape(q.Get("state")))
	back.Header.Set("Sec-Fetch-Site", "cross-site")
	if to := location(t, g.do(back)); to != "/bye" {
		t.Errorf("the logout ended at %q", to)
	}
	if cookies == "" {
		t.Fatal("there was no session")
	}
}

func TestLogoutWithProviderDown(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.provider.Down(true)
	g.clock.advance(time.Minute)
	response := g.do(navigate(t, "/oauth2/logout"))
	if text := body(t, response); response.StatusCode != 200 || !strings.Contains(text, "Your session has ended") {
		t.Errorf("got %d %s", response.StatusCode, text)
	}
	g.expectStatus("afterwards", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

func TestLogoutIsNotForOtherSites(t *testing.T) {
	for name, c := range map[string]struct {
		method  string
		headers map[string]string
		ends    bool
	}{
		"a link here":                {"GET", map[string]string{"Sec-Fetch-Site": "same-origin"}, true},
		"typed in":                   {"GET", map[string]string{"Sec-Fetch-Site": "none"}, true},
		"a form here":                {"POST", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://app.example.com"}, true},
		"a neighbour's form":         {"POST", map[string]string{"Sec-Fetch-Site": "same-site"}, true},
		"another site's form":        {"POST", map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		"another site's image":       {"GET", map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		"another origin, old client": {"POST", map[string]string{"Origin": "https://evil.test"}, false},
		"a null origin":              {"POST", map[string]string{"Origin": "null"}, false},
		"this origin, old client":    {"POST", map[string]string{"Origin": "https://app.example.com"}, true},
	} {
		g := newRig(t, nil)
		g.login("/app", nil)
		r := request(t, c.method, "/oauth2/logout")
		r.Header.Set("X-Forwarded-Proto", "https")
		for header, value := range c.headers {
			r.Header.Set(header, value)
		}
		response := g.do(r)
		if ended := len(g.jar) == 0; ended != c.ends {
			t.Errorf("%s: ended the session: %v, want %v", name, ended, c.ends)
		}
		if !c.ends && response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got status %d, want 403", name, response.StatusCode)
		}
	}
}

// The state that comes back decides only where to go, and only if it is ours.
func TestLogoutState(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	for _, state := range []string{"x", "https://evil.test/", strings.Repeat("A", 100)} {
		response := g.do(navigate(t, "/oauth2/logout?state="+url.QueryEscape(state)))
		if response.StatusCode != 200 {
			t.Errorf("%q led to %s", state, response.Header.Get("Location"))
		}
	}
	if len(g.jar) != 1 {
		t.Error("a state alone ended the session")
	}
}

func TestLogoutWithoutSession(t *testing.T) {
	g := newRig(t, nil)
	if to := location(t, g.do(navigate(t, "/oauth2/logout?return_to=/bye"))); to != "/bye" {
		t.Errorf("ended at %q", to)
	}
	if to := location(t, g.do(navigate(t, "/oauth2/logout?return_to=//evil.test"))); to != "/" {
		t.Errorf("ended at %q", to)
	}
}
