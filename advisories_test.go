package latchkey

import (
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// Attacks that were published against others of this kind, where no other test
// plays them. docs/security.md has all of them.

// A health check is a request like any other (CVE-2026-34457).
func TestHealthChecksAreAsked(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/healthz"} })
	for _, agent := range []string{"", "GoogleHC/1.0", "kube-probe/1.34", "ELB-HealthChecker/2.0", "Consul Health Check", "Amazon-Route53-Health-Check-Service"} {
		for path, want := range map[string]int{"/app": http.StatusUnauthorized, "/": http.StatusUnauthorized, "/healthz": http.StatusOK} {
			r := fetch(t, path)
			r.Header.Set("User-Agent", agent)
			g.expectStatus(agent+" "+path, g.do(r), want)
		}
	}
}

// A rule about an e-mail address's domain, and an upstream that takes the
// address apart, read one with several @ differently (CVE-2026-40574). Such a
// text is no address: it is left out, as one that is not verified.
func TestEmailThatIsNone(t *testing.T) {
	const header = "X-Auth-Request-Email"
	for _, c := range []struct {
		email  interface{}
		status int
	}{
		{"alice@example.com", 200},
		{"mallory@example.net@example.com", 403},
		{"@example.com", 403},
		{"@@example.com", 403},
		{"mallory@example.net @example.com", 403},
		{"mallory@example.net\u00a0<x@example.com", 403},
		{"mallory@example.net,x@example.com", 403},
		{"\"mallory@example.net\"@example.com", 403},
		{"mallory@example.net\u2028@example.com", 403},
		{"a\u200b@example.com", 403},
		{"mallory@example.com.example.net", 403},
		{"mallory@notexample.com", 403},
		{"example.com", 403},
		{[]interface{}{"alice@example.com"}, 403},
		{map[string]interface{}{"address": "alice@example.com"}, 403},
		{nil, 403},
		{"", 403},
	} {
		g := newRig(t, func(config *Config) { config.Authorize = "Suffix(`email`, `@example.com`)" })
		claims := map[string]interface{}{"email": c.email, "email_verified": true}
		g.expectStatus("bearer", g.do(bearer(t, "/app", g.accessToken(claims))), c.status)
		g.login("/app", claims)
		g.expectStatus("session", g.do(fetch(t, "/app")), c.status)
		if c.status != http.StatusOK {
			open := g.router(nil)
			g.expectStatus("no rule", g.doAt(open, fetch(t, "/app")), http.StatusOK)
			got := g.upstream.Header.Get(header)
			if want := map[bool]string{true: text(c.email)}[emailAddress.MatchString(text(c.email))]; got != want {
				t.Errorf("%v: the upstream got %q, want %q", c.email, got, want)
			}
		}
	}
}

// A request without a body, of no type, or of any, breaks nothing
// (CVE-2025-3891).
func TestEmptyRequests(t *testing.T) {
	g := tokenRig(t, nil)
	g.login("/app", nil)
	paths := []string{"/app", "/oauth2", "/oauth2/", "/oauth2/api", "/oauth2/api/tokens", "/oauth2/api/sessions", "/oauth2/api/user", "/oauth2/api/tokens/x/rotate"}
	for name := range g.l.endpoints {
		paths = append(paths, "/oauth2"+name)
	}
	jar := g.jar
	for _, path := range paths {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "TRACE"} {
			for _, kind := range []string{"none", "", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "application/json", "text/xml"} {
				g.jar = map[string]string{}
				if path == "/oauth2/api/tokens/x/rotate" || path == "/oauth2/account" {
					for name, value := range jar {
						g.jar[name] = value
					}
				}
				r := request(t, method, path)
				r.Body = http.NoBody
				if kind != "none" {
					r.Header["Content-Type"] = []string{kind}
				}
				if status := g.do(r).StatusCode; status >= 500 {
					t.Errorf("%s %s, type %q: status %d", method, path, kind, status)
				}
			}
		}
	}
}

// env:, file: and the like have a meaning in the settings, and in nothing that a
// provider or a client sends (GHSA-j3g4-73w8-p842).
func TestOnlySettingsAreResolved(t *testing.T) {
	t.Setenv("LATCHKEY_TEST_SECRET", "a secret of the environment")
	for _, value := range []string{"env:LATCHKEY_TEST_SECRET", "file:/etc/hostname", "exec:id", "urn:k8s:secret:a:b", "${LATCHKEY_TEST_SECRET}", "{{ env `LATCHKEY_TEST_SECRET` }}"} {
		g := newRig(t, func(c *Config) { c.Forward.Headers = map[string]string{"X-Team": "team"} })
		g.login("/app", map[string]interface{}{"team": value})
		g.expectStatus(value, g.do(fetch(t, "/app")), http.StatusOK)
		if got := g.upstream.Header.Get("X-Team"); got != value {
			t.Errorf("%s became %q", value, got)
		}
		g = newRig(t, nil)
		g.provider.Set(func(b *oidctest.Behavior) {
			b.Discovery = map[string]interface{}{"token_endpoint": value, "jwks_uri": value}
		})
		g.expectStatus("discovery", g.do(navigate(t, "/app")), http.StatusServiceUnavailable)
		g.expectStatus("discovery, bearer", g.do(bearer(t, "/app", g.accessToken(nil))), http.StatusServiceUnavailable)
	}
}

// A right in another spelling is another right (CVE-2026-105986): neither
// encodings of a path, nor a scope that reads like one, give what is not one's
// own.
func TestRightsInOtherSpellings(t *testing.T) {
	g := tokenRig(t, func(c *Config) {
		c.Admin = "Equals(`sub`, `root`)"
		c.APITokens.Scopes = map[string]string{"read": "", "deploy": "Equals(`sub`, `root`)"}
	})
	id, _ := g.give(func(n *NewToken) { n.Owner = "bob"; n.Scopes = []string{"read"} })
	g.login("/app", nil)
	for _, scope := range []string{"deploy", "dep%6coy", "deploy ", " deploy", "deploy\u0000", "Deploy", "read deploy", "read,deploy", "deploy\t", "*", ""} {
		response := g.call("POST", "/oauth2/api/tokens", `{"scopes": ["read", `+quoted(scope)+`]}`)
		if response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusBadRequest {
			t.Errorf("scope %q: status %d", scope, response.StatusCode)
		}
	}
	for _, path := range []string{
		"/oauth2/api/tokens/" + id, "/oauth2/api/tokens/%" + hexOf(id[0]) + id[1:], "/oauth2/api/tokens/" + strings.ToUpper(id),
		"/oauth2/api/user", "/oauth2/api/%75ser", "/oauth2/api/user?user=bob", "/oauth2/api/user?%75ser=bob", "/oauth2/api/user?user=%62ob",
		"/oauth2/%61pi/user?user=bob", "/oauth2/api//user?user=bob", "/oauth2/api/./user?user=bob", "/oauth2/api/tokens/../user?user=bob", "/oauth2/api/user;x?user=bob",
	} {
		g.do(apiRequest(t, "DELETE", path, ""))
	}
	if list, err := g.l.listTokens(testContext(t), "bob"); err != nil || len(list) != 1 {
		t.Errorf("bob's tokens are now %+v, error %v", list, err)
	}
}

const hexDigits = "0123456789abcdef"

// hexOf is a byte as a path's encoding has it.
func hexOf(b byte) string { return string([]byte{hexDigits[b>>4], hexDigits[b&15]}) }

// quoted is a text as JSON has it.
func quoted(text string) string {
	return `"` + strings.NewReplacer("\x00", `\u0000`, "\t", `\t`).Replace(text) + `"`
}
