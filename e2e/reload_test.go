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

// A reload builds every middleware anew. Sessions do not notice, what is shared is kept, and nothing is left over.
func TestReload(t *testing.T) {
	t.Parallel()
	var dynamic harness.Dynamic
	b := start(t, plan{dynamic: func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
		dynamic = d
		return d
	}})
	client := b.session("alice")
	before := b.shared()
	if before == 0 {
		t.Fatal("the status endpoint tells of no shared resources")
	}
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+b.bearer("alice"))
	discoveries, keys := b.Provider.Count(harness.DiscoveryPath), b.Provider.Count(harness.KeysPath)
	for i := range 10 {
		dynamic.Routers[fmt.Sprintf("more-%d", i)] = harness.Router{
			Rule: fmt.Sprintf("PathPrefix(`/more-%d`)", i), Middlewares: []string{"login"}, Service: "app",
		}
		if err := b.Traefik.Reload(t.Context(), dynamic); err != nil {
			t.Fatal(err)
		}
		b.isOpen(client, fmt.Sprintf("/more-%d/page", i))
	}
	b.isOpen(harness.Client(), "/api", "Authorization", "Bearer "+b.bearer("bob"))
	if n := b.Provider.Count(harness.DiscoveryPath); n != discoveries {
		t.Errorf("the reloads made %d discovery requests, want none: what is known is kept", n-discoveries)
	}
	if n := b.Provider.Count(harness.KeysPath); n != keys {
		t.Errorf("the reloads made %d requests for keys, want none: what is known is kept", n-keys)
	}

	// A middleware with settings of its own has resources of its own, which go with it.
	other := dynamic.Middlewares["login"].With("provider", "clientID", "another").With("cache", "tokens", 77)
	dynamic.Middlewares["other"] = other
	dynamic.Routers["other"] = harness.Router{Rule: "PathPrefix(`/other`)", Middlewares: []string{"other"}, Service: "app"}
	if err := b.Traefik.Reload(t.Context(), dynamic); err != nil {
		t.Fatal(err)
	}
	if got := b.shared(); got <= before {
		t.Errorf("with another middleware %d resources are shared, want more than %d", got, before)
	}
	delete(dynamic.Middlewares, "other")
	delete(dynamic.Routers, "other")
	if err := b.Traefik.Reload(t.Context(), dynamic); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := harness.Poll(ctx, "resources to be released", func() error {
		if got := b.shared(); got != before {
			return fmt.Errorf("%d are shared, want %d as before", got, before)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	b.isOpen(client, "/page")
}

// shared is how many resources the status endpoint says are shared.
func (b *bench) shared() int {
	b.t.Helper()
	a := b.get(harness.Client(), b.Traefik.URL+"/oauth2/status")
	var status struct{ SharedResources int }
	if err := json.Unmarshal([]byte(a.body), &status); a.status != http.StatusOK || err != nil {
		b.t.Fatalf("status endpoint: status %d, %v\n%s", a.status, err, a.body)
	}
	return status.SharedResources
}
