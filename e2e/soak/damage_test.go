package soak

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	damageLasts = 2500 * time.Millisecond
	damageLook  = "1s"
)

// damages are what happens to a file of API tokens that is in use.
var damages = []struct {
	name string
	do   func(path string, good []byte) error
}{
	{"removed", func(path string, _ []byte) error { return os.Remove(path) }},
	{"emptied", func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) }},
	{"cut in half", func(path string, good []byte) error { return os.WriteFile(path, good[:len(good)/2], 0o600) }},
	{"without its last byte", func(path string, good []byte) error { return os.WriteFile(path, good[:len(good)-2], 0o600) }},
	{"garbage", func(path string, _ []byte) error { return os.WriteFile(path, []byte("garbage"), 0o600) }},
	{"zeros", func(path string, good []byte) error { return os.WriteFile(path, make([]byte, len(good)), 0o600) }},
	{"twice", func(path string, good []byte) error {
		return os.WriteFile(path, append(bytes.Clone(good), good...), 0o600)
	}},
	{"a list", func(path string, _ []byte) error { return os.WriteFile(path, []byte("[]"), 0o600) }},
	{"null", func(path string, _ []byte) error { return os.WriteFile(path, []byte("null"), 0o600) }},
	{"of another version", func(path string, good []byte) error {
		return os.WriteFile(path, bytes.Replace(good, []byte(`"version":1`), []byte(`"version":99`), 1), 0o600)
	}},
	{"readable by all", func(path string, _ []byte) error { return os.Chmod(path, 0o644) }},
	{"a folder", func(path string, _ []byte) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.Mkdir(path, 0o700)
	}},
	{"a link to nowhere", func(path string, _ []byte) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.Symlink("/nowhere/at/all", path)
	}},
}

// A file of API tokens comes to harm while it is used. Tokens that were good go on, and nobody else gets in.
func TestDamagedTokenFile(t *testing.T) {
	needed(t)
	path := filepath.Join(t.TempDir(), "tokens.json")
	d := startDrill(t, drillPlan{replicas: 1, store: "cookie", settings: func(s harness.Settings) harness.Settings {
		return s.With("apiTokens", "file", path).With("apiTokens", "checkEvery", damageLook)
	}})
	owner := d.logins(1)[0]
	token, err := d.token(owner)
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"the file is|" + scoreColumns + "|strangers let in"}
	for _, damage := range damages {
		s, strangers := &score{}, &score{}
		if err := damage.do(path, good); err != nil {
			t.Fatalf("%s: %v", damage.name, err)
		}
		for end := time.Now().Add(damageLasts); time.Now().Before(end); {
			a, err := d.ask(0, "/page", "X-API-Key", token)
			s.add(a, err, owner.user, http.StatusOK)
			a, err = d.ask(0, "/page", "X-API-Key", token[:len(token)-4]+"AAAA")
			strangers.add(a, err, "", http.StatusUnauthorized)
		}
		lines = append(lines, fmt.Sprintf("%s|%s|%d", damage.name, s, strangers.statuses[http.StatusOK]))
		s.good(t, damage.name)
		strangers.good(t, damage.name+": a wrong token")
		if err := whole(path, good); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(table(lines...))
}

// whole puts the file back as it was.
func whole(path string, good []byte) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", good, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// token makes an API token on its owner's behalf.
func (d *drill) token(k *known) (string, error) {
	site := d.Traefiks[0].URL
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, site+"/oauth2/api/tokens", strings.NewReader(`{"note":"drill"}`))
	if err != nil {
		return "", err
	}
	r.Header.Set("Cookie", k.cookie)
	r.Header.Set("Content-Type", "application/json")
	res, err := asker.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var given struct{ Credential string }
	if err := json.NewDecoder(res.Body).Decode(&given); err != nil || given.Credential == "" {
		return "", fmt.Errorf("make a token: status %d, %v", res.StatusCode, err)
	}
	return given.Credential, nil
}
