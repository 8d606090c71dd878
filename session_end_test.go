package latchkey

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// A cookie's Max-Age is when the session ends, to the second: the browser and this
// side agree. In its last second the session is good, and in the one that it ends
// at it is not, in whatever store, remembered or not.
func TestLastSecondOfASession(t *testing.T) {
	for _, store := range []string{"cookie", "memory"} {
		for _, tokens := range []int{0, 20000} {
			g := newRig(t, func(c *Config) {
				c.Session.Store = store
				c.Session.Lifetime = "1000"
				c.Cache.Tokens = tokens
			})
			response := g.do(navigate(t, g.begin("/app", nil)))
			if ages := ages(response, g.l.set.cookie.Name); ages != "1000" {
				t.Errorf("%s: Max-Age is %s, want 1000", store, ages)
			}
			g.expectStatus(store+": new", g.do(fetch(t, "/app")), http.StatusOK)
			g.clock.advance(999 * time.Second)
			g.expectStatus(store+": in its last second", g.do(fetch(t, "/app")), http.StatusOK)
			g.clock.advance(time.Second)
			g.expectStatus(store+": at its end", g.do(fetch(t, "/app")), http.StatusUnauthorized)
		}
	}
}

// The same for the idle time-out, whose cookie is renewed in between.
func TestLastSecondOfAnIdleSession(t *testing.T) {
	for _, tokens := range []int{0, 20000} {
		g := newRig(t, func(c *Config) {
			c.Session.IdleTimeout = "100"
			c.Cache.Tokens = tokens
		})
		response := g.do(navigate(t, g.begin("/app", nil)))
		if ages := ages(response, g.l.set.cookie.Name); ages != "100" {
			t.Errorf("Max-Age is %s, want 100", ages)
		}
		g.clock.advance(99 * time.Second)
		response = g.do(fetch(t, "/app"))
		g.expectStatus("in its last second", response, http.StatusOK)
		if ages := ages(response, g.l.set.cookie.Name); ages != "100" {
			t.Errorf("renewed, Max-Age is %s, want 100", ages)
		}
		g.clock.advance(100 * time.Second)
		g.expectStatus("at its end", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	}
}

// A login may take ten minutes, and not a second more.
func TestLastSecondOfALogin(t *testing.T) {
	for seconds, want := range map[time.Duration]int{599: http.StatusFound, 600: http.StatusBadRequest} {
		g := newRig(t, nil)
		response := g.do(navigate(t, "/app"))
		if ages := ages(response, "-flow-"); ages != "600" {
			t.Errorf("the flow's Max-Age is %s, want 600", ages)
		}
		callback := pathOf(t, g.provider.Authorize(t, location(t, response), nil))
		g.clock.advance(seconds * time.Second)
		if got := g.do(navigate(t, callback)).StatusCode; got != want {
			t.Errorf("after %d seconds: got status %d, want %d", int(seconds), got, want)
		}
	}
}

// ages are the Max-Age of the cookies whose name has this part, as they are
// written, 0 and less left out.
func ages(response *http.Response, part string) string {
	var list []string
	for _, line := range response.Header["Set-Cookie"] {
		name, _, _ := strings.Cut(line, "=")
		_, age, found := strings.Cut(line, "Max-Age=")
		age, _, _ = strings.Cut(age, ";")
		if strings.Contains(name, part) && found && age != "0" {
			list = append(list, age)
		}
	}
	return strings.Join(list, " ")
}

// While a refresh fails and the access token is good, it is tried again two
// seconds later, and not at each request.
func TestFailedRefreshIsTriedAgain(t *testing.T) {
	g := refreshing(t, nil)
	g.login("/app", nil)
	asked := g.provider.Hits(oidctest.Token)
	g.clock.advance(240 * time.Second)
	g.provider.Down(true)
	tries := func(when string, want int) {
		t.Helper()
		g.expectStatus(when, g.do(fetch(t, "/app")), http.StatusOK)
		if n := g.provider.Hits(oidctest.Token) - asked; n != want {
			t.Errorf("%s: %d tries, want %d", when, n, want)
		}
	}
	tries("due", 1)
	tries("at once", 1)
	g.clock.advance(time.Second)
	tries("a second later", 1)
	g.clock.advance(time.Second)
	tries("two seconds later", 2)
	g.provider.Down(false)
	g.clock.advance(3 * time.Second)
	tries("well again", 3)
	if g.provider.Grants() != 1 {
		t.Errorf("%d grants, want 1", g.provider.Grants())
	}
}
