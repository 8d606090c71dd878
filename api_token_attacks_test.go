package latchkey

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// One setting apart, of those that an API token's verdict depends on: no verdict
// is shared, nor is a store.
func TestAPITokenPoliciesApart(t *testing.T) {
	inFile := func(c *Config) { c.APITokens.File = "tokens.json" }
	inRedis := func(c *Config) { c.Redis.Addresses = []string{"127.0.0.1:1"} }
	for name, c := range map[string]struct {
		base, change func(*Config)
		oneStore     bool
	}{
		"file":           {inFile, func(c *Config) { c.APITokens.File = "others.json" }, false},
		"window":         {inFile, func(c *Config) { c.APITokens.CheckEvery = "5s" }, false},
		"header":         {inFile, func(c *Config) { c.APITokens.Header = "X-Key" }, true},
		"file, or Redis": {inFile, func(c *Config) { c.APITokens.File = ""; inRedis(c) }, false},
		"Redis":          {inRedis, func(c *Config) { c.Redis.Addresses = []string{"127.0.0.1:2"} }, false},
		"secret":         {inRedis, func(c *Config) { c.Secret = []string{testSecret + "!"} }, false},
		"provider":       {inRedis, func(c *Config) { c.Provider.Issuer = "https://other.example.com" }, false},
		"header, Redis":  {inRedis, func(c *Config) { c.APITokens.Header = "" }, true},
	} {
		plain := compiled(t, c.base)
		change := c.change
		base := c.base
		other := compiled(t, func(config *Config) {
			base(config)
			change(config)
		})
		if plain.policy == other.policy {
			t.Errorf("%s: one policy", name)
		}
		if one := plain.apiTokens.fingerprint == other.apiTokens.fingerprint; one != c.oneStore {
			t.Errorf("%s: one store: %v", name, one)
		}
	}
}

func compiled(t *testing.T, change func(*Config)) *settings {
	t.Helper()
	c := validConfig()
	change(c)
	s, err := compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A file is one store for all middlewares, and two files are two.
func TestTokensOfAnotherFile(t *testing.T) {
	g := tokenRig(t, nil)
	_, credential := g.give(nil)
	same := g.router(func(c *Config) { c.APITokens.File = g.l.set.apiTokens.file; c.APITokens.CheckEvery = "10s" })
	g.expectStatus("the same file", g.doAt(same, bearer(t, "/app", credential)), http.StatusOK)
	folder := t.TempDir()
	other := g.router(func(c *Config) { c.APITokens.File = folder + "/tokens.json"; c.APITokens.CheckEvery = "10s" })
	g.expectStatus("another file", g.doAt(other, bearer(t, "/app", credential)), http.StatusUnauthorized)
}

// What was pushed out of the index of revocations says nothing about API tokens,
// which may be years old; what is in it counts however new they are.
func TestAPITokensAreUndated(t *testing.T) {
	g := tokenRig(t, nil)
	id, credential := g.give(nil)
	v, err := g.l.verifyAPIToken(context.Background(), credential)
	if err != nil || v.issued != revocation.Undated {
		t.Fatalf("issued at %d, %v", v.issued, err)
	}
	_, hash, _ := apitoken.Parse(credential)
	// A copy of the store that is behind has the secret still.
	if err := g.l.killSecrets(context.Background(), id, []string{hash}, 0); err != nil {
		t.Fatal(err)
	}
	g.expectStatus("dead, by the log alone", g.do(bearer(t, "/app", credential)), http.StatusUnauthorized)
	g.clock.advance(59 * time.Minute)
	g.expectStatus("dead for as long as copies live", g.do(bearer(t, "/app", credential)), http.StatusUnauthorized)
}

// A verdict is never longer than the secret, nor is a stream.
func TestAPITokenVerdictEnds(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.APITokens.CheckEvery = "1h" })
	id, credential := g.give(func(n *NewToken) { n.Expires = g.clock.now().Add(30 * time.Second) })
	ends := g.clock.now().Unix() + 30
	v, err := g.l.verifyAPIToken(context.Background(), credential)
	if err != nil || v.until != ends || v.ends != ends {
		t.Fatalf("a verdict until %d and streams until %d, %v, want %d", v.until, v.ends, err, ends)
	}
	g.expectStatus("warm", g.do(bearer(t, "/app", credential)), http.StatusOK)
	if _, _, err := g.l.rotateToken(context.Background(), "", id, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	v, err = g.l.verifyAPIToken(context.Background(), credential)
	if err != nil || v.until != ends-20 || v.ends != ends-20 {
		t.Fatalf("in its grace: a verdict until %d and streams until %d, %v", v.until, v.ends, err)
	}
}

