package latchkey

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// accessToken is a good one, with changes.
func (g *rig) accessToken(changes map[string]interface{}) string {
	claims := map[string]interface{}{"aud": oidctest.Audience, "scope": "read", "groups": []string{"ci"}}
	for name, value := range changes {
		claims[name] = value
	}
	return g.provider.Sign(map[string]interface{}{"alg": "RS256", "typ": "at+jwt"}, g.provider.Claims(claims))
}

func bearer(t *testing.T, target, token string) *http.Request {
	t.Helper()
	r := request(t, http.MethodGet, target)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func TestBearer(t *testing.T) {
	g := newRig(t, nil)
	token := g.accessToken(nil)
	g.expectStatus("a good token", g.do(bearer(t, "/app", token)), http.StatusOK)
	if got := g.upstream.Header.Get("X-Auth-Request-User"); got != oidctest.Subject {
		t.Errorf("the upstream got user %q", got)
	}
	if got := g.upstream.Header.Get("Authorization"); got != "Bearer "+token {
		t.Error("the upstream did not get the Authorization header as it came")
	}
	r := bearer(t, "/app", token)
	r.Header.Set("Authorization", "bEARER   "+token)
	g.expectStatus("another spelling of the scheme", g.do(r), http.StatusOK)
}

func TestBearerRefused(t *testing.T) {
	g := newRig(t, nil)
	good := g.accessToken(nil)
	for name, r := range map[string]*http.Request{
		"garbage":               bearer(t, "/app", "garbage"),
		"nothing":               bearer(t, "/app", ""),
		"another audience":      bearer(t, "/app", g.accessToken(map[string]interface{}{"aud": "other"})),
		"another issuer":        bearer(t, "/app", g.accessToken(map[string]interface{}{"iss": "https://evil.test"})),
		"an ID token":           bearer(t, "/app", g.provider.Sign(map[string]interface{}{"alg": "RS256", "typ": "JWT"}, g.provider.Claims(map[string]interface{}{"nonce": "n"}))),
		"an expired one":        bearer(t, "/app", g.accessToken(map[string]interface{}{"exp": g.clock.at.Load() - 61})),
		"a changed signature":   bearer(t, "/app", good[:len(good)-6]+"AAAAAA"),
		"given in a page's URL": request(t, "GET", "/app?access_token="+good),
	} {
		response := g.do(r)
		g.expectStatus(name, response, http.StatusUnauthorized)
		if got := response.Header.Get("WWW-Authenticate"); strings.Contains(got, "invalid_token") != (r.Header.Get("Authorization") != "") {
			t.Errorf("%s: WWW-Authenticate: %s", name, got)
		}
	}
	bare := request(t, "GET", "/app")
	bare.Header.Set("Authorization", "Bearer")
	g.expectStatus("the scheme alone", g.do(bare), http.StatusUnauthorized)
	twice := bearer(t, "/app", good)
	twice.Header.Add("Authorization", "Bearer "+good)
	g.expectStatus("two of them", g.do(twice), http.StatusUnauthorized)
	page := bearer(t, "/app", "garbage")
	page.Header.Set("Accept", "text/html")
	g.expectStatus("from a browser's navigation", g.do(page), http.StatusUnauthorized)
}

// One credential decides: a bad token is not made good by a session beside it.
// A token that outlives the memory of its revocation is refused.
func TestBearerLifetime(t *testing.T) {
	for _, most := range []string{"24h", "1h"} {
		setting := most
		g := newRig(t, func(c *Config) { c.Bearer.MaxLifetime = setting })
		allowed, err := time.ParseDuration(most)
		if err != nil {
			t.Fatal(err)
		}
		now := g.clock.at.Load()
		seconds := int64(allowed / time.Second)
		for what, c := range map[string]struct {
			iat, exp interface{}
			want     int
		}{
			"as long as may be":          {now, now + seconds, http.StatusOK},
			"a second longer":            {now, now + seconds + 1, http.StatusUnauthorized},
			"begun long ago":             {now - seconds + 100, now + 200, http.StatusUnauthorized},
			"without iat":                {nil, now + seconds, http.StatusOK},
			"without iat, longer":        {nil, now + seconds + 1, http.StatusUnauthorized},
			"without iat, for ever":      {nil, now + 1000000000, http.StatusUnauthorized},
			"of the future, by a minute": {now + 30, now + 30 + seconds, http.StatusUnauthorized},
		} {
			token := g.accessToken(map[string]interface{}{"iat": c.iat, "exp": c.exp})
			g.expectStatus(most+": "+what, g.do(bearer(t, "/app", token)), c.want)
		}
	}
}

// A user's revocation is remembered for as long as their access tokens may live,
// however short sessions are.
func TestRevocationOutlivesAccessTokens(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Session.Lifetime = "10m"
		c.Bearer.MaxLifetime = "6h"
		c.APITokens.Enabled = false
	})
	ends := map[bool]int64{}
	id := g.l.revocations.Index().Watch(func(entries []revocation.Entry) { ends[entries[0].Always] = entries[0].Until })
	defer g.l.revocations.Index().Unwatch(id)
	g.revokedBy(g.l, revocation.User(g.provider.Issuer(), oidctest.Subject))
	if err := g.l.revokeSessions(context.Background(), "s"); err != nil {
		t.Fatal(err)
	}
	now := g.clock.now()
	for always, least := range map[bool]time.Duration{false: 6 * time.Hour, true: 10 * time.Minute} {
		if left := time.Unix(ends[always], 0).Sub(now); left < least+time.Minute || left > least+5*time.Minute {
			t.Errorf("always %v: remembered for %s, want a little more than %s", always, left, least)
		}
	}
}

