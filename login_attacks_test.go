package latchkey

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// The provider is asked about no code but the one of a well-formed answer; one
// that is malformed leaves the login as it is.
func TestMalformedCallbackAsksNobody(t *testing.T) {
	for name, change := range map[string]func(url.Values){
		"neither code nor error": func(q url.Values) { q.Del("code") },
		"code and error":         func(q url.Values) { q.Set("error", "access_denied") },
		"code twice":             func(q url.Values) { q.Add("code", "x") },
		"state twice":            func(q url.Values) { q.Add("state", "x") },
		"an empty code":          func(q url.Values) { q.Set("code", "") },
	} {
		g := newRig(t, nil)
		good := g.begin("/app", nil)
		path, rawQuery, _ := strings.Cut(good, "?")
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			t.Fatal(err)
		}
		change(query)
		g.expectStatus(name, g.do(navigate(t, path+"?"+query.Encode())), http.StatusBadRequest)
		if n := g.provider.Hits(oidctest.Token); n != 0 {
			t.Errorf("%s: the provider was asked %d times", name, n)
		}
		if to := location(t, g.do(navigate(t, good))); to != "/app" {
			t.Errorf("%s: the login then ended at %q", name, to)
		}
	}
}

func TestProvidersErrorIsNoCode(t *testing.T) {
	g := newRig(t, nil)
	u, err := url.Parse(g.begin("/app", nil))
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("code")
	query.Set("error", "access_denied")
	g.expectStatus("an error", g.do(navigate(t, u.Path+"?"+query.Encode())), http.StatusBadRequest)
	if n := g.provider.Hits(oidctest.Token); n != 0 {
		t.Errorf("the provider was asked %d times", n)
	}
}

// OpenID Connect Core, section 3.1.3.6: tokens of two logins do not mix.
func TestHashesOfTheLogin(t *testing.T) {
	for _, name := range []string{"at_hash", "c_hash"} {
		g := newRig(t, nil)
		g.provider.Set(func(b *oidctest.Behavior) {
			b.IDTokenClaims = map[string]interface{}{name: "77QmUPtjPfzWtF2AnpK9RQ"}
		})
		g.expectStatus("another's "+name, g.do(navigate(t, g.begin("/app", nil))), http.StatusBadRequest)
		if len(g.sessionCookies()) != 0 {
			t.Errorf("another's %s made a session", name)
		}
	}
}

// Rules may ask the access token's claims only where it is about the same person
// at the same issuer.
func TestAccessTokenOfAnotherIsNotAsked(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]interface{}
		status int
	}{
		"good":             {nil, 200},
		"another issuer's": {map[string]interface{}{"iss": "https://other.example.com"}, 403},
		"another sub's":    {map[string]interface{}{"sub": "mallory"}, 403},
	} {
		g := newRig(t, func(config *Config) { config.Authorize = "Contains(`access_token.roles`, `ops`)" })
		claims := map[string]interface{}{"roles": []string{"ops"}}
		for claim, value := range c.claims {
			claims[claim] = value
		}
		g.provider.Set(func(b *oidctest.Behavior) { b.AccessTokenClaims = claims })
		g.login("/app", nil)
		g.expectStatus(name, g.do(fetch(t, "/app")), c.status)
	}
}

func TestReservedParamsAreRefused(t *testing.T) {
	for _, name := range []string{
		"response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
		"request", "request_uri", "State", "RESPONSE_MODE",
	} {
		c := validConfig()
		c.Provider.AuthParams = map[string]string{name: "x"}
		_, err := compile(c)
		if err == nil || !strings.Contains(err.Error(), `provider.authParams: "`+name+`"`) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A login that began with another provider or client does not end here, though
// the secret is the same.
func TestFlowOfAnotherMiddleware(t *testing.T) {
	g := newRig(t, nil)
	f := g.l.newFlow(navigate(t, "/"), "/app")
	w := httptest.NewRecorder()
	if err := g.l.saveFlow(w, navigate(t, "/"), f); err != nil {
		t.Fatal(err)
	}
	callback := navigate(t, "/oauth2/callback")
	for _, c := range w.Result().Cookies() {
		callback.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	for name, change := range map[string]func(*Config){
		"another issuer": func(c *Config) { c.Provider.Issuer = "https://other.example.com" },
		"another client": func(c *Config) { c.Provider.ClientID = "other" },
	} {
		if _, err := g.router(change).takeFlow(httptest.NewRecorder(), callback, f.State); !errors.Is(err, errCallback) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := g.l.takeFlow(httptest.NewRecorder(), callback, f.State); err != nil {
		t.Errorf("its own: %v", err)
	}
}

func TestFlowsAreUnlike(t *testing.T) {
	g := newRig(t, nil)
	a, b := g.l.newFlow(navigate(t, "/"), "/app"), g.l.newFlow(navigate(t, "/"), "/app")
	if a.State == b.State || a.Nonce == b.Nonce || a.Verifier == b.Verifier {
		t.Error("two logins share a secret")
	}
	_, random, _ := strings.Cut(a.State, ".")
	if len(random) < 32 || len(a.Nonce) < 32 || len(a.Verifier) < 43 {
		t.Errorf("short: state %d, nonce %d, verifier %d", len(random), len(a.Nonce), len(a.Verifier))
	}
}

// The callback comes from the provider's site, along which a strict cookie is
// not sent.
func TestFlowCookieComesBack(t *testing.T) {
	for setting, want := range map[string]http.SameSite{
		"strict": http.SameSiteLaxMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode,
	} {
		g := newRig(t, func(c *Config) { c.Session.Cookie.SameSite = setting })
		cookies := g.do(navigate(t, "/app")).Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: %d cookies", setting, len(cookies))
		}
		c := cookies[0]
		if c.SameSite != want || !c.HttpOnly || !c.Secure || c.Path != "/" || c.MaxAge != 600 {
			t.Errorf("%s: got %s", setting, c.String())
		}
	}
}