// An answer that the old file gave stands for no longer than the window in which
// it was asked, though the next has begun meanwhile.
func TestVerdictOfTheOldFile(t *testing.T) {
	g := tokenRig(t, nil)
	id, credential := g.give(nil)
	real := g.l.apiTokens
	held := &gate{Store: real, arrived: make(chan struct{}, 9), open: make(chan struct{})}
	g.l.apiTokens = held
	answered := make(chan int, 1)
	quiet(g.l)
	r := bearer(t, "/app", credential)
	go func() { answered <- g.doAlone(r) }()
	take(t, "the look-up", held.arrived)
	g.l.apiTokens = real
	g.editTokens(`{"version":1,"tokens":{}}`)
	g.clock.advance(10 * time.Second)
	eventually(t, "the edit to be seen", func() bool {
		_, found, _ := real.Find(context.Background(), id)
		return !found
	})
	close(held.open)
	<-answered
	if got := g.doAlone(bearer(t, "/app", credential)); got != http.StatusUnauthorized {
		t.Errorf("status %d for a token that is gone", got)
	}
}

// editTokens writes the file of API tokens as an editor does.
func (g *rig) editTokens(content string) {
	g.t.Helper()
	if err := writeWhole(g.l.set.apiTokens.file, content); err != nil {
		g.t.Fatal(err)
	}
}

// behind is a store that remembers nothing, and counts who asks past that.
type behind struct {
	apitoken.Store
	asked atomic.Int64
}

func (s *behind) Find(_ context.Context, _ string) (apitoken.Token, bool, error) {
	return apitoken.Token{}, false, nil
}

func (s *behind) Fresh(ctx context.Context, id string) (apitoken.Token, bool, error) {
	s.asked.Add(1)
	t, found, err := s.Store.Fresh(ctx, id)
	return t, found, err
}

// A token that another replica gave is good here at once; one that is bad asks
// Redis once in a while, and a file at once again.
func TestBadAPITokenIsRemembered(t *testing.T) {
	for _, c := range []struct {
		file  bool
		asked int64
	}{{true, 3}, {false, 1}} {
		g := tokenRig(t, nil)
		_, credential := g.give(nil)
		unknown, _ := apitoken.NewSecret(apitoken.NewID())
		store := &behind{Store: g.l.apiTokens}
		g.l.apiTokens = store
		if !c.file {
			g.l.set.apiTokens.file = ""
		}
		g.expectStatus("given by another", g.do(bearer(t, "/app", credential)), http.StatusOK)
		store.asked.Store(0)
		for i := 0; i < 3; i++ {
			g.expectStatus("unknown", g.do(bearer(t, "/app", unknown)), http.StatusUnauthorized)
		}
		if n := store.asked.Load(); n != c.asked {
			t.Errorf("in a file: %v: asked %d times about a bad token, want %d", c.file, n, c.asked)
		}
	}
}

// away is a store that cannot be asked.
type away struct{ apitoken.Store }

func (s *away) Find(_ context.Context, _ string) (apitoken.Token, bool, error) {
	return apitoken.Token{}, false, apitoken.ErrUnavailable
}

