package latchkey

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// Each service gets a token for the next one: for it alone, with no more than
// what came in may, and with the way it took.
func TestDelegationChain(t *testing.T) {
	h := newChain(t, nil)
	h.login("/app", map[string]interface{}{"groups": []string{"staff"}})
	first := h.at(h.portal, "the portal", fetch(t, "/app"), http.StatusOK)
	for name, values := range h.upstream.Header {
		if (name == "Cookie" || name == "Authorization") && len(values) > 0 {
			t.Errorf("the portal's app got %s", name)
		}
	}
	claims := claimsIn(t, first)
	for name, want := range map[string]interface{}{
		"iss": "latchkey", "sub": "alice", "aud": "query", "scope": "read", "act": nil, "client_id": oidctest.ClientID, "sid": claims["parent"],
		"exp": float64(h.clock.now().Add(time.Hour).Unix()),
	} {
		if claims[name] != want {
			t.Errorf("the first token's %s is %v, want %v", name, claims[name], want)
		}
	}
	h.swap(nil)
	second := h.at(h.query, "the query service", bearer(t, "/q", first), http.StatusOK)
	if got := h.upstream.Header.Get("X-Auth-Request-User"); got != "alice" {
		t.Errorf("the query service is told of %q", got)
	}
	claims = claimsIn(t, second)
	if act, _ := json.Marshal(claims["act"]); claims["aud"] != "storage" || claims["sub"] != "alice" || claims["scope"] != "read" || string(act) != `{"sub":"query"}` {
		t.Errorf("the second token says %v", claims)
	}
	if third := h.at(h.storage, "storage", bearer(t, "/s", second), http.StatusOK); third != "" {
		t.Errorf("storage was given a token for nobody: %q", third)
	}
	forged := bearer(t, "/s", second)
	forged.Header.Set(delegatedHeader, "forged")
	if got := h.at(h.storage, "storage, with a token of the client's", forged, http.StatusOK); got != "" {
		t.Errorf("storage was given %q, which the client sent", got)
	}
	for what, c := range map[string]struct {
		l     *Latchkey
		token string
	}{
		"storage's at the query service": {h.query, second}, "the query service's at storage": {h.storage, first}, "at the portal": {h.portal, first},
		"changed": {h.query, first[:len(first)-4] + "AAAA"}, "its header alone": {h.query, strings.SplitN(first, ".", 2)[0] + ".e30.AAAA"},
	} {
		h.at(c.l, what, bearer(t, "/x", c.token), http.StatusUnauthorized)
	}
	h.clock.advance(time.Hour + 61*time.Second)
	h.at(h.query, "ended", bearer(t, "/q", first), http.StatusUnauthorized)
}

// Another middleware's secret signs nothing here, and its issuer's name is its own.
func TestForeignDelegation(t *testing.T) {
	h := newChain(t, nil)
	other := newChain(t, func(c *Config) { c.Secret = []string{testSecret + " of another"} })
	named := newChain(t, func(c *Config) { c.Delegate.Issuer = "other" })
	for what, o := range map[string]*chain{"another secret": other, "another issuer": named} {
		o.login("/app", nil)
		token := o.at(o.portal, "a portal", fetch(t, "/app"), http.StatusOK)
		h.at(h.query, what, bearer(t, "/q", token), http.StatusUnauthorized)
	}
}