func TestBearerIsNotMixedWithSession(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", map[string]interface{}{"email": "a@example.com"})
	bare := navigate(t, "/app")
	bare.Header.Set("Authorization", "Bearer")
	g.expectStatus("the scheme alone beside a session", g.do(bare), http.StatusUnauthorized)
	g.expectStatus("a bad token beside a session", g.do(bearer(t, "/app", "garbage")), http.StatusUnauthorized)
	g.expectStatus("a good token beside a session", g.do(bearer(t, "/app", g.accessToken(nil))), http.StatusOK)
	if got := g.upstream.Header.Get("X-Auth-Request-Email"); got == "a@example.com" {
		t.Errorf("the session's e-mail %q went with the token's identity", got)
	}
	basic := navigate(t, "/app")
	basic.Header.Set("Authorization", "Basic dTpw")
	g.expectStatus("the upstream's own scheme beside a session", g.do(basic), http.StatusOK)
	if got := g.upstream.Header.Get("Authorization"); got != "Basic dTpw" {
		t.Errorf("the upstream got %q", got)
	}
}

// The cache is asked before anything is parsed: a credential in it is served,
// though no parser would take it; the same one uncached is refused.
func TestCacheComesBeforeParsing(t *testing.T) {
	g := newRig(t, nil)
	v, err := g.l.verifyBearer(testContext(t), g.accessToken(nil))
	if err != nil {
		t.Fatal(err)
	}
	unparsable := "}{ not a token"
	cookie := request(t, "GET", "/app")
	cookie.Header.Set("Cookie", g.l.set.cookie.Name+"=1not-sealed")
	g.expectStatus("a token uncached", g.do(bearer(t, "/app", unparsable)), http.StatusUnauthorized)
	g.expectStatus("a cookie uncached", g.do(cookie), http.StatusUnauthorized)
	g.l.tokens.put(g.l.keyOf(credential{identity.Bearer, unparsable}), v)
	g.l.tokens.put(g.l.keyOf(credential{identity.Session, "not-sealed"}), v)
	g.expectStatus("a token cached", g.do(bearer(t, "/app", unparsable)), http.StatusOK)
	g.expectStatus("a cookie cached", g.do(cookie), http.StatusOK)
}

// A token of one kind is not found under the other: a cookie's value is no
// bearer token.
func TestCacheKeepsKindsApart(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	g.expectStatus("the session", g.do(navigate(t, "/app")), http.StatusOK)
	sealed := g.l.cookieValue(g.withJar(navigate(t, "/")))
	g.jar = map[string]string{}
	g.expectStatus("its value as a bearer token", g.do(bearer(t, "/app", sealed)), http.StatusUnauthorized)
}

func TestVerdictEndsWithTheToken(t *testing.T) {
	g := newRig(t, nil)
	token := g.accessToken(map[string]interface{}{"exp": g.clock.at.Load() + 30})
	g.expectStatus("before", g.do(bearer(t, "/app", token)), http.StatusOK)
	g.clock.advance(30*time.Second + 61*time.Second)
	g.expectStatus("after its end", g.do(bearer(t, "/app", token)), http.StatusUnauthorized)
}

// A key that the provider withdrew stops working: verdicts are looked at again.
func TestWithdrawnKey(t *testing.T) {
	g := newRig(t, nil)
	token := g.accessToken(map[string]interface{}{"exp": g.clock.at.Load() + 86400})
	g.expectStatus("before", g.do(bearer(t, "/app", token)), http.StatusOK)
	g.provider.Rotate()
	// Keys are fetched again in the background when they are ten minutes old.
	for deadline := time.Now().Add(10 * time.Second); ; {
		g.clock.advance(11 * time.Minute)
		if response := g.do(bearer(t, "/app", token)); response.StatusCode == http.StatusUnauthorized {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the withdrawn key's token is still accepted")
		}
	}
}

