package e2e

import (
	"net/http"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// startRouters has one replica whose login asks for openid and profile, with more middlewares, each behind a router of
// its name.
func startRouters(t *testing.T, middlewares map[string]func(harness.Settings) harness.Settings) *fleet {
	t.Helper()
	f := startFleet(t, fleetPlan{
		replicas: 1, store: "cookie", alone: true, traefik: harness.TraefikOptions{LogLevel: "INFO"},
		settings: func(s harness.Settings) harness.Settings {
			return s.With("provider", "scopes", []string{"openid", "profile"}).
				With("apiTokens", "file", t.TempDir()+"/tokens.json").With("apiTokens", "scopes", map[string]string{"read": ""})
		},
	})
	login := f.dynamic.Middlewares["login"]
	changed := map[string]harness.Settings{}
	for name, change := range middlewares {
		changed[name] = change(login)
	}
	f.route(changed)
	return f
}

// A session has the scopes of its login, at every router: not those that the router would have asked for.
func TestSessionScopes(t *testing.T) {
	t.Parallel()
	f := startRouters(t, map[string]func(harness.Settings) harness.Settings{
		"shop": func(s harness.Settings) harness.Settings {
			return delegating(s, "bank", "openid", "profile", "payments", "read")
		},
		"bank": func(s harness.Settings) harness.Settings {
			return delegating(s.With("provider", "scopes", []string{"openid", "payments"}), "vault", "openid", "profile", "payments", "read")
		},
	})
	p := f.login(0, "alice")
	for _, path := range []string{"/bank/1", "/shop/1", "/bank/2", "/bank/2"} {
		got := f.browse(0, p, path)
		service := map[byte]string{'b': "vault", 's': "bank"}[path[1]]
		if scope := f.verified(got.token, service)["scope"]; scope != "openid profile read" {
			t.Errorf("%s: the app's token has scope %q, want what alice's login asked for, and read", path, scope)
		}
	}
}

// An access token opens the app and manages nothing, until the settings name a scope that it has.
func TestAccessTokensManage(t *testing.T) {
	t.Parallel()
	manage := func(by string) func(harness.Settings) harness.Settings {
		return func(s harness.Settings) harness.Settings {
			return s.With("basePath", "/"+by+"/oauth2").With("apiTokens", "manage", map[string]string{"none": "session", "one": "scope manage", "other": "scope admin"}[by])
		}
	}
	f := startRouters(t, map[string]func(harness.Settings) harness.Settings{"none": manage("none"), "one": manage("one"), "other": manage("other")})
	token, err := f.Provider.AccessToken(t.Context(), "alice", "read administration manage")
	if err != nil {
		t.Fatal(err)
	}
	for router, want := range map[string]int{"none": http.StatusForbidden, "other": http.StatusForbidden, "one": http.StatusOK} {
		if got := f.opens(0, "/"+router+"/page", token); got != http.StatusOK {
			t.Errorf("%s: the app: status %d, want 200", router, got)
		}
		for _, call := range []struct{ method, path, body string }{
			{"GET", "tokens", ""}, {"POST", "tokens", "{}"}, {"GET", "sessions", ""}, {"DELETE", "sessions", ""},
		} {
			headers := []string{"Authorization", "Bearer " + token}
			if call.body != "" {
				headers = append(headers, "Content-Type", "application/json")
			}
			a, err := f.send(t.Context(), 0, call.method, "/"+router+"/oauth2/api/"+call.path, call.body, headers...)
			if err != nil {
				t.Fatal(err)
			}
			if allowed := a.status < 300; allowed != (want == http.StatusOK) || !allowed && a.status != want {
				t.Errorf("%s: %s %s: status %d, want %d\n%s", router, call.method, call.path, a.status, want, a.body)
			}
		}
	}
}
