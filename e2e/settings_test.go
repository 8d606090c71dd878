package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// Settings come from YAML, labels and Kubernetes: numbers for durations, texts for numbers, commas for lists.
func TestSettingsWeaklyTyped(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "client-secret")
	if err := os.WriteFile(file, []byte(harness.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, plan{
		traefik: harness.TraefikOptions{Env: []string{"LATCHKEY_E2E_SECRET=a secret of at least thirty-two bytes"}},
		settings: func(s *harness.Site, _ harness.Settings) harness.Settings {
			return harness.Settings{
				"provider": harness.Settings{
					"issuer":       s.Provider.Issuer,
					"clientID":     harness.ClientID,
					"clientSecret": "file:" + file,
					"scopes":       "openid,profile,email",
					"authParams":   harness.Settings{"max_age": 3600},
					"timeout":      10,
				},
				"secret": "env:LATCHKEY_E2E_SECRET",
				"public": "/public/,/healthz",
				"session": harness.Settings{
					"lifetime":    3600,
					"idleTimeout": "45m",
					"cookie":      harness.Settings{"secure": "true", "name": "weak"},
				},
				"bearer": harness.Settings{"audiences": "somebody-else," + harness.APIAudience},
				"cache":  harness.Settings{"tokens": "100"},
			}
		},
	})
	tab := b.tab()
	if _, err := tab.Open(b.Traefik.TLSURL + "/page"); err != nil {
		t.Fatal(err)
	}
	status, err := tab.Login("alice")
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusOK {
		t.Errorf("status %d after the login, want 200", status)
	}
	b.isOpen(harness.Client(), "/public/page")
	b.isOpen(harness.Client(), "/healthz")
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+b.bearer("alice"))

	cookies, err := tab.Cookies()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, cookie := range cookies {
		if cookie.Name != "__Host-weak" {
			continue
		}
		found = true
		if left := time.Until(time.Unix(int64(cookie.Expires), 0)); left > time.Hour || left < 30*time.Minute {
			t.Errorf("the session cookie ends in %v, want within the lifetime of an hour", left)
		}
		if !cookie.Secure || !cookie.HTTPOnly {
			t.Errorf("the session cookie has Secure %v, HttpOnly %v, want both", cookie.Secure, cookie.HTTPOnly)
		}
	}
	if !found {
		t.Error("there is no session cookie __Host-weak")
	}
}

// A middleware that cannot be right is not there at all: its router stays shut, and the log names every mistake.
func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	b := start(t, plan{dynamic: func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
		d.Middlewares["broken"] = harness.Settings{
			"provider":  harness.Settings{"issuer": "not a URL", "clientAuth": "guess", "timeout": "soon"},
			"secret":    "too short",
			"basePath":  "no-slash",
			"sesion":    harness.Settings{"lifetime": "1h"},
			"session":   harness.Settings{"lifetme": "1h", "cookie": harness.Settings{"sameSite": "sometimes"}},
			"authorize": "OneOf(`groups`",
		}
		d.Routers = map[string]harness.Router{
			"broken": {Rule: "PathPrefix(`/`)", Middlewares: []string{"broken"}, Service: "app"},
		}
		return d
	}})
	for _, path := range []string{"/", "/public/page", "/no-slash/login"} {
		a := b.get(harness.Client(), b.Traefik.URL+path)
		if a.status != http.StatusNotFound && a.status < 500 {
			t.Errorf("%s: status %d, want 404 or an error of the server", path, a.status)
		}
		b.untouched(path)
	}
	errors, err := b.Traefik.RouterErrors(t.Context(), "broken")
	if err != nil {
		t.Fatal(err)
	}
	if len(errors) == 0 {
		t.Error("Traefik's API shows no error for the router")
	}
	var log string
	for _, line := range strings.Split(b.Traefik.Log(), "\n") {
		if strings.Contains(line, " ERR ") { // at DEBUG Traefik logs the configuration itself, secrets and all
			log += line + "\n"
		}
	}
	for _, mistake := range []string{
		"provider.issuer", "not a URL", "provider.clientID", "provider.clientAuth", "guess", "provider.timeout", "soon",
		"secret", "basePath", "no-slash", "sesion", "session.lifetme", "session.cookie.sameSite", "sometimes", "authorize", "bearer.audiences",
	} {
		if !strings.Contains(log, mistake) {
			t.Errorf("the log does not name %q", mistake)
		}
	}
	if strings.Contains(log, "too short") {
		t.Error("the log quotes the secret")
	}
	if t.Failed() {
		t.Log(log)
	}
}
