package latchkey

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// What a refreshed session may keep, and what ends it.
func TestRefreshResponses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*oidctest.Behavior)
		goesOn bool
		mail   string // after the refresh
	}{
		"as it should be":      {func(b *oidctest.Behavior) {}, true, "alice@example.com"},
		"no ID token":          {func(b *oidctest.Behavior) { b.OmitRefreshedIDToken = true }, true, "alice@example.com"},
		"no new refresh token": {func(b *oidctest.Behavior) { b.KeepRefreshToken = true }, true, "alice@example.com"},
		"an opaque access token": {func(b *oidctest.Behavior) {
			b.OpaqueAccessToken = true
		}, true, "alice@example.com"},
		"other claims": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"email": "alice@new.example.com"}
		}, true, "alice@new.example.com"},
		"a nonce nobody asked for": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"nonce": "n"}
		}, true, "alice@example.com"},
		"another sub": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"sub": "mallory"}
		}, false, ""},
		"no sub": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"sub": nil}
		}, false, ""},
		"another iss": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"iss": "https://evil.example.com"}
		}, false, ""},
		"another aud": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"aud": "other"}
		}, true, "alice@example.com"},
		"of another access token": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA", "email": "m@evil.test"}
		}, true, "alice@example.com"},
		"one of a clock that is ahead": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"iat": float64(time.Now().Unix() + 86400), "email": "m@evil.test"}
		}, true, "alice@example.com"},
		"one without iat": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"iat": nil, "email": "m@evil.test"}
		}, true, "alice@example.com"},
		"one of a key that nobody has": {func(b *oidctest.Behavior) {
			b.IDTokenHeader = map[string]interface{}{"kid": "nobody's"}
			b.RefreshClaims = map[string]interface{}{"email": "m@evil.test"}
		}, true, "alice@example.com"},
		"another sub, without a signature": {func(b *oidctest.Behavior) {
			b.TokenResponse = map[string]interface{}{"id_token": "e30.eyJzdWIiOiJtYWxsb3J5In0.AA"}
		}, false, ""},
		"one that has ended": {func(b *oidctest.Behavior) {
			b.RefreshClaims = map[string]interface{}{"exp": 1}
		}, true, "alice@example.com"},
		"without a signature": {func(b *oidctest.Behavior) {
			b.TokenResponse = map[string]interface{}{"id_token": "e30.e30."}
		}, true, "alice@example.com"},
	} {
		g := inStore(t, "cookie", nil)
		g.login("/app", nil)
		g.provider.Set(c.change)
		for i := 1; i <= 2; i++ {
			g.clock.advance(240 * time.Second)
			response := g.do(fetch(t, "/app"))
			if !c.goesOn {
				g.expectStatus(name, response, http.StatusUnauthorized)
				break
			}
			g.expectStatus(name, response, http.StatusOK)
			if got := g.upstream.Header.Get("X-Auth-Request-Email"); got != c.mail {
				t.Errorf("%s: the upstream got mail %q, want %q", name, got, c.mail)
			}
			if n := g.provider.Grants(); n != i {
				t.Errorf("%s: %d grants, want %d", name, n, i)
			}
		}
		if !c.goesOn && g.l.refreshes.refused.Load() != 1 {
			t.Errorf("%s: %d refused are counted, want 1", name, g.l.refreshes.refused.Load())
		}
	}
}

