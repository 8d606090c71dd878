package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

func TestBearer(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	client := harness.Client()
	alice, err := b.Provider.Tokens(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is answered from the cache
		a := b.get(client, b.Traefik.URL+"/api", "Authorization", "Bearer "+alice.AccessToken)
		if a.status != http.StatusOK {
			t.Fatalf("status %d with alice's token, want 200\n%s", a.status, a.body)
		}
		isIdentity(t, a.seen(t), "alice", "staff,ops")
	}
	head, rest, _ := strings.Cut(alice.AccessToken, ".")
	for _, test := range []struct {
		name, path, token string
		status            int
		error             string
	}{
		{"bob where ops may enter", "/ops/", b.bearer("bob"), http.StatusForbidden, ""},
		{"ID token", "/refused", alice.IDToken, http.StatusUnauthorized, "invalid_token"},
		{"refresh token", "/refused", alice.RefreshToken, http.StatusUnauthorized, "invalid_token"},
		{"signature of another", "/refused", alice.AccessToken[:len(alice.AccessToken)-40] + strings.Repeat("A", 40), http.StatusUnauthorized, "invalid_token"},
		{"alg none", "/refused", "eyJhbGciOiJub25lIn0." + rest[:strings.Index(rest, ".")+1], http.StatusUnauthorized, "invalid_token"},
		{"two parts", "/refused", head + "." + rest[:strings.Index(rest, ".")], http.StatusUnauthorized, "invalid_token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bench{b.Site, t}
			for _, accept := range []string{"*/*", "text/html"} {
				a := b.get(client, b.Traefik.URL+test.path, "Authorization", "Bearer "+test.token, "Accept", accept)
				if a.status != test.status {
					t.Errorf("Accept %s: status %d, want %d", accept, a.status, test.status)
				}
				if challenge := a.header.Get("WWW-Authenticate"); test.error != "" && !strings.Contains(challenge, `error="`+test.error+`"`) {
					t.Errorf("Accept %s: WWW-Authenticate %q, want error %q", accept, challenge, test.error)
				}
			}
			b.untouched(test.path)
		})
	}
}
