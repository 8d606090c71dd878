package latchkey

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// writeWhole replaces a file as an editor does.
func writeWhole(path, content string) error {
	if err := os.WriteFile(path+".edited", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".edited", path)
}

// What is read of a call is bounded, however little of it means anything.
func TestAPIBodyIsBounded(t *testing.T) {
	g := tokenRig(t, nil)
	g.login("/app", nil)
	for spaces, want := range map[int]int{1000: http.StatusCreated, maxAPIBody: http.StatusBadRequest} {
		if got := g.call("POST", "/oauth2/api/tokens", "{}"+strings.Repeat(" ", spaces)); got.StatusCode != want {
			t.Errorf("%d spaces: status %d, want %d", spaces, got.StatusCode, want)
		}
	}
}

// A call is about one user, and its answers are for no other site.
func TestAPIAnswers(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Admin = "Equals(`sub`, `alice`)" })
	g.login("/app", nil)
	for query, want := range map[string]int{"": 200, "?user=bob": 200, "?user=alice&user=bob": 400, "?user=&user=": 400, "?user=": 400} {
		if got := g.call("GET", "/oauth2/api/tokens"+query, ""); got.StatusCode != want {
			t.Errorf("%q: status %d, want %d", query, got.StatusCode, want)
		}
	}
	response := g.call("GET", "/oauth2/api/tokens", "")
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": "",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// Causes stay in the log, unless they say what the client is to mend.
	text := body(t, g.call("DELETE", "/oauth2/api/tokens/0123456789abcdef", ""))
	if strings.Contains(text, "0123456789abcdef") || !strings.Contains(text, "There is no such thing here.") {
		t.Errorf("the answer has a cause: %s", text)
	}
}

// The rule of administrators is asked of each caller.
func TestAdminRule(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Admin = "Equals(`sub`, `root`)" })
	for subject, want := range map[string]int{"root": http.StatusOK, "alice": http.StatusForbidden} {
		g.swap(nil)
		g.login("/app", map[string]interface{}{"sub": subject})
		if got := g.call("GET", "/oauth2/api/tokens?user=bob", ""); got.StatusCode != want {
			t.Errorf("%s: status %d, want %d", subject, got.StatusCode, want)
		}
		// Named or not, it is the caller's own.
		if got := g.call("GET", "/oauth2/api/sessions?user=bob", ""); got.StatusCode != want {
			t.Errorf("%s: status %d, want %d", subject, got.StatusCode, want)
		}
	}
}

// One sees one's own tokens alone, on the page and in the API.
func TestTokensOfOthersAreNotListed(t *testing.T) {
	g := tokenRig(t, nil)
	g.give(func(n *NewToken) { n.Owner = "bob"; n.Note = "bob's secret project" })
	g.login("/app", nil)
	if text := body(t, g.call("GET", "/oauth2/api/tokens", "")); strings.Contains(text, "bob") {
		t.Errorf("the API lists %s", text)
	}
	if page, _ := g.visit(); strings.Contains(page, "bob") {
		t.Errorf("the page shows %s", page)
	}
}

// Whoever asks for no end gets the latest that may be; a token that has expired
// gets no new secret.
func TestTokenLifetimes(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.APITokens.MaxLifetime = "720h" })
	g.login("/app", nil)
	latest := g.clock.now().Add(720 * time.Hour).Unix()
	var made credentialDocument
	g.document(g.call("POST", "/oauth2/api/tokens", `{}`), http.StatusCreated, &made)
	if made.Token.Expires != latest {
		t.Errorf("without an end: expires %d, want %d", made.Token.Expires, latest)
	}
	id, _ := g.give(func(n *NewToken) { n.Expires = g.clock.now().Add(time.Minute) })
	g.clock.advance(time.Minute)
	if got := g.call("POST", "/oauth2/api/tokens/"+id+"/rotate", ""); got.StatusCode != http.StatusBadRequest {
		t.Errorf("rotate one that has expired: status %d", got.StatusCode)
	}
	if _, credential, err := g.l.rotateToken(context.Background(), "", made.Token.ID, -time.Second); err == nil || credential != "" {
		t.Error("a grace below zero")
	}
}

// A life in days is one that the form offers, or less than a century.
func TestAccountDays(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.APITokens.MaxLifetime = "0" })
	g.login("/app", nil)
	for days, want := range map[string]int{"-1": 400, "": 400, "x": 400, "36501": 400, "36500": 200, "0": 200, "7": 200} {
		page, _ := g.visit()
		if got := g.do(form(t, page, "do", "create", "days", days)).StatusCode; got != want {
			t.Errorf("%q days: status %d, want %d", days, got, want)
		}
	}
}