// Nobody knows: that is not the client's fault, and not remembered as such.
func TestTokenStoreAway(t *testing.T) {
	g := tokenRig(t, nil)
	_, credential := g.give(nil)
	real := g.l.apiTokens
	g.l.apiTokens = &away{Store: real}
	g.expectStatus("away", g.do(bearer(t, "/app", credential)), http.StatusServiceUnavailable)
	g.l.apiTokens = real
	g.expectStatus("back", g.do(bearer(t, "/app", credential)), http.StatusOK)
}

// In whatever line or spelling a token comes, the upstream does not get it.
func TestNoSpellingOfATokenGoesOn(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Public = []string{"/open/"} })
	_, credential := g.give(nil)
	for what, c := range map[string]struct {
		name   string
		values []string
		keeps  bool
	}{
		"without a scheme":     {"Authorization", []string{credential}, false},
		"behind two spaces":    {"Authorization", []string{"Bearer  " + credential}, false},
		"behind some scheme":   {"Authorization", []string{"Token " + credential}, false},
		"in a second line":     {"Authorization", []string{"Basic YTpi", "Bearer " + credential}, false},
		"in a second key":      {"X-Api-Key", []string{"the app's own", credential}, false},
		"a key with a scheme":  {"X-Api-Key", []string{"Bearer " + credential}, false},
		"the app's own":        {"Authorization", []string{"Basic YTpi"}, true},
		"the app's own key":    {"X-Api-Key", []string{"the app's own"}, true},
		"the app's own, twice": {"X-Api-Key", []string{"one", "two"}, true},
	} {
		r := request(t, http.MethodGet, "/open/x")
		r.Header[c.name] = c.values
		g.expectStatus(what, g.do(r), http.StatusOK)
		got := strings.Join(g.upstream.Header[c.name], " ")
		want := ""
		if c.keeps {
			want = strings.Join(c.values, " ")
		}
		if got != want {
			t.Errorf("%s: the upstream got %q, want %q", what, got, want)
		}
	}
}

// A key's header is never harmless, however often it came: neither beside a warm
// session, nor beside a warm access token or API token.
func TestKeyBesideAnyWarmCredential(t *testing.T) {
	g := tokenRig(t, nil)
	_, credential := g.give(nil)
	g.login("/app", nil)
	session := g.swap(nil)
	access := g.accessToken(nil)
	for what, make := range map[string]func() *http.Request{
		"a session":       func() *http.Request { return fetch(t, "/app") },
		"an access token": func() *http.Request { return bearer(t, "/app", access) },
		"an API token":    func() *http.Request { return bearer(t, "/app", credential) },
	} {
		g.swap(nil)
		if what == "a session" {
			g.swap(session)
		}
		for i := 0; i < 4; i++ {
			r := make()
			r.Header.Set("X-API-Key", credential)
			g.expectStatus(what+" with a key", g.do(r), http.StatusOK)
			if got := g.upstream.Header["X-Api-Key"]; len(got) > 0 {
				t.Errorf("%s, time %d: the upstream got the key", what, i)
			}
			// What is known to be harmless is learned from others.
			r = make()
			r.Header.Set("X-API-Key", "the app's own")
			g.expectStatus(what+" with the app's key", g.do(r), http.StatusOK)
			g.expectStatus(what, g.do(make()), http.StatusOK)
		}
	}
}

// Where none are accepted a token of ours is like any other text.
func TestTokenWhereNoneAreAccepted(t *testing.T) {
	g := newRig(t, nil)
	credential, _ := apitoken.NewSecret(apitoken.NewID())
	g.expectStatus("in Authorization", g.do(bearer(t, "/app", credential)), http.StatusUnauthorized)
	g.expectStatus("as a key", g.do(withKey(t, "/app", credential)), http.StatusUnauthorized)
	g.login("/app", nil)
	r := fetch(t, "/app")
	r.Header.Set("X-API-Key", credential)
	g.expectStatus("beside a session", g.do(r), http.StatusOK)
	if got := g.call("GET", "/oauth2/api/tokens", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("list: status %d", got.StatusCode)
	}
}

