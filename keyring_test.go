package latchkey

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/seal"
)

const (
	secretA = "aQ7vX2mK9sL4pT8wZ1cR6nB3yD5fH0jG"
	secretB = "bW3nC8xT5kV1qM7zP4gS9dJ2hL6rF0yE"
	secretC = "cE9rU4iP6oA1sD3fG5hJ7kL2zX8cV0bN"
)

// vault is the files of secrets of one process, with its keyrings.
type vault struct {
	t     *testing.T
	dir   string
	now   time.Time
	known *knownSecrets
}

func newVault(t *testing.T) *vault {
	return &vault{t: t, dir: t.TempDir(), now: time.Unix(1000000, 0), known: &knownSecrets{}}
}

func (v *vault) write(name, value string) {
	v.t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), []byte(value), 0o600); err != nil {
		v.t.Fatal(err)
	}
}

// ring is a keyring of this process: of texts, or of files.
func (v *vault) ring(sources ...string) *keyring {
	v.t.Helper()
	var secrets []*secret
	for _, source := range sources {
		if name := strings.TrimPrefix(source, "file:"); name != source {
			source = "file:" + filepath.Join(v.dir, name)
		}
		opened, err := openSecret(source)
		if err != nil {
			v.t.Fatal(err)
		}
		secrets = append(secrets, opened)
	}
	k, err := newKeyring(secrets, 10*time.Second)
	if err != nil {
		v.t.Fatal(err)
	}
	k.known = v.known
	k.begin(v.now)
	return k
}

// look has the files looked at.
func (v *vault) look(k *keyring) {
	for _, s := range k.secrets {
		if s.path != "" {
			s.look()
		}
	}
}

func (v *vault) after(d time.Duration) { v.now = v.now.Add(d) }

