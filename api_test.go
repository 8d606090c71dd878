package latchkey

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// doAlone serves a request without the jar, and returns the status.
func (g *rig) doAlone(r *http.Request) int {
	recorder := httptest.NewRecorder()
	g.l.ServeHTTP(recorder, r)
	return recorder.Code
}

// call sends a request of the page's own script.
func (g *rig) call(method, path, body string) *http.Response {
	g.t.Helper()
	response := g.do(apiRequest(g.t, method, path, body))
	if g.upstream != nil {
		g.t.Errorf("%s %s reached the upstream", method, path)
	}
	return response
}

func apiRequest(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "app.example.com"
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("X-Forwarded-Proto", "https")
	if method == http.MethodPost || body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// document decodes an answer of that status.
func (g *rig) document(response *http.Response, status int, into interface{}) {
	g.t.Helper()
	text := body(g.t, response)
	if response.StatusCode != status {
		g.t.Fatalf("status %d, want %d: %s", response.StatusCode, status, text)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		g.t.Fatalf("%v: %s", err, text)
	}
}

// Lists are what the answers have.
type lists struct {
	Tokens   []TokenInfo
	Sessions []SessionInfo
	Scopes   []string
}

func withScopes(c *Config) {
	c.APITokens.Scopes = map[string]string{"read": "", "deploy": "OneOf(`groups`, `ops`)"}
	c.APITokens.MaxLifetime = "720h"
}

// A token's life through the API, by its owner.
func TestAPITokenLife(t *testing.T) {
	g := tokenRig(t, withScopes)
	g.login("/app", map[string]interface{}{"groups": []string{"ops"}})
	var made credentialDocument
	expires := strconv.FormatInt(g.clock.now().Add(time.Hour).Unix(), 10)
	g.document(g.call("POST", "/oauth2/api/tokens", `{"note":"ci","scopes":["deploy","read"],"expires":`+expires+`}`), http.StatusCreated, &made)
	g.expectStatus("the token", g.do(bearer(t, "/app", made.Credential)), http.StatusOK)
	var list lists
	g.document(g.call("GET", "/oauth2/api/tokens", ""), http.StatusOK, &list)
	if len(list.Tokens) != 1 || list.Tokens[0].ID != made.Token.ID || list.Tokens[0].Note != "ci" || list.Tokens[0].LastUsed == 0 ||
		strings.Join(list.Scopes, " ") != "deploy read" {
		t.Errorf("the list has %+v", list)
	}
	var rotated credentialDocument
	g.document(g.call("POST", "/oauth2/api/tokens/"+made.Token.ID+"/rotate", `{"grace":"1h"}`), http.StatusOK, &rotated)
	g.expectStatus("in its grace", g.do(bearer(t, "/app", made.Credential)), http.StatusOK)
	g.document(g.call("POST", "/oauth2/api/tokens/"+made.Token.ID+"/rotate", ""), http.StatusOK, &made)
	g.expectStatus("rotated again", g.do(bearer(t, "/app", rotated.Credential)), http.StatusUnauthorized)
	if got := g.call("DELETE", "/oauth2/api/tokens/"+made.Token.ID, ""); got.StatusCode != http.StatusNoContent {
		t.Errorf("revoke: status %d", got.StatusCode)
	}
	g.expectStatus("revoked", g.do(bearer(t, "/app", made.Credential)), http.StatusUnauthorized)
	if got := g.call("DELETE", "/oauth2/api/tokens/"+made.Token.ID, ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("revoke again: status %d", got.StatusCode)
	}
}

func TestAPIRefuses(t *testing.T) {
	g := tokenRig(t, withScopes)
	others, _ := g.give(func(n *NewToken) { n.Owner = "somebody else" })
	g.login("/app", map[string]interface{}{"groups": []string{"staff"}})
	late := strconv.FormatInt(g.clock.now().Add(721*time.Hour).Unix(), 10)
	for _, c := range []struct {
		what, method, path, body string
		want                     int
		reason                   string
	}{
		{"a scope that is not theirs", "POST", "tokens", `{"scopes":["deploy"]}`, 403, "scope_denied"},
		{"a scope that nobody has", "POST", "tokens", `{"scopes":["admin"]}`, 403, "scope_denied"},
		{"one beside a good one", "POST", "tokens", `{"scopes":["read","deploy"]}`, 403, "scope_denied"},
		{"for too long", "POST", "tokens", `{"expires":` + late + `}`, 400, "bad_request"},
		{"expired", "POST", "tokens", `{"expires":1}`, 400, "bad_request"},
		{"a misspelt member", "POST", "tokens", `{"expirs":1}`, 400, "bad_request"},
		{"no JSON", "POST", "tokens", `note=ci`, 400, "bad_request"},
		{"more than JSON", "POST", "tokens", `{}{}`, 400, "bad_request"},
		{"a long note", "POST", "tokens", `{"note":"` + strings.Repeat("n", 201) + `"}`, 400, "bad_request"},
		{"a long body", "POST", "tokens", `{"note":"` + strings.Repeat(" ", maxAPIBody) + `"}`, 400, "bad_request"},
		{"another's token, rotated", "POST", "tokens/" + others + "/rotate", ``, 404, "not_found"},
		{"another's token, revoked", "DELETE", "tokens/" + others, ``, 404, "not_found"},
		{"a grace that is none", "POST", "tokens/" + others + "/rotate", `{"grace":"soon"}`, 400, "bad_request"},
		{"a grace too long", "POST", "tokens/" + others + "/rotate", `{"grace":"169h"}`, 400, "bad_request"},
		{"another's session", "DELETE", "sessions/unknown", ``, 404, "not_found"},
		{"another's tokens", "GET", "tokens?user=alice", ``, 403, "admin_required"},
		{"oneself, by name", "GET", "tokens?user=", ``, 400, "bad_request"},
		{"somebody, ended", "DELETE", "user?user=alice", ``, 403, "admin_required"},
		{"nobody, ended", "DELETE", "user", ``, 400, "bad_request"},
		{"an unknown path", "GET", "nothing", ``, 404, "not_found"},
		{"a longer path", "GET", "tokens/x/y/z", ``, 404, "not_found"},
		{"another method", "PUT", "tokens", ``, 404, "not_found"},
	} {
		response := g.call(c.method, "/oauth2/api/"+c.path, c.body)
		var p problem
		g.document(response, c.want, &p)
		if p.Reason != c.reason || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: reason %q, %s", c.what, p.Reason, response.Header.Get("Content-Type"))
		}
	}
	list, err := g.l.listTokens(context.Background(), "")
	if err != nil || len(list) != 1 {
		t.Errorf("%d tokens, %v, want the other's", len(list), err)
	}
}

