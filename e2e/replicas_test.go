package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// A session is good at every replica, wherever the login was, and outlives all of them.
func TestReplicasShareSessions(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"cookie", "redis"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, fleetPlan{store: store})
			p, ended := f.login(0, "alice"), f.login(1, "alice")
			f.answers(p.cookie, http.StatusOK, "alice")
			f.answers(ended.cookie, http.StatusOK, "alice's other session")
			a, err := f.ask(t.Context(), 1, "/page", p.cookie)
			if err != nil {
				t.Fatal(err)
			}
			isIdentity(t, a.seen(t), "alice", "staff,ops")
			if carried := len(p.cookie); store == "redis" && carried > 100 {
				t.Errorf("the cookie has %d bytes, want an id alone:\n%s", carried, p.cookie)
			}
			f.logout(0, ended.cookie)
			for _, traefik := range f.Traefiks {
				if err := traefik.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			f.answers(p.cookie, http.StatusOK, "alice after a restart")
			f.answers(ended.cookie, http.StatusUnauthorized, "a session that was ended before the restart")
		})
	}
}

// Redis holds nothing that would let whoever reads it be somebody, and no tokens in the clear.
func TestRedisHoldsNothingInTheClear(t *testing.T) {
	t.Parallel()
	f := startFleet(t, fleetPlan{store: "redis"})
	f.Provider.SetAccessTokenLifetime(shortLife)
	p := f.login(0, "alice")
	f.outlast(shortLife, p)
	f.answers(p.cookie, http.StatusOK, "alice, refreshed")
	f.logout(0, f.login(0, "alice").cookie)
	_, id, _ := strings.Cut(p.cookie, "=")
	secrets := []string{id, "alice", "eyJ"}
	keys, err := f.Redis.Client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		value, err := f.Redis.Client.Dump(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(key, secret) || strings.Contains(value, secret) {
				t.Errorf("Redis holds %q under %q", secret, key)
			}
		}
		if !strings.HasPrefix(key, "latchkey:") {
			t.Errorf("key %q does not begin with the prefix", key)
		}
		ttl, err := f.Redis.Client.TTL(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if ttl < 0 && !strings.HasSuffix(key, "revocations") {
			t.Errorf("key %q stays for ever", key)
		}
	}
	if !slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(key, "session:") }) {
		t.Errorf("keys %q, want one of a session among them", keys)
	}
}

// maxPerUser and onLogin end sessions on every replica.
func TestSessionLimits(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"cookie", "redis"} {
		for _, test := range []struct {
			name, setting string
			value         any
			logins        int // of one user; the last one ends the first
			ended         int // how many of them
		}{
			{"maxPerUser 2", "maxPerUser", 2, 3, 1},
			{"onLogin endOthers", "onLogin", "endOthers", 3, 2},
		} {
			t.Run(store+" "+test.name, func(t *testing.T) {
				t.Parallel()
				f := startFleet(t, fleetPlan{store: store, settings: func(s harness.Settings) harness.Settings {
					return s.With("session", test.setting, test.value)
				}})
				other := f.login(0, "bob")
				var people []*person
				for i := range test.logins {
					p := f.login(i%2, "alice")
					people = append(people, p)
					f.answers(p.cookie, http.StatusOK, "the newest session")
				}
				for i, p := range people {
					want := http.StatusOK
					if i < test.ended {
						want = http.StatusUnauthorized
					}
					f.soon(p.cookie, want)
				}
				f.answers(other.cookie, http.StatusOK, "somebody else's session")
			})
		}
	}
}
