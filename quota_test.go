package latchkey

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// spend leaves the user with nothing that they may be given today.
func (g *rig) spend(user string) {
	g.t.Helper()
	for i := 0; g.l.quota.take(g.l.userName(user), g.clock.now()); i++ {
		if i > maxGiven {
			g.t.Fatal("the quota has no end")
		}
	}
}

// What a user can be given in a day is bounded, and with it what they can put into
// the revocation log. What they have goes on, and can be ended.
func TestWhatAUserIsGiven(t *testing.T) {
	g := newRig(t, func(c *Config) { c.APITokens.File = t.TempDir() + "/tokens.json" })
	g.login("/app", map[string]interface{}{"sub": "alice"})
	var made credentialDocument
	g.document(g.call("POST", "/oauth2/api/tokens", `{"note":"ci"}`), http.StatusCreated, &made)
	g.spend("alice")

	for _, path := range []string{"/oauth2/api/tokens", "/oauth2/api/tokens/" + made.Token.ID + "/rotate"} {
		response := g.call("POST", path, `{}`)
		g.expectStatus(path, response, http.StatusTooManyRequests)
		if text := body(t, response); !strings.Contains(text, "too_often") || response.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %q, Retry-After %q", path, text, response.Header.Get("Retry-After"))
		}
	}
	jar := g.swap(nil) // another browser
	response := g.do(navigate(t, g.begin("/app", map[string]interface{}{"sub": "alice"})))
	g.expectStatus("a login", response, http.StatusTooManyRequests)
	if page := body(t, response); !strings.Contains(page, "tomorrow") || !strings.Contains(page, `href="/app"`) {
		t.Errorf("the page has no way on: %s", page)
	}
	other := g.swap(jar)
	g.expectStatus("the session there was", g.do(navigate(t, "/app")), http.StatusOK)
	g.expectStatus("a revocation", g.call("DELETE", "/oauth2/api/tokens/"+made.Token.ID, ""), http.StatusNoContent)

	g.swap(other)
	if got := g.login("/app", map[string]interface{}{"sub": "bob"}); got != "/app" {
		t.Errorf("somebody else's login ends at %q", got)
	}
	g.swap(nil)
	g.clock.advance(24 * time.Hour)
	if got := g.login("/app", map[string]interface{}{"sub": "alice"}); got != "/app" {
		t.Errorf("the next day's login ends at %q", got)
	}
}

// The memory for it is bounded, too.
func TestQuotaIsBounded(t *testing.T) {
	q := newQuota()
	at := time.Unix(1700000000, 0)
	for i := 0; i < quotaUsers; i++ {
		q.given[strconv.Itoa(i)] = maxGiven
	}
	q.day = at.Unix() / secondsOfDay
	if !q.take("one more", at) || len(q.given) != 1 {
		t.Errorf("%d users are counted, want 1", len(q.given))
	}
}
