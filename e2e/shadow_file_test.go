package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

const (
	// lookEvery is how often a shadow file is looked at.
	lookEvery = 2 * time.Second
	// workers keep one connection each, and ask as fast as they are answered.
	workers = 16
)

// shadow is a fleet of one whose API tokens are in a file.
type shadow struct {
	*fleet
	path string
}

// startShadow starts Traefik with a shadow file that does not exist yet. Below /bare Traefik itself answers whoever is
// let in, with 418.
func startShadow(t *testing.T, checkEvery time.Duration) *shadow {
	t.Helper()
	s := &shadow{path: filepath.Join(t.TempDir(), "tokens.json")}
	s.fleet = startFleet(t, fleetPlan{replicas: 1, store: "cookie", alone: true, traefik: harness.TraefikOptions{LogLevel: "INFO"},
		settings: func(settings harness.Settings) harness.Settings {
			return settings.With("apiTokens", "file", s.path).With("apiTokens", "checkEvery", checkEvery.String())
		}})
	s.dynamic.Routers["bare"] = harness.Router{Rule: "PathPrefix(`/bare`)", Middlewares: []string{"login"}, Service: "noop@internal"}
	if err := s.Traefik.Reload(t.Context(), s.dynamic); err != nil {
		t.Fatal(err)
	}
	return s
}

// tokens are the records that are in the file.
func (s *shadow) tokens() map[string]apitoken.Token {
	s.t.Helper()
	content, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	var file struct{ Tokens map[string]apitoken.Token }
	if err := json.Unmarshal(content, &file); err != nil {
		s.t.Fatal(err)
	}
	return file.Tokens
}

// newRecord is a token that is in no file yet.
func newRecord(owner string) (apiToken, apitoken.Token) {
	id := apitoken.NewID()
	credential, hash := apitoken.NewSecret(id)
	return apiToken{id, credential}, apitoken.Token{Hash: hash, Owner: owner, Created: time.Now().Unix()}
}

// edited is the file's content with these tokens, as somebody would write it.
func (s *shadow) edited(tokens map[string]apitoken.Token) []byte {
	s.t.Helper()
	content, err := json.Marshal(map[string]any{"version": 1, "tokens": tokens})
	if err != nil {
		s.t.Fatal(err)
	}
	return content
}

// put has the file exchanged, as one does with mv.
func (s *shadow) put(content []byte, mode os.FileMode) {
	s.t.Helper()
	next := s.path + ".by-hand"
	if err := os.WriteFile(next, content, mode); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(next, mode); err != nil { // whatever the umask
		s.t.Fatal(err)
	}
	if err := os.Rename(next, s.path); err != nil {
		s.t.Fatal(err)
	}
}

// number is one of Traefik's metrics.
func (s *shadow) number(name string) float64 {
	s.t.Helper()
	return s.metrics(0)[name]
}

// What is done here counts at once, what is edited outside within a window, and a reload changes nothing.
func TestShadowFile(t *testing.T) {
	t.Parallel()
	s := startShadow(t, lookEvery)
	p := s.login(0, "alice")
	first := s.create(0, p, "first")
	s.judges(first, http.StatusOK, "a new token")
	rotated := s.rotate(0, p, first)
	s.judges(rotated, http.StatusOK, "the new secret")
	s.judges(first, http.StatusUnauthorized, "the old secret")
	gone := s.create(0, p, "gone")
	s.judges(gone, http.StatusOK, "a new token")
	s.revokeToken(0, p, gone)
	s.judges(gone, http.StatusUnauthorized, "a revoked token")
	if info, err := os.Stat(s.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, error %v, want 0600", info.Mode(), err)
	}
	if content, err := os.ReadFile(s.path); err != nil || strings.Contains(string(content), secretOf(rotated)) {
		t.Errorf("the file holds a secret, error %v", err)
	}

	// The new one is asked about once: what was bad a moment ago is bad for a moment longer.
	removed := s.create(0, p, "removed by hand")
	s.judges(removed, http.StatusOK, "a token")
	added, record := newRecord("bob")
	tokens := s.tokens()
	delete(tokens, removed.id)
	tokens[added.id] = record
	loads, looks := s.number("latchkey_api_tokens_loads_total"), s.number("latchkey_api_tokens_checks_total")
	s.put(s.edited(tokens), 0o600)
	s.deadAfter(time.Now(), 0, removed)
	if n := s.number("latchkey_api_tokens_loads_total") - loads; n != 1 {
		t.Errorf("an edit was loaded %v times, want once", n)
	}
	// One look may have begun before the edit was there, and one after the token was dead.
	if n := s.number("latchkey_api_tokens_checks_total") - looks; n < 1 || n > 3 {
		t.Errorf("an edit was seen after %v looks, want the first one", n)
	}
	s.judges(added, http.StatusOK, "the token that was added by hand")
	s.judges(rotated, http.StatusOK, "a token that was not edited")
	if listed := s.listed(0, s.login(0, "bob")); len(listed) != 1 || listed[added.id].ID == "" {
		t.Errorf("bob has the tokens %v, want the one that was added", listed)
	}

	if err := s.reload(0); err != nil {
		t.Fatal(err)
	}
	s.judges(rotated, http.StatusOK, "a token after a reload")
	s.judges(added, http.StatusOK, "the added token after a reload")
	s.judges(removed, http.StatusUnauthorized, "the removed token after a reload")
	if err := s.Traefik.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.judges(rotated, http.StatusOK, "a token after a restart")
	s.judges(first, http.StatusUnauthorized, "the old secret after a restart")
	s.judges(s.create(0, p, "made after a restart"), http.StatusOK, "a token made after a restart")
}

