package latchkey

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

// tokenRig is a rig whose API tokens are in a file.
func tokenRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.json")
	g := newRig(t, func(c *Config) {
		c.APITokens.File = file
		c.APITokens.CheckEvery = "10s"
		if change != nil {
			change(c)
		}
	})
	g.closeTokens()
	return g
}

// closeTokens closes the file of API tokens before its folder goes, so that nothing
// is written there any more.
func (g *rig) closeTokens() {
	store := g.l.apiTokens.(*apitoken.File)
	g.t.Cleanup(func() { store.Close() })
}

// give makes a token of alice's, and returns its id and credential.
func (g *rig) give(change func(*NewToken)) (id, credential string) {
	g.t.Helper()
	n := NewToken{Owner: "alice", Note: "ci", Scopes: []string{"read", "deploy"}}
	if change != nil {
		change(&n)
	}
	info, credential, err := g.l.createToken(context.Background(), n)
	if err != nil {
		g.t.Fatal(err)
	}
	return info.ID, credential
}

func withKey(t *testing.T, target string, keys ...string) *http.Request {
	t.Helper()
	r := request(t, http.MethodGet, target)
	for _, key := range keys {
		r.Header.Add("X-API-Key", key)
	}
	return r
}

// A token is its owner, in either header, and neither reaches the upstream: not
// at the first request, nor at a warm one, nor on a public path.
func TestAPIToken(t *testing.T) {
	g := tokenRig(t, func(c *Config) {
		c.Public = []string{"/open/"}
		c.Forward.Headers = map[string]string{"X-User": "sub", "X-Scopes": "scope", "X-Token-Id": "token_id"}
	})
	id, credential := g.give(nil)
	for i := 0; i < 3; i++ {
		for what, r := range map[string]*http.Request{
			"Authorization": bearer(t, "/app", credential),
			"X-API-Key":     withKey(t, "/app", credential),
			"a stream":      asStream(bearer(t, "/app", credential), eventStream),
		} {
			g.expectStatus(what, g.do(r), http.StatusOK)
			h := g.upstream.Header
			if h.Get("X-User") != "alice" || h.Get("X-Scopes") != "read,deploy" || h.Get("X-Token-Id") != id {
				t.Errorf("%s: the upstream got %v", what, h)
			}
			if strings.Contains(strings.Join(h["Authorization"], "")+strings.Join(h["X-Api-Key"], ""), apitoken.Prefix) {
				t.Errorf("%s: the upstream got the token", what)
			}
		}
	}
	if n := g.l.counters.verifications.Load(); n != 1 {
		t.Errorf("%d verifications, want 1", n)
	}
	for what, r := range map[string]*http.Request{
		"Authorization": bearer(t, "/open/x", credential), "after a tab": bearer(t, "/open/x", "\t"+credential), "X-API-Key": withKey(t, "/open/x", credential), "garbage": withKey(t, "/open/x", "lk_garbage"),
	} {
		g.expectStatus("public, "+what, g.do(r), http.StatusOK)
		if h := g.upstream.Header; len(h["Authorization"])+len(h["X-Api-Key"]) > 0 || h.Get("X-User") != "" {
			t.Errorf("public, %s: the upstream got %v", what, h)
		}
	}
}

// What does not begin like a token of ours is the upstream's affair, and decides
// nothing.
func TestKeysOfTheUpstream(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Unauthenticated = "pass" })
	r := withKey(t, "/app", "the app's own key")
	g.expectStatus("a key", g.do(r), http.StatusOK)
	if got := g.upstream.Header.Get("X-Api-Key"); got != "the app's own key" {
		t.Errorf("the upstream got %q", got)
	}
	r = withKey(t, "/app")
	r.SetBasicAuth("alice", "password")
	want := r.Header.Get("Authorization")
	_, credential := g.give(nil)
	r.Header.Set("X-API-Key", credential)
	for i := 0; i < 2; i++ {
		again := r.Clone(context.Background())
		g.expectStatus("an API key beside the app's own credential", g.do(again), http.StatusOK)
		if got := g.upstream.Header; got.Get("Authorization") != want || got.Get("X-Auth-Request-User") != "alice" {
			t.Errorf("the upstream got %v", got)
		}
	}
	// Nor is it a pass for whoever has the other one.
	r.Header.Del("X-API-Key")
	g.expectStatus("the app's own credential", g.do(r), http.StatusOK)
	if got := g.upstream.Header.Get("X-Auth-Request-User"); got != "" {
		t.Errorf("somebody without a token passes for %q", got)
	}
}

