package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

// A token file that is broken when Traefik starts takes API tokens away and nothing else, until somebody puts it right.
func TestBrokenTokenFileAtTheStart(t *testing.T) {
	t.Parallel()
	id := apitoken.NewID()
	credential, hash := apitoken.NewSecret(id)
	good := fmt.Sprintf(`{"version":1,"tokens":{%q:{"hash":%q,"owner":"alice","created":1700000000}}}`, id, hash)
	for what, spoil := range map[string]func(path string) error{
		"cut off":     func(path string) error { return os.WriteFile(path, []byte(good[:len(good)-1]), 0o600) },
		"open to all": func(path string) error { return os.WriteFile(path, []byte(good), 0o644) },
		"a misspelt member": func(path string) error {
			return os.WriteFile(path, []byte(strings.Replace(good, "created", "craeted", 1)), 0o600)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir() + "/tokens.json"
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			f := startFleet(t, fleetPlan{
				replicas: 1, store: "cookie", alone: true, traefik: harness.TraefikOptions{LogLevel: "INFO"},
				settings: func(s harness.Settings) harness.Settings {
					return s.With("apiTokens", "file", path).With("apiTokens", "checkEvery", "1s")
				},
			})
			p := f.login(0, "alice")
			for range 3 {
				f.answers(p.cookie, http.StatusOK, "alice's session")
				if got := f.opens(0, "/page", credential); got != http.StatusServiceUnavailable {
					t.Errorf("the API token: status %d, want 503", got)
				}
			}
			if log := f.Traefiks[0].Log(); strings.Count(log, "the token file cannot be used") != 1 || !strings.Contains(log, path) {
				t.Error("the log does not say once that the file cannot be used")
			}
			if err := os.WriteFile(path+".new", []byte(good), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
			f.within(20*time.Second, "the file to be read", func() error {
				if got := f.opens(0, "/page", credential); got != http.StatusOK {
					return fmt.Errorf("status %d", got)
				}
				return nil
			})
		})
	}
}