func TestStrictRouterDoesNotTakeLaxVerdicts(t *testing.T) {
	g := newRig(t, nil)
	strict := g.router(func(c *Config) { c.Bearer.Audiences = []string{"strict"} })
	token := g.accessToken(nil)
	g.expectStatus("the lax router", g.do(bearer(t, "/app", token)), http.StatusOK)
	g.expectStatus("the strict router", g.doAt(strict, bearer(t, "/app", token)), http.StatusUnauthorized)
	g.expectStatus("the lax router again", g.do(bearer(t, "/app", token)), http.StatusOK)
}

// Garbage is refused from memory for a few seconds, and is pushed out apart from
// what is good.
func TestNegativesAreBoundedApart(t *testing.T) {
	g := newRig(t, nil)
	token := g.accessToken(nil)
	g.expectStatus("a good token", g.do(bearer(t, "/app", token)), http.StatusOK)
	for i := 0; i < 3*negativesKept; i++ {
		g.do(bearer(t, "/app", strings.Repeat("x", i)))
	}
	if size := g.l.tokens.size(); size != 1 {
		t.Errorf("%d verdicts are cached after garbage, want the one good", size)
	}
}

func TestUnverifiedEmail(t *testing.T) {
	for name, c := range map[string]struct {
		verified interface{}
		status   int
	}{
		"verified": {true, http.StatusOK}, "not said": {nil, http.StatusOK}, "as a text": {"true", http.StatusOK},
		"not verified": {false, http.StatusForbidden}, "not, as a text": {"false", http.StatusForbidden}, "null": {0, http.StatusForbidden},
	} {
		g := newRig(t, func(c *Config) { c.Authorize = "Equals(`email`, `boss@example.com`)" })
		claims := map[string]interface{}{"email": "boss@example.com"}
		if c.verified != nil {
			claims["email_verified"] = c.verified
		}
		g.expectStatus(name, g.do(bearer(t, "/app", g.accessToken(claims))), c.status)
	}
}

func TestBearerProviderDown(t *testing.T) {
	g := newRig(t, nil)
	g.provider.Down(true)
	response := g.do(bearer(t, "/app", g.accessToken(nil)))
	g.expectStatus("without keys", response, http.StatusServiceUnavailable)
	if response.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	g.provider.Down(false)
	g.clock.advance(10 * time.Second)
	g.expectStatus("back again", g.do(bearer(t, "/app", g.accessToken(nil))), http.StatusOK)
}

func TestSeveralIssuers(t *testing.T) {
	g := newRig(t, nil)
	other := oidctest.New(t)
	other.Set(func(b *oidctest.Behavior) { b.Now = g.clock.now })
	g.l = g.router(func(c *Config) {
		c.Bearer.Issuers = []IssuerConfig{
			{Issuer: g.provider.Issuer()},
			{Issuer: other.Issuer(), JWKSURL: other.Issuer() + oidctest.JWKS, Audiences: []string{"machines"}, Types: []string{"at+jwt"}},
		}
	})
	sign := func(typ, aud string) string {
		return other.Sign(map[string]interface{}{"alg": "RS256", "typ": typ}, other.Claims(map[string]interface{}{"aud": aud, "scope": "x"}))
	}
	g.expectStatus("the provider's", g.do(bearer(t, "/app", g.accessToken(nil))), http.StatusOK)
	g.expectStatus("the other's", g.do(bearer(t, "/app", sign("at+jwt", "machines"))), http.StatusOK)
	g.expectStatus("the other's for the provider's audience", g.do(bearer(t, "/app", sign("at+jwt", oidctest.Audience))), http.StatusUnauthorized)
	g.expectStatus("the other's of another type", g.do(bearer(t, "/app", sign("JWT", "machines"))), http.StatusUnauthorized)
	if other.Hits(oidctest.Discovery) != 0 {
		t.Error("discovery was asked though the keys' address is given")
	}
}

func TestBearerOff(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Bearer = BearerConfig{} })
	g.expectStatus("a good token", g.do(bearer(t, "/app", g.accessToken(nil))), http.StatusUnauthorized)
	g.login("/app", nil)
	g.expectStatus("a session beside it", g.do(bearer(t, "/app", "the upstream's own")), http.StatusOK)
	if got := g.upstream.Header.Get("Authorization"); got != "Bearer the upstream's own" {
		t.Errorf("the upstream got %q", got)
	}
}
