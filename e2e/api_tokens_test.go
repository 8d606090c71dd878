package e2e

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

const (
	// tokenTries is how many secrets die by rotation, and how many by revocation, at one replica; they are asked for at
	// the other.
	tokenTries = 100
	// programsUsing is how many programs use a token meanwhile, half of them at each replica, every programPause.
	programsUsing = 32
	programPause  = 20 * time.Millisecond
	// bystanders are tokens that nothing happens to, while knownTries others are rotated and as many are revoked.
	bystanders, knownTries = 20, 20
	// verdictLife is how long a verdict stands until it is asked about again.
	verdictLife = 60 * time.Second
)

// API tokens of replicas that share a Redis. It does not run beside others: it measures time.
func TestAPITokens(t *testing.T) {
	f := startFleet(t, fleetPlan{store: "redis", traefik: harness.TraefikOptions{LogLevel: "INFO"}})
	p := f.login(0, "alice")
	t.Run("stay here", func(t *testing.T) { f.with(t).tokensStayHere(p) })
	t.Run("deaths are heard of", func(t *testing.T) { f.with(t).deathsAreHeardOf(p) })
	t.Run("others stay known", func(t *testing.T) { f.with(t).othersStayKnown(p) })
	t.Run("streams end", func(t *testing.T) { f.with(t).tokenStreamsEnd(p) })
}

// Whatever way a token comes in, the app is told whose it is and never gets it.
func (f *fleet) tokensStayHere(p *person) {
	token := f.create(0, p, "nightly backup")
	bearer, key := "Bearer "+token.credential, token.credential
	for _, test := range []struct {
		name, path string
		headers    []string
		user       string
	}{
		{"Authorization", "/here/authorization", []string{"Authorization", bearer}, "alice"},
		{"another case", "/here/case", []string{"Authorization", "bearer " + key}, "alice"},
		{"X-API-Key", "/here/key", []string{"X-API-Key", key}, "alice"},
		{"both", "/here/both", []string{"Authorization", bearer, "X-API-Key", key}, "alice"},
		{"beside a session", "/here/session", []string{"Cookie", p.cookie, "X-API-Key", key}, "alice"},
		{"Authorization on a public path", "/public/authorization", []string{"Authorization", bearer}, ""},
		{"X-API-Key on a public path", "/public/key", []string{"X-API-Key", key}, ""},
	} {
		for i := range f.Traefiks {
			for range 3 { // once verified, once known, once by its pass
				a, err := f.send(f.t.Context(), i, http.MethodGet, test.path, "", test.headers...)
				if err != nil || a.status != http.StatusOK {
					f.t.Fatalf("%s at replica %d: status %d, error %v, want 200\n%s", test.name, i, a.status, err, a.body)
				}
			}
		}
		seen := f.Apps.Seen(test.path)
		if want := 3 * len(f.Traefiks); len(seen) != want {
			f.t.Errorf("%s: %d requests reached the app, want %d", test.name, len(seen), want)
		}
		for _, s := range seen {
			for _, name := range []string{"Authorization", "X-Api-Key", "Cookie"} {
				if got := s.Header[name]; got != nil {
					f.t.Errorf("%s: %s reached the app, want it gone", test.name, name)
				}
			}
			if got := s.Header.Get("X-Auth-Request-User"); got != test.user {
				f.t.Errorf("%s: the app was told of %q, want %q", test.name, got, test.user)
			}
		}
	}
	another, _ := apitoken.NewSecret(token.id)
	unknown, _ := apitoken.NewSecret(apitoken.NewID())
	misspelt := key[:len(key)-1] + "x"
	for name, wrong := range map[string]string{"another secret": another, "no such token": unknown, "misspelt": misspelt} {
		for _, headers := range [][]string{{"Authorization", "Bearer " + wrong}, {"X-API-Key", wrong}} {
			a, err := f.send(f.t.Context(), 0, http.MethodGet, "/here/refused", "", headers...)
			if err != nil || a.status != http.StatusUnauthorized {
				f.t.Errorf("%s in %s: status %d, error %v, want 401", name, headers[0], a.status, err)
			}
		}
	}
	f.untouched("/here/refused")
}