// A new ID token that cannot be checked now is not taken; the session goes on
// with the old claims and the new tokens.
func TestRefreshWithoutKeys(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	g.provider.Set(func(b *oidctest.Behavior) { b.RefreshClaims = map[string]interface{}{"email": "m@evil.test"} })
	g.provider.Rotate()
	g.provider.Handle(oidctest.JWKS, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	g.clock.advance(300 * time.Second)
	g.expectStatus("without keys", g.do(fetch(t, "/app")), http.StatusOK)
	if got := g.upstream.Header.Get("X-Auth-Request-Email"); got != "alice@example.com" || g.token() == "" {
		t.Errorf("the upstream got mail %q; an access token: %v", got, g.token() != "")
	}
}

// A provider in trouble ends no session before its access token does. Then it is
// 503, and all is well when the provider is.
func TestRefreshWithProviderInTrouble(t *testing.T) {
	trouble := map[string]func(w http.ResponseWriter, r *http.Request){
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"503 with invalid_grant": func(w http.ResponseWriter, _ *http.Request) {
			oidctest.WriteJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "invalid_grant"})
		},
		"invalid_client": func(w http.ResponseWriter, _ *http.Request) {
			oidctest.WriteJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		},
		"a page": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"a closed connection": func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				conn.Close()
			}
		},
		"no answer": func(_ http.ResponseWriter, r *http.Request) {
			r.ParseForm() // the server sees only then that the client has left
			<-r.Context().Done()
		},
	}
	for name, h := range trouble {
		g := inStore(t, "cookie", func(c *Config) { c.Refresh.Timeout = "300ms" })
		g.login("/app", nil)
		g.provider.Handle(oidctest.Token, h)
		hits := g.provider.Hits(oidctest.Token)
		g.clock.advance(240 * time.Second)
		for i := 0; i < 5; i++ {
			g.expectStatus(name+": while the access token is good", g.do(fetch(t, "/app")), http.StatusOK)
		}
		if n := g.provider.Hits(oidctest.Token) - hits; n != 1 {
			t.Errorf("%s: %d tries at once, want 1", name, n)
		}
		g.clock.advance(59 * time.Second)
		g.expectStatus(name+": just before its end", g.do(fetch(t, "/app")), http.StatusOK)
		g.clock.advance(time.Second)
		for _, r := range []*http.Request{fetch(t, "/app"), navigate(t, "/app")} {
			response := g.do(r)
			g.expectStatus(name+": at its end", response, http.StatusServiceUnavailable)
			if response.Header.Get("Retry-After") == "" {
				t.Errorf("%s: 503 without Retry-After", name)
			}
		}
		if c := g.l.refreshes; c.failed.Load() < 2 || c.refused.Load() != 0 {
			t.Errorf("%s: %d failed and %d refused are counted", name, c.failed.Load(), c.refused.Load())
		}
		g.provider.Handle(oidctest.Token, nil)
		g.clock.advance(lastBackOff)
		g.expectStatus(name+": when it is over", g.do(fetch(t, "/app")), http.StatusOK)
		if n := g.provider.Grants(); n != 1 {
			t.Errorf("%s: %d grants, want 1", name, n)
		}
	}
}

// A provider whose discovery document is out of reach is in trouble, too.
func TestRefreshWithoutDiscovery(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	other := g.replica(func(c *Config) { withAccessToken(c) })
	g.provider.Down(true)
	g.clock.advance(240 * time.Second)
	g.expectStatus("while the access token is good", g.doAt(other, fetch(t, "/app")), http.StatusOK)
	g.clock.advance(60 * time.Second)
	g.expectStatus("at its end", g.doAt(other, fetch(t, "/app")), http.StatusServiceUnavailable)
	g.provider.Down(false)
	g.clock.advance(lastBackOff)
	g.expectStatus("when it is over", g.doAt(other, fetch(t, "/app")), http.StatusOK)
}

func refuseGrants(g *rig) {
	g.provider.Handle(oidctest.Token, func(w http.ResponseWriter, _ *http.Request) {
		oidctest.WriteJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	})
}

// invalid_grant ends the session, once, and no other.
func TestInvalidGrant(t *testing.T) {
	for _, store := range stores {
		g := inStore(t, store, nil)
		g.login("/app", nil)
		first := g.swap(nil)
		g.login("/app", nil)
		second := g.swap(first)
		g.clock.advance(240 * time.Second)
		refuseGrants(g)
		hits := g.provider.Hits(oidctest.Token)
		before := g.l.revocations.Index().Generation()
		g.expectStatus(store+": refused", g.do(fetch(t, "/app")), http.StatusUnauthorized)
		if n := g.l.revocations.Index().Generation() - before; n != 1 {
			t.Errorf("%s: %d revocations tell the others, want 1", store, n)
		}
		g.swap(first)
		g.expectStatus(store+": afterwards", g.do(fetch(t, "/app")), http.StatusUnauthorized)
		location(t, g.do(navigate(t, "/app")))
		if n := g.provider.Hits(oidctest.Token) - hits; n != 1 || g.l.refreshes.refused.Load() != 1 {
			t.Errorf("%s: %d tries, %d refused are counted, want 1", store, n, g.l.refreshes.refused.Load())
		}
		g.provider.Handle(oidctest.Token, nil)
		g.swap(second)
		g.expectStatus(store+": another session", g.do(fetch(t, "/app")), http.StatusOK)
		if g.provider.Grants() != 1 {
			t.Errorf("%s: another session: %d grants", store, g.provider.Grants())
		}
	}
}