// secretOf is what of a credential nobody else may know.
func secretOf(t apiToken) string { return strings.TrimPrefix(t.credential, "lk_"+t.id+"_")[:32] }

// However many ask, the file is looked at once in a window. It takes the whole machine, so nothing runs beside it.
func TestShadowFileLooks(t *testing.T) {
	s := startShadow(t, lookEvery)
	p := s.login(0, "alice")
	token := s.create(0, p, "busy")
	s.judges(token, http.StatusOK, "a token")
	const name = "latchkey_api_tokens_checks_total"
	before := s.number(name)
	began := time.Now()
	l := s.bareLoadUntil(token, workers, 0, func() {}, func() error {
		if looks := s.number(name) - before; looks < 3 {
			return fmt.Errorf("%v looks", looks)
		}
		return nil
	})
	looks := s.number(name) - before
	windows := float64(time.Since(began)) / float64(lookEvery)
	t.Logf("%.0f looks in %.1f windows: %v", looks, windows, l)
	if looks > windows+1 {
		t.Errorf("the file was looked at %.0f times in %.1f windows, want once in each at most", looks, windows)
	}
	if len(l.statuses) != 1 {
		t.Errorf("the answers by status are %v, want 418 alone", l.statuses)
	}
}

// While the file is of no use, the last good one counts: nobody is let in or out, and one line in the log says so.
func TestShadowFileBroken(t *testing.T) {
	t.Parallel()
	const checkEvery = time.Second
	s := startShadow(t, checkEvery)
	p := s.login(0, "alice")
	stays, other := s.create(0, p, "stays"), s.create(0, p, "stays, too")
	s.judges(stays, http.StatusOK, "a token")
	s.judges(other, http.StatusOK, "a token")
	good, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	for i, broken := range []struct {
		name string
		do   func(bad []byte)
	}{
		{"cut off", func(bad []byte) { s.put(bad[:len(bad)-2], 0o600) }},
		{"open to all", func(bad []byte) { s.put(bad, 0o644) }},
		{"gone", func([]byte) {
			if err := os.Remove(s.path); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		// Were it read, it would let somebody in and somebody else out.
		intruder, record := newRecord("mallory")
		tokens := s.tokens()
		delete(tokens, other.id)
		tokens[intruder.id] = record
		failures := s.number("latchkey_api_tokens_failures_total")
		broken.do(s.edited(tokens))
		s.within(20*time.Second, "the file to be looked at twice", func() error {
			s.judges(stays, http.StatusOK, "a token while the file is "+broken.name)
			s.judges(other, http.StatusOK, "a token that is not in the file that is "+broken.name)
			if n := s.number("latchkey_api_tokens_failures_total") - failures; n < 2 {
				return fmt.Errorf("%v failures", n)
			}
			return nil
		})
		s.judges(intruder, http.StatusUnauthorized, "a token of the file that is "+broken.name)
		if n := strings.Count(s.Traefik.Log(), "the token file cannot be used"); n != i+1 {
			t.Errorf("after the file was %s the log says %d times that it cannot be used, want %d", broken.name, n, i+1)
		}
		s.put(good, 0o600)
		s.within(20*time.Second, "the file to be used again", func() error {
			s.judges(stays, http.StatusOK, "a token")
			if n := strings.Count(s.Traefik.Log(), "the token file can be used again"); n != i+1 {
				return fmt.Errorf("the log says so %d times, want %d", n, i+1)
			}
			return nil
		})
		s.judges(stays, http.StatusOK, "a token of the good file")
		s.judges(other, http.StatusOK, "another token of the good file")
	}
}