// Whatever ends the parent ends what was made from it, on every hop.
func TestDelegationEndsWithItsParent(t *testing.T) {
	for what, end := range map[string]func(h *chain, id string){
		"logout": func(h *chain, _ string) { h.do(fetch(h.t, "/oauth2/logout")) },
		"everything of the user": func(h *chain, _ string) {
			if _, _, err := h.l.endUser(context.Background(), "alice"); err != nil {
				h.t.Fatal(err)
			}
		},
		"the token revoked": func(h *chain, id string) {
			if err := h.l.revokeToken(context.Background(), "", id); err != nil {
				h.t.Fatal(err)
			}
		},
		"the token rotated": func(h *chain, id string) {
			if _, _, err := h.l.rotateToken(context.Background(), "", id, 0); err != nil {
				h.t.Fatal(err)
			}
		},
	} {
		h := newChain(t, nil)
		r := fetch(t, "/app")
		id := ""
		if strings.Contains(what, "token") {
			given, credential := h.give(nil)
			id = given
			r = bearer(t, "/app", credential)
		} else {
			h.login("/app", nil)
		}
		first := h.at(h.portal, what+": the portal", r, http.StatusOK)
		jar := h.swap(nil)
		second := h.at(h.query, what+": the query service", bearer(t, "/q", first), http.StatusOK)
		h.at(h.storage, what+": storage", bearer(t, "/s", second), http.StatusOK)
		h.swap(jar)
		end(h, id)
		h.swap(nil)
		h.at(h.query, what+": the query service, after", bearer(t, "/q", first), http.StatusUnauthorized)
		h.at(h.storage, what+": storage, after", bearer(t, "/s", second), http.StatusUnauthorized)
	}
}

// A token that no router has seen before its parent ended is refused at first
// sight, too.
func TestDelegatedTokenAfterItsParent(t *testing.T) {
	h := newChain(t, nil)
	h.login("/app", nil)
	token := h.at(h.portal, "the portal", fetch(t, "/app"), http.StatusOK)
	h.do(fetch(t, "/oauth2/logout"))
	h.swap(nil)
	h.at(h.query, "at first sight", bearer(t, "/q", token), http.StatusUnauthorized)
}

// A token serves until half of its life is over, also warm, and never for longer
// than its parent.
func TestDelegationIsReused(t *testing.T) {
	h := newChain(t, nil)
	h.login("/app", nil)
	token := func() string { return h.at(h.portal, "the portal", fetch(t, "/app"), http.StatusOK) }
	first := token()
	for i := 0; i < 3; i++ {
		if token() != first {
			t.Fatal("a warm request got another token")
		}
	}
	h.clock.advance(29*time.Minute + 59*time.Second)
	if token() != first {
		t.Error("another token before half of its life")
	}
	h.clock.advance(time.Second)
	second := token()
	if second == first {
		t.Error("the same token after half of its life")
	}
	if n := h.l.delegations.grants.Load(); n != 2 {
		t.Errorf("%d tokens were made, want 2", n)
	}
	// 24 hours after the login the session ends, and so does what is made of it.
	h.clock.advance(23*time.Hour + 20*time.Minute - 30*time.Second)
	claims := claimsIn(t, token())
	if got, want := int64(claims["exp"].(float64))-h.clock.now().Unix(), int64(10*60+30); got != want {
		t.Errorf("a token of a session with 10 minutes left lasts %d seconds, want %d", got, want)
	}
	h.clock.advance(5*time.Minute + 29*time.Second)
	token()
	h.clock.advance(2 * time.Second)
	h.at(h.portal, "with less than the minimum left", fetch(t, "/app"), http.StatusUnauthorized)
}