// by seals a text with one secret.
func by(t *testing.T, secret string) string {
	t.Helper()
	ring, err := seal.NewRing([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	text, err := ring.Seal("test", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// expect checks who seals, whose texts open, and whose are to be sealed anew: each
// a letter of the secrets above. Delegated tokens are signed and checked alike.
func (v *vault) expect(what string, k *keyring, seals, open, stale string) {
	v.t.Helper()
	ring := k.at(v.now)
	signer, err := k.signerAt(v.now)
	if err != nil {
		v.t.Fatal(err)
	}
	text, err := ring.Seal("test", []byte("x"))
	if err != nil {
		v.t.Fatal(err)
	}
	gotSeals, gotOpen, gotStale := "", "", ""
	for letter, value := range map[string]string{"a": secretA, "b": secretB, "c": secretC} {
		only, err := seal.NewRing([]string{value})
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := only.Open("test", text); err == nil {
			gotSeals += letter
		}
	}
	for _, letter := range strings.Split("abc", "") {
		of := by(v.t, map[string]string{"a": secretA, "b": secretB, "c": secretC}[letter])
		if _, err := ring.Open("test", of); err == nil {
			gotOpen += letter
		}
		if ring.Stale(of) {
			gotStale += letter
		}
	}
	if gotSeals != seals || gotOpen != open || gotStale != stale {
		v.t.Errorf("%s: %q seals, %q open, %q is stale; want %q, %q, %q", what, gotSeals, gotOpen, gotStale, seals, open, stale)
	}
	if keys := signer.JWKS()["keys"].([]interface{}); len(keys) != len(open) {
		v.t.Errorf("%s: %d signing keys are published, want %d", what, len(keys), len(open))
	}
}

// The change of the secret as it is documented, by the settings: each step is a
// reload. What was listed behind another seals as soon as it is first.
func TestSecretChangesByReload(t *testing.T) {
	v := newVault(t)
	v.expect("before", v.ring(secretA), "a", "a", "")
	v.after(time.Second)
	v.expect("listed", v.ring(secretA, secretB), "a", "ab", "")
	v.after(time.Second)
	v.expect("first", v.ring(secretB, secretA), "b", "ab", "a")
	v.after(time.Second)
	v.expect("put back", v.ring(secretA, secretB), "a", "ab", "b")
	v.expect("first again", v.ring(secretB, secretA), "b", "ab", "a")
	v.expect("alone", v.ring(secretB), "b", "b", "")
}

// One that comes first at once opens at once and seals later: other replicas may
// not have it yet.
func TestNewSecretSealsLater(t *testing.T) {
	v := newVault(t)
	v.ring(secretA)
	v.after(time.Hour)
	k := v.ring(secretB, secretA)
	v.expect("at once", k, "a", "ab", "")
	v.after(9 * time.Second)
	v.expect("after 9 s", k, "a", "ab", "")
	v.expect("after a reload", v.ring(secretB, secretA, secretC), "a", "abc", "")
	turns := k.turns.Load()
	v.after(3 * time.Second)
	v.expect("after 12 s", k, "b", "ab", "a")
	if k.turns.Load() != turns+1 {
		t.Error("the turn was not counted")
	}
}

// At the start of a process nothing is known: the first seals.
func TestFirstSecretSealsAtStart(t *testing.T) {
	v := newVault(t)
	v.expect("two", v.ring(secretB, secretA), "b", "ab", "a")
}

// A file that is replaced: the secret before goes on until the new one may be
// known to all, and opens for a minute more. What it sealed ends with it.
func TestSecretFileIsReplaced(t *testing.T) {
	v := newVault(t)
	v.write("secret", secretA)
	k := v.ring("file:secret")
	v.after(time.Hour)
	v.write("secret", secretB+"\r\n")
	v.expect("not looked at", k, "a", "a", "")
	v.look(k)
	v.expect("at once", k, "a", "ab", "")
	v.after(11 * time.Second)
	v.expect("after the delay", k, "b", "ab", "")
	v.after(58 * time.Second)
	v.expect("before a minute is over", k, "b", "ab", "")
	v.after(3 * time.Second)
	v.expect("after it", k, "b", "b", "")
}

// Two files, current and previous: what was listed beside the new secret is sealed
// anew, even if it is dropped before the new one seals.
func TestSecretFilesInTurn(t *testing.T) {
	v := newVault(t)
	v.write("current", secretA)
	v.write("previous", secretA)
	k := v.ring("file:current", "file:previous")
	v.after(time.Hour)
	v.write("current", secretB)
	v.look(k)
	v.expect("at once", k, "a", "ab", "")
	v.after(5 * time.Second)
	v.write("previous", secretB)
	v.look(k)
	v.expect("dropped early", k, "a", "ab", "")
	v.after(6 * time.Second)
	v.expect("after the delay", k, "b", "ab", "a")
	v.after(time.Hour)
	v.expect("later", k, "b", "b", "")
}

// A file whose text is of no use changes nothing, also when what was passing ends.
func TestUselessSecretChangesNothing(t *testing.T) {
	v := newVault(t)
	v.write("secret", secretA)
	k := v.ring("file:secret")
	reported := 0
	k.report = func(_ error) { reported++ }
	v.after(time.Hour)
	v.write("secret", secretB)
	v.look(k)
	v.expect("replaced", k, "a", "ab", "")
	for i, useless := range []string{"short", "change-me-change-me-change-me-please", strings.Repeat("x", 40)} {
		v.after(time.Second)
		v.write("secret", useless)
		v.look(k)
		v.expect(useless, k, "a", "ab", "")
		if reported != i+1 {
			t.Errorf("%s: reported %d times", useless, reported)
		}
	}
	v.after(10 * time.Second)
	v.expect("the delay is over", k, "b", "ab", "")
	v.after(time.Hour)
	v.expect("later", k, "b", "b", "")
	v.write("secret", secretC)
	v.look(k)
	v.expect("a good one again", k, "b", "bc", "")
}

// A file system that hangs holds up nobody but whoever looks at it.
func TestSecretFileHangs(t *testing.T) {
	v := newVault(t)
	v.write("secret", secretA)
	k := v.ring("file:secret")
	s := k.secrets[0]
	s.reading.Lock() // as long as the file system does not answer
	looked := make(chan struct{})
	go func() { s.look(); close(looked) }()
	var all sync.WaitGroup
	for i := 0; i < 20; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			k.at(v.now.Add(time.Hour))
			s.get()
		}()
	}
	all.Wait()
	s.reading.Unlock()
	take(t, "the look", looked)
}

// What is known of secrets is bounded.
func TestKnownSecretsAreBounded(t *testing.T) {
	n := &knownSecrets{}
	for i := 0; i < 3*maxKnown; i++ {
		n.note([]string{noise(40)}, time.Unix(1, 0))
		if len(n.since) > maxKnown+2 {
			t.Fatalf("%d are known", len(n.since))
		}
	}
}
