package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// delegationLife is that of delegated tokens, and delegationIssuer whose they are, where nothing else is said.
const (
	delegationLife   = time.Hour
	delegationIssuer = "latchkey"
)

// Tokens for the services behind, at replicas that share a Redis. It does not run beside others: it measures time.
func TestDelegation(t *testing.T) {
	f := startServices(t)
	t.Run("hop by hop", func(t *testing.T) { f.with(t).tokensGoHopByHop() })
	t.Run("what is refused", func(t *testing.T) { f.with(t).othersAreRefused() })
	t.Run("look-alikes", func(t *testing.T) { f.with(t).lookalikesStayOut() })
	t.Run("one for all", func(t *testing.T) { f.with(t).oneIsMadeForAll() })
	t.Run("the parent ends", func(t *testing.T) { f.with(t).tokensEndWithTheirParent() })
}

// startServices has a portal that calls a query service that calls storage, each behind a router of its own.
func startServices(t *testing.T) *fleet {
	t.Helper()
	const ops = "OneOf(`groups`, `ops`)"
	f := startFleet(t, fleetPlan{
		store:   "redis",
		traefik: harness.TraefikOptions{LogLevel: "INFO"},
		settings: func(s harness.Settings) harness.Settings {
			return s.With("admin", ops).With("apiTokens", "scopes", map[string]string{"read": "", "write": ops})
		},
	})
	login := f.dynamic.Middlewares["login"]
	accepts := func(service string) harness.Settings {
		return login.With("bearer", "audiences", []string{service})
	}
	f.route(map[string]harness.Settings{
		"portal":  delegating(accepts("portal"), "query", "read", "write").With("public", []string{"/portal/public/"}),
		"query":   delegating(accepts("query"), "storage", "read"),
		"storage": accepts("storage"),
	})
	return f
}

// delegating is the settings with a token for a service.
func delegating(s harness.Settings, service string, scopes ...string) harness.Settings {
	return s.With("delegate", harness.Settings{"kind": "internal", "service": service, "scopes": scopes})
}

// route gives each middleware a router below its name. That of the portal, which counts tokens, tells the metrics.
func (f *fleet) route(middlewares map[string]harness.Settings) {
	f.t.Helper()
	d := f.dynamic
	d.Middlewares, d.Routers = maps.Clone(d.Middlewares), maps.Clone(d.Routers)
	for name, settings := range middlewares {
		d.Middlewares[name] = settings
		d.Routers[name] = harness.Router{Rule: "PathPrefix(`/" + name + "`)", Middlewares: []string{name}, Service: "app"}
	}
	d.Routers["metrics"] = harness.Router{Rule: "Path(`/oauth2/metrics`)", Middlewares: []string{"portal"}, Service: "app"}
	f.dynamic = d
	for i, traefik := range f.Traefiks {
		if err := traefik.Reload(f.t.Context(), d); err != nil {
			f.t.Fatalf("reload replica %d: %v", i, err)
		}
	}
}

// Each service gets a token for the next one, which says who asks, by way of whom, and no more than the person may.
// A library that is not ours verifies it with the keys that Latchkey tells.
func (f *fleet) tokensGoHopByHop() {
	for _, person := range []struct{ user, scope string }{{"alice", "read write"}, {"bob", "read"}} {
		p := f.login(0, person.user)
		began := time.Now()
		portal := f.browse(0, p, "/portal/"+p.user)
		isIdentity(f.t, portal.Seen, p.user, map[string]string{"alice": "staff,ops", "bob": "staff"}[p.user])
		first := f.isFor(portal.token, "query", p, person.scope, "null")
		if exp := seconds(first, "exp"); exp.Sub(began) < delegationLife-2*time.Second || time.Until(exp) > delegationLife {
			f.t.Errorf("%s's first token ends at %v, want %v from now", p.user, exp, delegationLife)
		}

		query := f.relay(1, "/query/"+p.user, portal.token)
		second := f.isFor(query.token, "storage", p, "read", `{"sub":"query"}`)
		if seconds(second, "exp").After(seconds(first, "exp")) {
			f.t.Errorf("%s's second token ends at %v, after the first", p.user, seconds(second, "exp"))
		}
		if second["jti"] == first["jti"] || second["jti"] == "" || second["parent"] != first["jti"] {
			f.t.Errorf("%s's second token has jti %v and parent %v, the first jti %v", p.user, second["jti"], second["parent"], first["jti"])
		}

		storage := f.relay(0, "/storage/"+p.user, query.token)
		if storage.token != "" {
			f.t.Error("storage, which calls nobody, was given a token")
		}
		for _, got := range []hop{query, storage} {
			if user := got.Header.Get("X-Auth-Request-User"); user != p.user {
				f.t.Errorf("%s: the app was told of %q, want %q", got.Path, user, p.user)
			}
		}
		f.keepsToItself(portal, p)
		f.keepsToItself(query, p, portal.token)
		f.keepsToItself(storage, p, query.token)
		f.isListed(p, "query", person.scope)
	}
}

// isFor checks what a token says, and returns that.
func (f *fleet) isFor(token, service string, p *person, scope, act string) jwt.MapClaims {
	f.t.Helper()
	claims := f.verified(token, service)
	whose, _ := claims["sub_id"].(map[string]any)
	if want := (map[string]any{"format": "iss_sub", "iss": f.Provider.Issuer, "sub": p.user}); !maps.Equal(whose, want) {
		f.t.Errorf("the token for %s says sub_id %v, want %v", service, whose, want)
	}
	for name, want := range map[string]any{"sub": p.user, "scope": scope, "client_id": harness.ClientID} {
		if claims[name] != want {
			f.t.Errorf("the token for %s says %s %v, want %v", service, name, claims[name], want)
		}
	}
	if got, _ := json.Marshal(claims["act"]); string(got) != act {
		f.t.Errorf("the token for %s says act %s, want %s", service, got, act)
	}
	for name := range claims {
		if !slices.Contains([]string{"iss", "sub", "aud", "scope", "client_id", "iat", "exp", "jti", "act", "parent", "sid", "sub_id", "latchkey"}, name) {
			f.t.Errorf("the token for %s says %s %v, want no such claim", service, name, claims[name])
		}
	}
	text, err := json.Marshal(claims)
	if _, id, _ := strings.Cut(p.cookie, "="); err != nil || strings.Contains(string(text), id) {
		f.t.Errorf("the token for %s holds the session: %v", service, err)
	}
	return claims
}

// isListed checks that a person sees, under the session, that there is a token for a service.
func (f *fleet) isListed(p *person, service, scope string) {
	f.t.Helper()
	var list struct {
		Sessions []struct {
			Current   bool
			Delegated []struct {
				Service string
				Scopes  []string
			}
		}
	}
	a := f.call(1, p, "GET", "sessions", nil, 200)
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		f.t.Fatal(err)
	}
	for _, s := range list.Sessions {
		if !s.Current {
			continue
		}
		if len(s.Delegated) != 1 || s.Delegated[0].Service != service || strings.Join(s.Delegated[0].Scopes, " ") != scope {
			f.t.Errorf("%s's session lists %+v, want %s with %s", p.user, s.Delegated, service, scope)
		}
		return
	}
	f.t.Errorf("%s's session is not among %s", p.user, a.body)
}