// A secret that was rotated or revoked at one replica is refused there at once, and at the other one soon, however many
// use it. The new one is good everywhere at once.
func (f *fleet) deathsAreHeardOf(p *person) {
	token := f.create(0, p, "rotated")
	programs := f.startPrograms(programsUsing, programPause, token)
	var rotated, revoked []time.Duration
	var dead []apiToken
	for i := range tokenTries {
		here, there := i%2, 1-i%2
		programs.use(token)
		next := f.rotate(here, p, token)
		began := time.Now()
		var others sync.WaitGroup
		others.Go(func() { f.judges(next, http.StatusOK, "the new secret") })
		others.Go(func() { f.isDead(here, token) })
		rotated = append(rotated, f.deadAfter(began, there, token))
		others.Wait()
		dead = append(dead, token)
		token = next
	}
	for i := range tokenTries {
		here, there := i%2, 1-i%2
		token := f.create(there, p, "revoked")
		f.judges(token, http.StatusOK, "a new token")
		programs.use(token)
		f.revokeToken(here, p, token)
		began := time.Now()
		var others sync.WaitGroup
		others.Go(func() { f.isDead(here, token) })
		revoked = append(revoked, f.deadAfter(began, there, token))
		others.Wait()
		dead = append(dead, token)
	}
	programs.end()
	within(f.t, "401 at the other replica after a rotation", rotated, heardOf)
	within(f.t, "401 at the other replica after a revocation", revoked, heardOf)
	within(f.t, "401 at the other replica", append(rotated, revoked...), heardOf)
	for _, t := range dead {
		f.judges(t, http.StatusUnauthorized, "a dead secret, some time later")
	}
	f.judges(token, http.StatusOK, "the secret of the last rotation")
}

// isDead checks that a replica refuses a token at once.
func (f *fleet) isDead(replica int, t apiToken) {
	f.t.Helper()
	if status := f.verdict(replica, t); status != http.StatusUnauthorized {
		f.t.Errorf("a dead token where it died: status %d, want 401", status)
	}
}

// What happens to a token is no reason to ask about others: their verdicts stay.
func (f *fleet) othersStayKnown(p *person) {
	stay := make([]apiToken, bystanders)
	concerned := make([]apiToken, 2*knownTries)
	for i := range stay {
		stay[i] = f.create(i%2, p, "bystander")
		f.judges(stay[i], http.StatusOK, "a bystander")
	}
	for i := range concerned {
		concerned[i] = f.create(i%2, p, "concerned")
		f.judges(concerned[i], http.StatusOK, "a token")
	}
	for i := range f.Traefiks {
		f.listed(i, p) // the session is known, too
	}
	began := time.Now()
	before := []map[string]float64{f.metrics(0), f.metrics(1)}
	for i, t := range concerned {
		if i < knownTries {
			next := f.rotate(i%2, p, t)
			for range 3 { // it is new once, at each replica
				f.judges(next, http.StatusOK, "the new secret")
			}
		} else {
			f.revokeToken(i%2, p, t)
		}
		for replica := range f.Traefiks {
			f.deadAfter(time.Now(), replica, t)
		}
		for _, t := range stay {
			f.judges(t, http.StatusOK, "a bystander")
		}
	}
	// Only a machine that is very slow gets to where verdicts end by themselves.
	rechecks := int(time.Since(began)/verdictLife) * (len(stay) + len(concerned) + knownTries + 1)
	for i := range f.Traefiks {
		const name = "latchkey_verifications_total"
		got := int(f.metrics(i)[name] - before[i][name])
		if got < knownTries || got > knownTries+rechecks {
			f.t.Errorf("replica %d made %d verifications, want %d: one for each new secret", i, got, knownTries)
		}
	}
}