// The API is for people who have logged in, and for pages of the same origin.
func TestAPIIsNotForOthers(t *testing.T) {
	g := tokenRig(t, func(c *Config) {
		c.Bearer.Issuers = []IssuerConfig{{Issuer: c.Provider.Issuer}}
	})
	_, credential := g.give(nil)
	g.login("/app", nil)
	foreignType := apiRequest(t, "POST", "/oauth2/api/tokens", `{}`)
	foreignType.Header.Set("Content-Type", "text/plain")
	for what, c := range map[string]struct {
		r      *http.Request
		change map[string]string
		want   int
	}{
		"the page":                {apiRequest(t, "POST", "/oauth2/api/tokens", `{}`), nil, 201},
		"another site":            {apiRequest(t, "POST", "/oauth2/api/tokens", `{}`), map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"a neighbour":             {apiRequest(t, "POST", "/oauth2/api/tokens", `{}`), map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"another origin":          {apiRequest(t, "DELETE", "/oauth2/api/sessions", ``), map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil.test"}, 403},
		"an origin without name":  {apiRequest(t, "DELETE", "/oauth2/api/sessions", ``), map[string]string{"Sec-Fetch-Site": "", "Origin": "null"}, 403},
		"an origin that ends so":  {apiRequest(t, "DELETE", "/oauth2/api/sessions", ``), map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil-app.example.com"}, 403},
		"the origin":              {apiRequest(t, "DELETE", "/oauth2/api/sessions", ``), map[string]string{"Sec-Fetch-Site": "", "Origin": "https://app.example.com"}, 200},
		"another type":            {foreignType, nil, 400},
		"an API token":            {apiRequest(t, "POST", "/oauth2/api/tokens", `{}`), map[string]string{"Authorization": "Bearer " + credential}, 403},
		"an API token that reads": {apiRequest(t, "GET", "/oauth2/api/tokens", ``), map[string]string{"X-API-Key": credential}, 403},
		"a bad one":               {apiRequest(t, "GET", "/oauth2/api/tokens", ``), map[string]string{"X-API-Key": credential + "x"}, 401},
		"an access token":         {apiRequest(t, "POST", "/oauth2/api/tokens", `{}`), map[string]string{"Authorization": "Bearer " + g.accessToken(nil), "Sec-Fetch-Site": ""}, 403},
	} {
		for name, value := range c.change {
			c.r.Header.Set(name, value)
			if value == "" {
				c.r.Header.Del(name)
			}
		}
		if got := g.do(c.r); got.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d: %s", what, got.StatusCode, c.want, body(t, got))
		}
	}
	g.jar = map[string]string{}
	if got := g.call("GET", "/oauth2/api/sessions", ""); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: status %d", got.StatusCode)
	}
}

// Another accepted issuer's subject of the same name is somebody else.
func TestAPIOfAnotherIssuer(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.APITokens.Manage = "scope read" })
	for i := range g.l.set.issuers {
		g.l.set.issuers[i].name = g.provider.Issuer()
	}
	r := apiRequest(t, "GET", "/oauth2/api/tokens", "")
	r.Header.Set("Authorization", "Bearer "+g.accessToken(nil))
	g.l.set.issuer = "https://other.example.com"
	if got := g.do(r); got.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", got.StatusCode)
	}
}