// A parent that was given longer has a token that lasts longer, and not the one
// that was made before.
func TestDelegationOfALongerParent(t *testing.T) {
	h := newChain(t, nil)
	id, credential := h.give(func(n *NewToken) { n.Expires = h.clock.now().Add(30 * time.Minute) })
	left := func() time.Duration {
		claims := claimsIn(t, h.at(h.portal, "the portal", bearer(t, "/app", credential), http.StatusOK))
		return time.Duration(int64(claims["exp"].(float64))-h.clock.now().Unix()) * time.Second
	}
	if got := left(); got != 30*time.Minute {
		t.Errorf("the token of one that ends in 30 minutes lasts %v", got)
	}
	_, err := h.l.apiTokens.Update(context.Background(), id, func(t apitoken.Token) (apitoken.Token, error) {
		t.Expires += 7200
		return t, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.clock.advance(10 * time.Second)
	if got := left(); got != time.Hour {
		t.Errorf("once that ends later it lasts %v", got)
	}
}

// The scopes are those asked for that the parent has.
func TestDelegatedScopes(t *testing.T) {
	for _, c := range []struct {
		what   string
		kind   string
		asked  []string
		parent func(h *chain) *http.Request
		want   string
	}{
		{"a person", "internal", []string{"read", "write"}, func(h *chain) *http.Request { h.login("/app", nil); return fetch(t, "/app") }, "read"},
		{"a writer", "internal", []string{"write", "read"}, func(h *chain) *http.Request {
			h.login("/app", map[string]interface{}{"groups": []string{"writers"}})
			return fetch(t, "/app")
		}, "read write"},
		{"an API token", "internal", []string{"deploy", "write", "read"}, func(h *chain) *http.Request {
			_, credential := h.give(nil)
			return bearer(t, "/app", credential)
		}, "read"}, // nobody here knows deploy
		{"an access token", "internal", []string{"read", "write"}, func(h *chain) *http.Request {
			return bearer(t, "/app", h.accessToken(map[string]interface{}{"aud": "portal", "scope": "write admin"}))
		}, "write"},
		{"none in common", "internal", []string{"other"}, func(h *chain) *http.Request {
			return bearer(t, "/app", h.accessToken(map[string]interface{}{"aud": "portal", "scope": "write admin"}))
		}, ""},
		{"a notebook", "notebook", nil, func(h *chain) *http.Request {
			return bearer(t, "/app", h.accessToken(map[string]interface{}{"aud": "portal", "scope": "write admin"}))
		}, "admin write"},
	} {
		h := newChain(t, func(c2 *Config) {
			if c2.Delegate.Service != "query" {
				return
			}
			c2.Delegate.Kind = c.kind
			c2.Delegate.Scopes = c.asked
			if c.kind == "notebook" {
				c2.Delegate.Service = ""
			}
		})
		claims := claimsIn(t, h.at(h.portal, c.what, c.parent(h), http.StatusOK))
		if claims["scope"] != c.want {
			t.Errorf("%s: scope %q, want %q", c.what, claims["scope"], c.want)
		}
		if c.kind == "notebook" && claims["aud"] != "portal" {
			t.Errorf("a notebook's aud is %v, want its parent's", claims["aud"])
		}
	}
}

// A notebook's token opens every router of the same secret, and may be handed on.
func TestNotebook(t *testing.T) {
	h := newChain(t, func(c *Config) {
		if c.Delegate.Service == "query" {
			c.Delegate.Kind, c.Delegate.Service = "notebook", ""
			c.Delegate.Scopes = nil
		}
	})
	h.login("/app", nil)
	notebook := h.at(h.portal, "the portal", fetch(t, "/app"), http.StatusOK)
	h.swap(nil)
	next := h.at(h.query, "the query service", bearer(t, "/q", notebook), http.StatusOK)
	if claims := claimsIn(t, next); claims["act"] != nil || claims["aud"] != "storage" || claims["scope"] != "read" {
		t.Errorf("what was made of it says %v", claims)
	}
	h.at(h.storage, "storage", bearer(t, "/s", notebook), http.StatusOK)
}

// What calls itself in a circle is stopped.
func TestDelegationDepth(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Bearer.Audiences = []string{"circle"}
		c.Delegate.Kind, c.Delegate.Service = "internal", "circle"
	})
	g.login("/app", nil)
	g.expectStatus("the first", g.do(fetch(t, "/app")), http.StatusOK)
	g.swap(nil)
	for i := 0; i < 4; i++ {
		token := g.upstream.Header.Get(delegatedHeader)
		g.expectStatus("further", g.do(bearer(t, "/app", token)), http.StatusOK)
	}
	token := g.upstream.Header.Get(delegatedHeader)
	g.expectStatus("one too far", g.do(bearer(t, "/app", token)), http.StatusForbidden)
}