func TestAPITokenRefused(t *testing.T) {
	g := tokenRig(t, nil)
	_, good := g.give(nil)
	_, other := g.give(nil)
	_, short := g.give(func(n *NewToken) { n.Expires = g.clock.now().Add(time.Minute) })
	g.expectStatus("before its end", g.do(bearer(t, "/app", short)), http.StatusOK)
	g.clock.advance(time.Minute)
	unknown, _ := apitoken.NewSecret(apitoken.NewID())
	g.login("/app", nil)
	for what, r := range map[string]*http.Request{
		"expired":               bearer(t, "/app", short),
		"unknown":               bearer(t, "/app", unknown),
		"misspelt":              bearer(t, "/app", good[:len(good)-1]+"x"),
		"another's secret":      bearer(t, "/app", good[:20]+other[20:]),
		"the prefix alone":      bearer(t, "/app", apitoken.Prefix),
		"two keys":              withKey(t, "/app", good, good),
		"misspelt, as a key":    withKey(t, "/app", good+"x"),
		"a key of two's prefix": withKey(t, "/app", "x", good),
	} {
		// Beside a good session, which does not help.
		response := g.do(r)
		g.expectStatus(what, response, http.StatusUnauthorized)
		if got := response.Header.Get("WWW-Authenticate"); !strings.Contains(got, "invalid_token") {
			t.Errorf("%s: WWW-Authenticate: %s", what, got)
		}
	}
	g.expectStatus("the good one", g.do(bearer(t, "/app", good)), http.StatusOK)
}

// A warm session does not let a token's header by.
func TestKeyBesideAWarmSession(t *testing.T) {
	g := tokenRig(t, nil)
	_, credential := g.give(nil)
	g.login("/app", nil)
	for i := 0; i < 2; i++ {
		g.expectStatus("warm", g.do(fetch(t, "/app")), http.StatusOK)
	}
	r := fetch(t, "/app")
	r.Header.Set("X-API-Key", credential)
	g.expectStatus("with a key", g.do(r), http.StatusOK)
	if h := g.upstream.Header; h.Get("X-Auth-Request-User") != "alice" || h.Get("X-Api-Key") != "" {
		t.Errorf("the upstream got %v", h)
	}
}

// Scopes are single words to a rule.
func TestAPITokenRules(t *testing.T) {
	for rule, want := range map[string]int{
		"Contains(`scope`, `read`)":              200,
		"OneOf(`scope`, `write`, `deploy`)":      200,
		"SplitContains(`scope`, ` `, `deploy`)":  200,
		"Contains(`scope`, `rea`)":               403,
		"Equals(`sub`, `alice`)":                 200,
		"OneOf(`groups`, `staff`)":               403,
		"Equals(`id_token.sub`, `alice`)":        403,
		"Contains(`access_token.scope`, `read`)": 403,
	} {
		g := tokenRig(t, func(c *Config) { c.Authorize = rule })
		_, credential := g.give(nil)
		g.expectStatus(rule, g.do(bearer(t, "/app", credential)), want)
	}
}