// With the stream of revocations spoilt, what was done says that others learn of
// it later, and is in force here.
func TestRevocationsThatAreNotTold(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	victims := p.swap(nil)
	p.login("/app", nil)
	_, credential := p.give(nil)
	id := credential[3:19]
	p.server.Command("DEL", "latchkey:revocations")
	p.server.Command("SET", "latchkey:revocations", "no stream")
	p.expectStatus("the token", p.do(bearer(t, "/app", credential)), http.StatusOK)
	rotated := credentialDocument{}
	p.document(p.call("POST", "/oauth2/api/tokens/"+id+"/rotate", ""), http.StatusOK, &rotated)
	p.expectStatus("the old secret", p.do(bearer(t, "/app", credential)), http.StatusUnauthorized)
	p.expectStatus("the new one", p.do(bearer(t, "/app", rotated.Credential)), http.StatusOK)
	if got := p.call("DELETE", "/oauth2/api/tokens/"+id, ""); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("revoke: status %d", got.StatusCode)
	}
	p.expectStatus("revoked", p.do(bearer(t, "/app", rotated.Credential)), http.StatusUnauthorized)
	if got := p.call("DELETE", "/oauth2/api/sessions", ""); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("end the others: status %d", got.StatusCode)
	}
	p.swap(victims)
	p.expectStatus("ended", p.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// Subjects are names within one provider: another's in the same Redis has other
// tokens.
func TestTokensOfAnotherProvider(t *testing.T) {
	p := newPair(t, nil)
	_, credential := p.give(nil)
	p.at(p.other, "another replica", bearer(t, "/app", credential), http.StatusOK)
	other := p.router(func(c *Config) {
		c.Redis.Addresses = []string{p.server.Addr()}
		c.Redis.Timeout = "10s"
		c.Provider.Issuer = "https://other.example.com"
	})
	p.reading(other)
	p.at(other, "another provider", bearer(t, "/app", credential), http.StatusUnauthorized)
}

// A dead secret is refused for as long as a copy of the store may have it, however
// short sessions are and however long the file goes unlooked at.
func TestDeadSecretsOutliveCopies(t *testing.T) {
	for every, want := range map[string]time.Duration{"10s": time.Hour, "3h": 6 * time.Hour} {
		checkEvery := every
		g := tokenRig(t, func(c *Config) {
			c.Session.Lifetime = "10m"
			c.Session.IdleTimeout = "0"
			c.APITokens.CheckEvery = checkEvery
		})
		id, _ := g.give(nil)
		var until atomic.Int64
		g.l.revocations.Index().Watch(func(entries []revocation.Entry) { until.Store(entries[0].Until) })
		if err := g.l.revokeToken(context.Background(), "", id); err != nil {
			t.Fatal(err)
		}
		if left := time.Duration(until.Load()-g.clock.now().Unix()) * time.Second; left <= want || left > 2*want {
			t.Errorf("looked at every %s: refused for %v, want %v", every, left, want)
		}
	}
}

// Only where neither logins nor access tokens are asked for need there be no
// provider.
func TestNoProviderForAPITokensAlone(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"API tokens alone":  {func(_ *Config) {}, ""},
		"and access tokens": {func(c *Config) { c.Bearer.Enabled = true }, "provider.issuer: is required"},
		"and a client":      {func(c *Config) { c.Provider.ClientID = "client" }, "provider.issuer: is required"},
		"no API tokens":     {func(c *Config) { c.APITokens.File = "" }, "provider.issuer: is required"},
	} {
		config := validConfig()
		config.APITokens.File = "tokens.json"
		config.Bearer.Enabled = false
		config.Bearer.Audiences = nil
		config.Provider.Issuer = ""
		config.Provider.ClientID = ""
		c.change(config)
		_, err := compile(config)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}
