package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// The provider goes while Traefik runs.
func TestProviderGoes(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	warm := b.session("alice")
	token := b.bearer("alice")
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+token)

	b.Provider.Stop()
	b.isOpen(harness.Client(), "/public/page")
	b.isOpen(warm, "/page")
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+token)
	b.forgetReach()
	b.loginUnavailable()

	if err := b.Provider.Start(); err != nil {
		t.Fatal(err)
	}
	b.recovers()
}

// The provider is away when Traefik starts, as after a power cut; it comes back, and Traefik is not touched.
func TestProviderComesLate(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	warm := b.session("alice")
	token := b.bearer("alice")

	b.Provider.Stop()
	if err := b.Traefik.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.isOpen(harness.Client(), "/public/page")
	b.isOpen(warm, "/page")
	b.loginUnavailable()
	a := b.get(harness.Client(), b.Traefik.TLSURL+"/api", "Authorization", "Bearer "+token)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("bearer token whose keys are out of reach: status %d, Retry-After %q, want 503 with one", a.status, a.header.Get("Retry-After"))
	}

	if err := b.Provider.Start(); err != nil {
		t.Fatal(err)
	}
	b.recovers()
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+token)
}

// isOpen checks that the app answers.
func (b *bench) isOpen(client *http.Client, path string, headers ...string) {
	b.t.Helper()
	if a := b.get(client, b.Traefik.TLSURL+path, headers...); a.status != http.StatusOK {
		b.t.Errorf("%s: status %d, want 200\n%s", path, a.status, a.body)
	}
}

// forgetReach waits until what Latchkey last got from the provider is too old to say that the provider answers now.
func (b *bench) forgetReach() {
	b.t.Helper()
	const reachAge = 10 * time.Second
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	err := harness.Poll(ctx, "the last answer of the provider to be old", func() error {
		var status struct{ Provider struct{ FetchedAt time.Time } }
		a := b.get(harness.Client(), b.Traefik.URL+"/oauth2/status")
		if err := json.Unmarshal([]byte(a.body), &status); err != nil {
			return err
		}
		if age := time.Since(status.Provider.FetchedAt); age < reachAge+time.Second {
			return fmt.Errorf("it is %v old", age)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// loginUnavailable checks that somebody who is not logged in is told to come again later.
func (b *bench) loginUnavailable() {
	b.t.Helper()
	a := b.navigate(harness.Client(), b.Traefik.TLSURL+"/page")
	if a.status != http.StatusServiceUnavailable {
		b.t.Errorf("login with the provider down: status %d, Location %q, want 503", a.status, a.header.Get("Location"))
	}
	if a.header.Get("Retry-After") == "" {
		b.t.Errorf("login with the provider down: no Retry-After")
	}
}

// recovers checks that logins and bearer tokens work again before long.
func (b *bench) recovers() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	err := harness.Poll(ctx, "a login to work again", func() error {
		if a := b.navigate(harness.Client(), b.Traefik.TLSURL+"/page"); a.status != http.StatusFound {
			return fmt.Errorf("status %d", a.status)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.isOpen(b.session("bob"), "/page")
	token := b.bearer("bob")
	err = harness.Poll(ctx, "bearer tokens to work again", func() error {
		if a := b.get(harness.Client(), b.Traefik.TLSURL+"/api", "Authorization", "Bearer "+token); a.status != http.StatusOK {
			return fmt.Errorf("status %d", a.status)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