// A token that is rotated or revoked is dead at once, warm or not, and no other
// one is asked about again.
func TestAPITokenDies(t *testing.T) {
	ctx := context.Background()
	g := tokenRig(t, nil)
	id, credential := g.give(nil)
	_, other := g.give(nil)
	warm := func() {
		for i := 0; i < 3; i++ {
			g.expectStatus("before", g.do(bearer(t, "/app", credential)), http.StatusOK)
			g.expectStatus("another", g.do(bearer(t, "/app", other)), http.StatusOK)
		}
	}
	warm()
	ended, _ := g.start(g.l, asStream(bearer(t, "/app", credential), "Upgrade"))
	old := credential
	_, next, err := g.l.rotateToken(ctx, "", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	take(t, "its stream to end", ended)
	g.expectStatus("the old secret", g.do(bearer(t, "/app", old)), http.StatusUnauthorized)
	g.expectStatus("the new one", g.do(bearer(t, "/app", next)), http.StatusOK)
	credential = next
	before := g.l.counters.verifications.Load()
	warm()
	if n := g.l.counters.verifications.Load(); n != before {
		t.Errorf("%d verifications of tokens that are good", n-before)
	}

	_, graced, err := g.l.rotateToken(ctx, "", id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	g.expectStatus("the old secret in its grace", g.do(bearer(t, "/app", credential)), http.StatusOK)
	g.expectStatus("the new one", g.do(bearer(t, "/app", graced)), http.StatusOK)
	g.clock.advance(time.Minute)
	g.expectStatus("the old secret after it", g.do(bearer(t, "/app", credential)), http.StatusUnauthorized)

	if err := g.l.revokeToken(ctx, "", id); err != nil {
		t.Fatal(err)
	}
	g.expectStatus("revoked", g.do(bearer(t, "/app", graced)), http.StatusUnauthorized)
	g.expectStatus("another", g.do(bearer(t, "/app", other)), http.StatusOK)
}

// gate holds a look-up in the store until it is opened.
type gate struct {
	apitoken.Store
	arrived, open chan struct{}
}

func (s *gate) Find(ctx context.Context, id string) (apitoken.Token, bool, error) {
	t, found, err := s.Store.Find(ctx, id)
	s.arrived <- struct{}{}
	<-s.open
	return t, found, err
}

// A verdict that was being computed while its token was rotated is not used
// again.
func TestVerdictOvertakenByARotation(t *testing.T) {
	g := tokenRig(t, nil)
	id, credential := g.give(nil)
	real := g.l.apiTokens
	held := &gate{Store: real, arrived: make(chan struct{}, 9), open: make(chan struct{})}
	g.l.apiTokens = held
	first := statuses(t, g.l, 1, nil)
	<-first // without a token: nothing is looked up
	answered := make(chan int, 1)
	quiet(g.l)
	r := bearer(t, "/app", credential)
	go func() { answered <- g.doAlone(r) }()
	take(t, "the look-up", held.arrived)
	g.l.apiTokens = real
	if _, _, err := g.l.rotateToken(context.Background(), "", id, 0); err != nil {
		t.Fatal(err)
	}
	close(held.open)
	<-answered // it was let in by what was true when it was asked
	for i := 0; i < 3; i++ {
		if got := g.doAlone(bearer(t, "/app", credential)); got != http.StatusUnauthorized {
			t.Fatalf("status %d after the rotation", got)
		}
	}
}

// An edit by hand is seen when the file is next looked at, and until then it is
// not looked at.
func TestEditByHand(t *testing.T) {
	g := tokenRig(t, nil)
	file := g.l.set.apiTokens.file
	_, credential := g.give(nil)
	g.clock.advance(10 * time.Second)
	g.expectStatus("before", g.do(bearer(t, "/app", credential)), http.StatusOK)
	ended, _ := g.start(g.l, asStream(bearer(t, "/app", credential), eventStream))
	if err := os.WriteFile(file, []byte(`{"version":1,"tokens":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	checks := g.l.apiTokens.Stats().Checks
	g.clock.advance(9 * time.Second)
	for i := 0; i < 100; i++ {
		g.expectStatus("within the window", g.do(bearer(t, "/app", credential)), http.StatusOK)
	}
	if n := g.l.apiTokens.Stats().Checks; n != checks {
		t.Errorf("%d looks at the file within a window", n-checks)
	}
	goesOn(t, "the stream", ended)
	g.clock.advance(time.Second)
	eventually(t, "the edit to be seen", func() bool { return g.do(bearer(t, "/app", credential)).StatusCode == http.StatusUnauthorized })
	take(t, "the stream to end", ended)
}

// With API tokens alone there is no provider, and nobody to send a browser to.
func TestAPITokensAlone(t *testing.T) {
	g := tokenRig(t, func(c *Config) {
		c.Provider.Issuer, c.Provider.ClientID, c.Provider.ClientSecret = "", "", ""
		c.Bearer.Enabled = false
		c.Bearer.Audiences = nil
	})
	_, credential := g.give(nil)
	g.expectStatus("a token", g.do(bearer(t, "/app", credential)), http.StatusOK)
	for path, want := range map[string]int{
		"/app": 401, "/oauth2/account": 404, "/oauth2/api/tokens": 404, "/oauth2/login": 404, "/oauth2/callback": 404, "/oauth2/logout": 404,
	} {
		g.expectStatus(path, g.do(navigate(t, path)), want)
	}
	for _, path := range []string{"/oauth2/status", "/oauth2/metrics", "/oauth2/userinfo"} {
		if got := g.do(bearer(t, path, credential)).StatusCode; got != http.StatusOK {
			t.Errorf("%s: status %d", path, got)
		}
	}
}
