package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// secretChange is the change of the secret on two replicas under load. It is worth its half a minute: with the secret
// everything can be lost at once, and an operator who changes it does what stands in docs/operations.md, once, on
// machines in use.
type secretChange struct {
	*fleet
	before, after string
	people        []*person
	tokens        []apiToken
}

const inUse = 20

func startSecretChange(t *testing.T) *secretChange {
	c := &secretChange{after: rand.Text() + rand.Text()}
	c.fleet = startFleet(t, fleetPlan{store: "redis", settings: func(s harness.Settings) harness.Settings {
		c.before = s["secret"].(string)
		// A token of its own is for the same router, so that it can be sent back to it.
		return s.With("delegate", "kind", "internal").With("delegate", "service", harness.APIAudience)
	}})
	c.people = c.logins(inUse, numbered)
	for i, p := range c.people {
		c.tokens = append(c.tokens, c.create(i%2, p, "in use"))
	}
	return c
}

// secrets has a replica use these.
func (c *secretChange) secrets(replica int, secrets ...string) {
	c.t.Helper()
	d := c.dynamic
	d.Middlewares = map[string]harness.Settings{}
	for name, settings := range c.dynamic.Middlewares {
		d.Middlewares[name] = settings.With("secret", secrets)
	}
	if err := c.Traefiks[replica].Reload(c.t.Context(), d); err != nil {
		c.t.Fatal(err)
	}
}

// load has everything used, and logs people in, each of whom goes on at the other replica at once. Its end is told
// what went wrong.
func (c *secretChange) load() (end func() []string) {
	ctx, stop := context.WithCancel(c.t.Context())
	var mu sync.Mutex
	var wrong []string
	rounds, logins := 0, 0
	complain := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, fmt.Sprintf(format, args...))
	}
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			p, replica := c.people[i%inUse], i/inUse%2
			a, err := c.ask(c.t.Context(), replica, "/page", p.cookie)
			if err != nil || a.status != http.StatusOK {
				complain("session %d at replica %d: %d, %v", i%inUse, replica, a.status, err)
				continue
			}
			if got := c.verdict(replica, c.tokens[i%inUse]); got != http.StatusOK {
				complain("API token %d at replica %d: %d", i%inUse, replica, got)
			}
			token := a.seen(c.t).Header.Get(delegatedHeader)
			b, err := c.send(c.t.Context(), 1-replica, http.MethodGet, "/page", "", "Authorization", "Bearer "+token)
			if err != nil || b.status != http.StatusOK {
				complain("a delegated token of replica %d at the other: %d, %v", replica, b.status, err)
			}
			rounds++
		}
	})
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			p, err := c.tryLogin(i%2, "alice")
			if err != nil {
				complain("a login at replica %d: %v", i%2, err)
				continue
			}
			if got := c.status(1-i%2, p.cookie); got != http.StatusOK {
				complain("a login at replica %d, at the other: %d", i%2, got)
			}
			logins++
		}
	})
	return func() []string {
		stop()
		all.Wait()
		c.t.Logf("%d rounds, %d logins under load", rounds, logins)
		return wrong
	}
}

// resealed waits until no record in Redis names another secret than the new one.
func (c *secretChange) resealed() {
	c.t.Helper()
	ring, err := seal.NewRing([]string{c.after})
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := ring.Seal("", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.within(30*time.Second, "all records to be of the new secret", func() error {
		keys, err := c.Redis.Client.Keys(c.t.Context(), "latchkey:*").Result()
		if err != nil {
			return err
		}
		for _, key := range keys {
			value, err := c.Redis.Client.Get(c.t.Context(), key).Result()
			sealed := strings.Contains(key, "session:") || strings.Contains(key, "apitoken:") || strings.Contains(key, "refresh:")
			if err == nil && sealed && value[:6] != text[:6] {
				return errors.New(key + " is of the old one")
			}
		}
		return nil
	})
}

// nothingIsLost checks that everything in use is good at both replicas, and that the load went well.
func (c *secretChange) nothingIsLost(wrong []string) {
	c.t.Helper()
	if len(wrong) > 0 {
		c.t.Errorf("%d went wrong under load, such as %s", len(wrong), strings.Join(wrong[:min(10, len(wrong))], "; "))
	}
	for i := range c.people {
		c.answers(c.people[i].cookie, http.StatusOK, fmt.Sprintf("session %d", i))
		c.judges(c.tokens[i], http.StatusOK, fmt.Sprintf("API token %d", i))
	}
}

// The three steps, each by a reload of both replicas, one after the other.
func TestSecretChangesByReload(t *testing.T) {
	t.Parallel()
	c := startSecretChange(t)
	end := c.load()
	for _, step := range [][]string{{c.before, c.after}, {c.after, c.before}, {c.after}} {
		if len(step) == 1 {
			c.resealed()
		}
		for replica := range c.Traefiks {
			c.secrets(replica, step...)
		}
	}
	c.nothingIsLost(end())
}

// Two files, which the replicas come to see some seconds apart, and no reload.
func TestSecretChangesByFiles(t *testing.T) {
	t.Parallel()
	c := startSecretChange(t)
	write := func(replica int, name, value string) string {
		path := filepath.Join(c.folder(replica), name)
		if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file:" + path
	}
	for replica := range c.Traefiks {
		c.secrets(replica, write(replica, "current", c.before), write(replica, "previous", c.before))
	}
	end := c.load()
	write(0, "current", c.after)
	time.Sleep(3 * time.Second) // how much later a file comes is what this is about
	write(1, "current", c.after)
	c.resealed()
	for replica := range c.Traefiks {
		write(replica, "previous", c.after)
	}
	wrong := end()
	// Alone, as a replica is that was started anew.
	for replica := range c.Traefiks {
		c.secrets(replica, c.after)
	}
	c.nothingIsLost(wrong)
}

// folder is where a replica's files are.
func (c *secretChange) folder(replica int) string {
	c.t.Helper()
	folder := filepath.Join(os.TempDir(), "latchkey-secrets-"+c.after[:12], fmt.Sprint(replica))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(folder)) })
	return folder
}

// A file that holds one secret is replaced by another, some seconds later on one replica: those who log in meanwhile
// are logged in at both.
func TestSecretFileIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	c := startSecretChange(t)
	var paths []string
	for replica := range c.Traefiks {
		path := filepath.Join(c.folder(replica), "secret")
		if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
			t.Fatal(err)
		}
		c.secrets(replica, "file:"+path)
		paths = append(paths, path)
	}
	began := time.Now()
	replaced := 0
	var people []*person
	for i := 0; time.Since(began) < 18*time.Second; i++ {
		if due := replaced < 2 && time.Since(began) >= time.Duration(3*replaced)*time.Second; due {
			if err := os.WriteFile(paths[replaced], []byte(c.after), 0o600); err != nil {
				t.Fatal(err)
			}
			replaced++
		}
		p := c.login(i%2, "alice")
		people = append(people, p)
		if got := c.status(1-i%2, p.cookie); got != http.StatusOK {
			t.Errorf("after %v, a login at replica %d, at the other: %d", time.Since(began), i%2, got)
		}
		time.Sleep(100 * time.Millisecond)
	}
	slices.Reverse(people)
	for i, p := range people {
		c.answers(p.cookie, http.StatusOK, fmt.Sprintf("login %d", len(people)-i))
	}
	t.Logf("%d logins", len(people))
}