// Sessions are listed with what they are recognised by, and end one by one or
// all but the one that asks.
func TestAPISessions(t *testing.T) {
	for _, store := range []string{"cookie", "memory"} {
		g := tokenRig(t, func(c *Config) { c.Session.Store = store })
		jars := map[string]map[string]string{}
		for _, name := range []string{"one", "two", "three", "four"} {
			g.clock.advance(time.Second)
			g.jar = map[string]string{}
			callback := navigate(t, g.begin("/app", nil))
			callback.Header.Set("User-Agent", "browser "+name)
			callback.Header.Set("X-Real-Ip", "192.0.2.1")
			location(t, g.do(callback))
			jars[name] = g.swap(nil)
		}
		g.clock.advance(time.Second)
		g.login("/app", map[string]interface{}{"sub": "somebody else"})
		g.swap(jars["four"])
		var list lists
		g.document(g.call("GET", "/oauth2/api/sessions", ""), http.StatusOK, &list)
		if len(list.Sessions) != 4 {
			t.Fatalf("%s: %d sessions, want 4: %+v", store, len(list.Sessions), list)
		}
		first, last := list.Sessions[0], list.Sessions[3]
		if first.Agent != "browser one" || first.Address != "192.0.2.1" || first.Since != g.clock.now().Unix()-4 || first.Current || !last.Current {
			t.Errorf("%s: the list has %+v", store, list)
		}
		if got := g.call("DELETE", "/oauth2/api/sessions/"+first.ID, ""); got.StatusCode != http.StatusNoContent {
			t.Errorf("%s: end one: status %d", store, got.StatusCode)
		}
		for name, want := range map[string]int{"one": 401, "two": 200, "three": 200, "four": 200} {
			g.swap(jars[name])
			g.expectStatus(store+", one ended: "+name, g.do(fetch(t, "/app")), want)
		}
		g.swap(jars["four"])
		var ended map[string]int
		g.document(g.call("DELETE", "/oauth2/api/sessions", ""), http.StatusOK, &ended)
		if ended["ended"] != 2 {
			t.Errorf("%s: %v ended, want 2", store, ended)
		}
		for name, want := range map[string]int{"two": 401, "three": 401, "four": 200} {
			g.swap(jars[name])
			g.expectStatus(store+", the others ended: "+name, g.do(fetch(t, "/app")), want)
		}
		g.swap(jars["four"])
		g.document(g.call("GET", "/oauth2/api/sessions", ""), http.StatusOK, &list)
		if len(list.Sessions) != 1 {
			t.Errorf("%s: %d sessions are left in the list", store, len(list.Sessions))
		}
	}
}

// An administrator sees and ends anybody's, and everything of somebody.
func TestAPIAdmin(t *testing.T) {
	g := tokenRig(t, func(c *Config) { withScopes(c); c.Admin = "OneOf(`groups`, `admins`)" })
	victim := map[string]interface{}{"sub": "a/b c"}
	g.login("/app", victim)
	victims := g.swap(nil)
	id, credential := g.give(func(n *NewToken) { n.Owner = "a/b c" })
	g.login("/app", map[string]interface{}{"groups": []string{"admins"}})
	user := "?user=" + url.QueryEscape("a/b c")
	var list lists
	g.document(g.call("GET", "/oauth2/api/sessions"+user, ""), http.StatusOK, &list)
	g.document(g.call("GET", "/oauth2/api/tokens"+user, ""), http.StatusOK, &list)
	if len(list.Sessions) != 1 || len(list.Tokens) != 1 || list.Tokens[0].ID != id {
		t.Errorf("the lists have %+v", list)
	}
	var made credentialDocument
	// For somebody else, neither scopes nor lifetime are bounded.
	g.document(g.call("POST", "/oauth2/api/tokens"+user, `{"scopes":["anything"]}`), http.StatusCreated, &made)
	if made.Token.Owner != "a/b c" || made.Token.Expires != 0 {
		t.Errorf("made %+v", made.Token)
	}
	access := g.accessToken(victim)
	g.expectStatus("their access token", g.do(bearer(t, "/app", access)), http.StatusOK)
	g.clock.advance(time.Second)
	var ended map[string]int
	g.document(g.call("DELETE", "/oauth2/api/user"+user, ""), http.StatusOK, &ended)
	if ended["sessions"] != 1 || ended["tokens"] != 2 {
		t.Errorf("ended %v", ended)
	}
	for what, r := range map[string]*http.Request{
		"a token": bearer(t, "/app", credential), "another token": bearer(t, "/app", made.Credential), "an access token": bearer(t, "/app", access),
	} {
		g.expectStatus(what, g.do(r), http.StatusUnauthorized)
	}
	g.expectStatus("the administrator", g.do(fetch(t, "/app")), http.StatusOK)
	g.swap(victims)
	g.expectStatus("their session", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	g.clock.advance(time.Second)
	g.login("/app", victim)
	g.expectStatus("their next session", g.do(fetch(t, "/app")), http.StatusOK)
}