// What a form asks for stands in its body: an address asks for nothing.
func TestFormByItsAddress(t *testing.T) {
	g := tokenRig(t, nil)
	g.login("/app", nil)
	page, _ := g.visit()
	r := form(t, page)
	r.URL.RawQuery = "do=end-others"
	if got := g.do(r).StatusCode; got != http.StatusBadRequest {
		t.Errorf("status %d", got)
	}
}

// What is read of a form is bounded, also where nothing is made of it.
func TestFormIsBounded(t *testing.T) {
	g := tokenRig(t, nil)
	g.login("/app", nil)
	for size, want := range map[int]int{1000: http.StatusOK, maxForm: http.StatusBadRequest} {
		page, _ := g.visit()
		if got := g.do(form(t, page, "do", "create", "days", "30", "more", strings.Repeat("m", size))).StatusCode; got != want {
			t.Errorf("%d bytes: status %d, want %d", size, got, want)
		}
	}
}

// After a login the account page alone is where basePath may lead.
func TestReturnToTheAccountPage(t *testing.T) {
	for target, want := range map[string]string{
		"/oauth2/account": "/oauth2/account", "/oauth2/account?done=x": "/oauth2/account?done=x",
		"/oauth2/accounts": "/", "/oauth2/account/x": "/", "/oauth2/account/../logout": "/", "/oauth2/api/tokens": "/",
		"/oauth2/account%2f..%2flogout": "/",
	} {
		if got := returnTarget(target, "/oauth2"); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}

// What is kept to recognise a session by is bounded, and an address is one.
func TestSessionDescription(t *testing.T) {
	g := newRig(t, nil)
	callback := navigate(t, g.begin("/app", nil))
	callback.Header.Set("User-Agent", strings.Repeat("a", 5000))
	callback.Header.Set("X-Real-Ip", "<b>nowhere</b>")
	callback.RemoteAddr = "192.0.2.7:1234"
	location(t, g.do(callback))
	var list lists
	g.document(g.call("GET", "/oauth2/api/sessions", ""), http.StatusOK, &list)
	if len(list.Sessions) != 1 || len(list.Sessions[0].Agent) != maxAgent || list.Sessions[0].Address != "192.0.2.7" {
		t.Errorf("listed %+v", list.Sessions)
	}
}

// A session that was revoked in whatever way is not in the list.
func TestRevokedSessionsAreNotListed(t *testing.T) {
	for what, key := range map[string]func(g *rig, id string) revocation.Key{
		"by its id":   func(_ *rig, id string) revocation.Key { return revocation.Session(id) },
		"by its sid":  func(g *rig, _ string) revocation.Key { return revocation.ProviderSession(g.l.set.issuer, "first") },
		"by its user": func(g *rig, _ string) revocation.Key { return revocation.User(g.l.set.issuer, "alice") },
	} {
		g := newRig(t, nil)
		g.login("/app", map[string]interface{}{"sid": "first"})
		list, err := g.l.listSessions(context.Background(), "alice")
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %d sessions, %v", what, len(list), err)
		}
		g.revokedBy(g.l, key(g, list[0].ID))
		g.clock.advance(time.Second)
		g.login("/app", map[string]interface{}{"sid": "second"})
		list, err = g.l.listSessions(context.Background(), "alice")
		if err != nil || len(list) != 1 || list[0].Since != g.clock.now().Unix() {
			t.Errorf("%s: listed %+v, %v", what, list, err)
		}
	}
}

// Both lists of a user's sessions pass over those that are over, and have nobody
// else's.
func TestListOfUserSessions(t *testing.T) {
	p := newPair(t, nil)
	g := newRig(t, nil)
	for name, users := range map[string]userSessions{"redis": p.l.users, "memory": g.l.users} {
		ctx := context.Background()
		now := time.Now().UnixMilli()
		for i, id := range []string{"a", "b"} {
			if _, err := users.add(ctx, "u", id, now+int64(i+1)*1000000, now); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := users.add(ctx, "v", "x", now+3000000, now); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			at   int64
			want string
		}{{now, "ab"}, {now + 999999, "ab"}, {now + 1000000, "b"}, {now + 2000000, ""}} {
			list, err := users.list(ctx, "u", c.at)
			got := ""
			for _, e := range list {
				got += e.ID
			}
			if err != nil || got != c.want {
				t.Errorf("%s: after %d ms: %q, %v, want %q", name, c.at-now, got, err, c.want)
			}
		}
	}
}