// A refresh token older than maxTokenAge is not tried.
func TestMaxTokenAge(t *testing.T) {
	for _, c := range []struct {
		maxTokenAge string
		idle        time.Duration
		tried       bool
	}{
		{"6h", 6 * time.Hour, true},
		{"6h", 6*time.Hour + time.Second, false},
		{"1h", 2 * time.Hour, false},
		{"0", 23 * time.Hour, true},
	} {
		g := inStore(t, "cookie", func(set *Config) { set.Refresh.MaxTokenAge = c.maxTokenAge })
		g.login("/app", nil)
		g.clock.advance(c.idle)
		hits := g.provider.Hits(oidctest.Token)
		want := http.StatusOK
		if !c.tried {
			want = http.StatusUnauthorized
		}
		g.expectStatus(c.idle.String()+" of "+c.maxTokenAge, g.do(fetch(t, "/app")), want)
		if !c.tried && !strings.HasPrefix(location(t, g.do(navigate(t, "/app"))), g.provider.Issuer()) {
			t.Error("a navigation was not sent to log in")
		}
		if tried := g.provider.Hits(oidctest.Token) != hits; tried != c.tried {
			t.Errorf("%s of %s: tried: %v, want %v", c.idle, c.maxTokenAge, tried, c.tried)
		}
	}
}

// An access token that lives on is good, however old the refresh token.
func TestMaxTokenAgeBeforeTheEnd(t *testing.T) {
	g := inStore(t, "cookie", func(c *Config) { c.Refresh.MaxTokenAge = "200s" })
	g.login("/app", nil)
	g.clock.advance(240 * time.Second)
	g.expectStatus("before the end", g.do(fetch(t, "/app")), http.StatusOK)
	g.clock.advance(60 * time.Second)
	g.expectStatus("at the end", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	if n := g.provider.Grants(); n != 0 {
		t.Errorf("%d grants, want none", n)
	}
}

// edit changes the session in the jar's cookie.
func (g *rig) edit(change func(*session)) {
	g.t.Helper()
	r := g.withJar(fetch(g.t, "/app"))
	s, err := g.l.openSession(r.Context(), g.l.cookieValue(r))
	if err != nil {
		g.t.Fatal(err)
	}
	change(s)
	chunks, err := g.l.sealSession(s)
	if err != nil || len(chunks) != 1 {
		g.t.Fatalf("%d cookies, %v", len(chunks), err)
	}
	g.jar[g.l.set.cookie.Name] = chunks[0]
}

// A session that does not say when its tokens came gets a try.
func TestSessionWithoutTimestamp(t *testing.T) {
	g := inStore(t, "cookie", nil)
	g.login("/app", nil)
	g.edit(func(s *session) { s.Granted = 0 })
	g.clock.advance(10 * time.Hour)
	g.expectStatus("a try", g.do(fetch(t, "/app")), http.StatusOK)
	if n := g.provider.Grants(); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}
	g.clock.advance(10 * time.Hour)
	g.expectStatus("it says now", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// Without a refresh token, or an end of the access token, a session goes on as
// it is.
func TestSessionsThatAreNotRefreshed(t *testing.T) {
	for name, change := range map[string]func(*oidctest.Behavior){
		"no refresh token": func(b *oidctest.Behavior) { b.RefreshTokens = false },
		"no expires_in":    func(b *oidctest.Behavior) { b.TokenResponse = map[string]interface{}{"expires_in": nil} },
	} {
		g := inStore(t, "cookie", nil)
		g.provider.Set(change)
		g.login("/app", nil)
		hits := g.provider.Hits(oidctest.Token)
		for i := 0; i < 5; i++ {
			g.clock.advance(time.Hour)
			g.expectStatus(name, g.do(fetch(t, "/app")), http.StatusOK)
		}
		if g.provider.Hits(oidctest.Token) != hits {
			t.Errorf("%s: the token endpoint was asked", name)
		}
	}
}