// A client cannot bring the header, and a delegated token manages nothing.
func TestDelegatedTokenIsNoLogin(t *testing.T) {
	h := newChain(t, nil)
	r := request(t, http.MethodGet, "/app")
	r.Header.Set("x_auth_request_token", "forged")
	_, credential := h.give(nil)
	r.Header.Set("Authorization", "Bearer "+credential)
	token := h.at(h.portal, "the portal", r, http.StatusOK)
	if got := h.upstream.Header[http.CanonicalHeaderKey("x_auth_request_token")]; got != nil {
		t.Errorf("the upstream got %q", got)
	}
	// Not even where it bears the provider's name.
	named := newRig(t, func(c *Config) {
		c.Bearer.Audiences = []string{"query"}
		c.Delegate.Kind, c.Delegate.Service, c.Delegate.Issuer = "internal", "query", c.Provider.Issuer
	})
	named.login("/app", nil)
	named.expectStatus("a portal", named.do(fetch(t, "/app")), http.StatusOK)
	renamed := named.upstream.Header.Get(delegatedHeader)
	named.swap(nil)
	named.expectStatus("its service", named.do(bearer(t, "/q", renamed)), http.StatusOK)
	for _, path := range []string{"/oauth2/api/tokens", "/oauth2/api/sessions", "/oauth2/account"} {
		if got := h.doAt(h.query, bearer(t, path, token)).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s: status %d", path, got)
		}
		if got := named.do(bearer(t, path, renamed)).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s, with the provider's name: status %d", path, got)
		}
	}
	var keys struct{ Keys []map[string]string }
	response := h.do(fetch(t, "/oauth2/jwks"))
	h.document(response, http.StatusOK, &keys)
	if len(keys.Keys) != 1 || keys.Keys[0]["d"] != "" || keys.Keys[0]["crv"] != "P-256" {
		t.Errorf("the keys are %v", keys)
	}
}

// A secret that is being rotated out still verifies.
func TestDelegationWhileTheSecretRotates(t *testing.T) {
	h := newChain(t, nil)
	h.login("/app", nil)
	token := h.at(h.portal, "the portal", fetch(t, "/app"), http.StatusOK)
	next := newChain(t, func(c *Config) {
		c.Secret = []string{testSecret + " new", testSecret}
		c.Provider.Issuer = h.provider.Issuer()
	})
	next.swap(nil)
	next.clock.at.Store(h.clock.at.Load())
	next.at(next.query, "signed with the last secret", bearer(t, "/q", token), http.StatusOK)
}

// What was made is listed under the session or token that it was made from.
func TestDelegatedTokensAreListed(t *testing.T) {
	h := newChain(t, nil)
	_, credential := h.give(nil)
	h.at(h.portal, "a token", bearer(t, "/app", credential), http.StatusOK)
	h.login("/app", nil)
	h.at(h.portal, "a session", fetch(t, "/app"), http.StatusOK)
	var list lists
	h.document(h.call("GET", "/oauth2/api/sessions", ""), http.StatusOK, &list)
	if page, _ := h.visit(); strings.Count(page, "<code>query: read</code>") != 2 {
		t.Error("the page does not show both")
	}
	tokens, err := h.l.listTokens(context.Background(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Sessions) != 1 || len(tokens) != 1 {
		t.Fatalf("%d sessions, %d tokens", len(list.Sessions), len(tokens))
	}
	for what, made := range map[string][]DelegatedInfo{"the session": list.Sessions[0].Delegated, "the token": tokens[0].Delegated} {
		if len(made) != 1 || made[0].Service != "query" || made[0].Until != h.clock.now().Add(time.Hour).Unix() || strings.Join(made[0].Scopes, " ") != "read" {
			t.Errorf("%s: listed %+v", what, made)
		}
	}
}
