package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// The worked example of docs/delegation.md works, with the reader's own values.
func TestDelegationGuide(t *testing.T) {
	t.Parallel()
	tr := newTrial(t)
	redis := startRedis(t)
	example := replace(t, readDocument(t, "docs/delegation.md").marked(t, "trial: delegation.yml")[0].text,
		"https://id.example.com/realms/main", tr.Provider.Issuer,
		"clientID: portal", "clientID: "+harness.ClientID,
		"redis.internal:6379", redis.Address,
		"http://127.0.0.1:9001", tr.Apps.URL, "http://127.0.0.1:9002", tr.Apps.URL, "http://127.0.0.1:9003", tr.Apps.URL)
	static := replace(t, readDocument(t, "README.md").marked(t, "trial: traefik.yml")[0].text, ":8000", ":"+tr.port)
	for name, text := range map[string]string{
		"dynamic.yml": example, "traefik.yml": static, "latchkey.secret": secretText,
	} {
		if err := os.WriteFile(filepath.Join(tr.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tr.run(`git clone "https://$MODULE" "plugins-local/src/$MODULE"
export OIDC_CLIENT_SECRET=` + harness.ClientSecret + `
traefik --configfile=traefik.yml
`)
	tr.register()

	tab := tr.tab()
	if _, err := tab.Open(tr.Traefik.URL + "/page"); err != nil {
		t.Fatal(err)
	}
	if status, err := tab.Login("alice"); err != nil || status != http.StatusOK {
		t.Fatalf("the portal: status %d, error %v, want 200", status, err)
	}
	portal, err := tab.Seen()
	if err != nil {
		t.Fatal(err)
	}
	first := portal.Header.Get(delegatedHeader)
	second := tr.hop("/query/page", first, http.StatusOK)
	if third := tr.hop("/storage/page", second, http.StatusOK); third != "" {
		t.Errorf("storage was given %q", third)
	}
	for path, token := range map[string]string{"/query/page": second, "/storage/page": first, "/storage/other": ""} {
		tr.hop(path, token, http.StatusUnauthorized)
	}
}

// hop is what a service does with the token that it got: the next one's token.
func (tr *trial) hop(path, token string, want int) string {
	tr.t.Helper()
	a := tr.do(harness.Client(), http.MethodGet, tr.Traefik.URL+path, "Accept", "application/json", "Authorization", "Bearer "+token)
	if a.status != want {
		tr.t.Fatalf("%s: status %d, want %d: %s", path, a.status, want, a.body)
	}
	if want != http.StatusOK {
		return ""
	}
	return a.seen(tr.t).Header.Get(delegatedHeader)
}
