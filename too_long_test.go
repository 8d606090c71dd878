package latchkey

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// filler is longer than anything that is read.
var filler = strings.Repeat("a", maxCookies+1)

// What nobody sends is refused unread, wherever it may stand.
func TestWhatIsTooLongIsRefused(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/open/"} })
	host := navigate(t, "/app")
	host.Host = filler[:maxHost+1]
	name := g.l.set.cookie.Name
	for what, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"an endpoint's query":         {navigate(t, "/oauth2/login?"+filler[:maxAddress]), http.StatusBadRequest},
		"a logout's query":            {navigate(t, "/oauth2/logout?"+filler[:maxAddress]), http.StatusBadRequest},
		"an API's path":               {fetch(t, "/oauth2/api/"+filler[:maxAddress]), http.StatusUnauthorized},
		"a query that is read":        {navigate(t, "/oauth2/login?"+filler[:maxAddress-len("/oauth2/login")]), http.StatusFound},
		"a public path":               {fetch(t, "/open/"+filler[:maxAddress]), http.StatusUnauthorized},
		"a public path that is read":  {fetch(t, "/open/"+filler[:maxAddress-len("/open/")]), http.StatusOK},
		"a public path's query":       {fetch(t, "/open/?"+filler), http.StatusOK},
		"a host, at a login":          {host, http.StatusBadRequest},
		"an Accept that is no page's": {sent(navigate(t, "/app"), "Accept", "text/html,"+filler), http.StatusUnauthorized},
		"a logout's cookies":          {sent(navigate(t, "/oauth2/logout"), "Cookie", "a="+filler), http.StatusRequestHeaderFieldsTooLarge},
		"a logout's cookies of ours":  {sent(navigate(t, "/oauth2/logout"), "Cookie", strings.Repeat(name+"-1=8x;", maxMentions+1)), http.StatusRequestHeaderFieldsTooLarge},
		"a logout's way back":         {sent(navigate(t, "/oauth2/logout?state=x"), "Cookie", "a="+filler), http.StatusRequestHeaderFieldsTooLarge},
	} {
		g.jar = map[string]string{}
		g.expectStatus(what, g.do(c.r), c.want)
	}
	if to := location(t, g.do(navigate(t, "/app?"+filler))); strings.Contains(to, filler) {
		t.Error("a login carries an address of any length")
	}
}

func sent(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

// A token that no check would pass is refused before anything is made of it.
func TestTokensThatAreTooLong(t *testing.T) {
	g := tokenRig(t, nil)
	for what, header := range map[string][2]string{
		"a bearer token":        {"Authorization", "Bearer "},
		"an API token":          {"Authorization", "Bearer lk_"},
		"an API token, apart":   {"X-Api-Key", "lk_"},
		"a bearer token, again": {"Authorization", "bearer   "},
	} {
		before := g.l.counters.verifications.Load()
		long := sent(fetch(t, "/app"), header[0], header[1]+filler[:maxCredential+1])
		response := g.do(long)
		g.expectStatus(what, response, http.StatusUnauthorized)
		if got := g.l.counters.verifications.Load(); got != before {
			t.Errorf("%s: it was verified", what)
		}
		if !strings.Contains(response.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%s: it is not told of", what)
		}
		g.do(sent(fetch(t, "/app"), header[0], header[1]+filler[:maxCredential-len("lk_")]))
		if got := g.l.counters.verifications.Load(); got != before+1 {
			t.Errorf("%s: a shorter one was not verified", what)
		}
	}
}

// A logout that does not see the session says so, and leaves it.
func TestLogoutWithUnreadableCookies(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.jar["large"] = filler
	response := g.do(navigate(t, "/oauth2/logout"))
	if text := body(t, response); strings.Contains(text, "logged out") || len(response.Cookies()) != 0 {
		t.Errorf("the page says %q and sets %v", text, response.Cookies())
	}
	delete(g.jar, "large")
	g.expectStatus("the session", g.do(fetch(t, "/app")), http.StatusOK)
}

// Nobody is told that a token has been logged out, which goes on.
func TestTokensAreNotLoggedOut(t *testing.T) {
	g := tokenRig(t, nil)
	_, credential := g.give(nil)
	for what, token := range map[string]string{"an access token": g.accessToken(nil), "an API token": credential, "none": "x"} {
		r := bearer(t, "/oauth2/logout", token)
		r.Method = http.MethodPost
		response := g.do(r)
		g.expectStatus(what, response, http.StatusBadRequest)
		if text := body(t, response); !strings.Contains(text, "token is not logged out") {
			t.Errorf("%s: it says %s", what, text)
		}
	}
	g.login("/app", nil)
	g.do(sent(navigate(t, "/oauth2/logout?return_to="+url.QueryEscape("/bye")), "Authorization", "Bearer x"))
	if len(g.jar) != 0 {
		t.Error("a session beside a token is not logged out")
	}
}

// An Accept that is too long to be read may be a stream's: it ends with its session.
func TestStreamsBehindALongAccept(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.start(g.l, sent(g.withJar(fetch(t, "/app")), "Accept", "a/"+filler[:maxAccept]+", "+eventStream))
	if open, _ := g.l.streams.count(); open != 1 {
		t.Errorf("%d streams are registered, want 1", open)
	}
}

// What is learnt of one method and Accept says nothing of another of the same
// letters: else somebody would teach that streams are none.
func TestStreamsInTwoParts(t *testing.T) {
	for _, parts := range [][2]string{{"GETtext", "/event-stream"}, {"GETt", "ext/event-stream"}, {"GETTEXT", "/Event-Stream"}, {"GETtext", "/event-stream, a/b"}} {
		g := warm(t, nil)
		for i := 0; i < 3; i++ {
			r := sent(fetch(t, "/app"), "Accept", parts[1])
			r.Method = parts[0]
			g.expectStatus(parts[0], g.do(r), http.StatusOK)
		}
		accept := strings.TrimPrefix(parts[0]+parts[1], "GET")
		g.start(g.l, sent(g.withJar(fetch(t, "/app")), "Accept", accept))
		if open, _ := g.l.streams.count(); open != 1 {
			t.Errorf("%s %s: %d streams are registered, want 1", parts[0], parts[1], open)
		}
	}
}
