package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// trial is what somebody has who tries Latchkey as the documentation says: a provider, a folder, and then a Traefik.
type trial struct {
	*bench
	dir  string // empty
	port string
}

// newTrial has no Traefik yet, and an app for documents that have none of their own.
func newTrial(t *testing.T) *trial {
	t.Helper()
	dir := t.TempDir() // which goes after Traefik
	site := &harness.Site{}
	t.Cleanup(func() {
		if t.Failed() && site.Traefik != nil {
			t.Logf("Traefik's log:\n%s", tail(site.Traefik.Log(), 200))
		}
		site.Stop()
	})
	var err error
	if site.Apps, err = harness.StartApps(); err != nil {
		t.Fatal(err)
	}
	if site.Provider, err = harness.NewProvider(harness.ProviderOptions{SingleSignOn: true}); err != nil {
		t.Fatal(err)
	}
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return &trial{&bench{site, t}, dir, strconv.Itoa(port)}
}

// The ports that the documents name, and where the app is on one of them.
const (
	literalPort = 8000
	appPort     = 9000
	appURL      = "http://127.0.0.1:9000"
)

// letter is held by the one trial that has the documents' own ports.
var letter sync.Mutex

// newLiteralTrial is newTrial with the ports that the documents name, and without an app.
func newLiteralTrial(t *testing.T) *trial {
	t.Helper()
	letter.Lock()
	t.Cleanup(letter.Unlock) // after Traefik's end
	tr := newTrial(t)
	tr.Apps.Stop()
	for _, port := range []int{literalPort, appPort} {
		tr.poll(fmt.Sprintf("port %d to be free, which the documents name", port), func() error {
			if free, err := harness.Prefer(port); err != nil || free != port {
				return fmt.Errorf("another program listens there")
			}
			return nil
		})
	}
	tr.port = strconv.Itoa(literalPort)
	return tr
}

// poll waits for a minute.
func (tr *trial) poll(what string, ready func() error) {
	tr.t.Helper()
	ctx, cancel := context.WithTimeout(tr.t.Context(), time.Minute)
	defer cancel()
	if err := harness.Poll(ctx, what, ready); err != nil {
		tr.t.Fatal(err)
	}
}

// run gives a shell what the user is told to type. It ends with Traefik.
func (tr *trial) run(script string) {
	t := tr.t
	t.Helper()
	var err error
	tr.Traefik, err = harness.StartTrial(t.Context(), harness.Trial{
		Dir:    tr.dir,
		Script: script,
		Env:    append(cloneFrom(repository(t)), "MODULE="+checkout.Module),
		URL:    "http://localhost:" + tr.port,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// cloneFrom has git take the plugin's repository from a folder.
func cloneFrom(folder string) []string {
	return []string{
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url.file://" + folder + ".insteadOf",
		"GIT_CONFIG_VALUE_0=https://" + checkout.Module,
	}
}

// repository is a repository with one commit: what is in the working tree now.
func repository(t *testing.T) string {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "--all"},
		{"-c", "user.name=trial", "-c", "user.email=trial@example.com", "commit", "--quiet", "--message=trial"},
	} {
		git := exec.CommandContext(t.Context(), "git", args...)
		git.Dir = root
		git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_DIR="+filepath.Join(folder, ".git"), "GIT_WORK_TREE="+root)
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	return folder
}

// replace puts the user's own values, given as old, new, old, new, ..., into a text that has each old one once.
func replace(t *testing.T, text string, values ...string) string {
	t.Helper()
	for i := 0; i < len(values); i += 2 {
		if n := strings.Count(text, values[i]); n != 1 {
			t.Fatalf("%q occurs %d times, want once, in\n%s", values[i], n, text)
		}
		text = strings.Replace(text, values[i], values[i+1], 1)
	}
	return text
}

// secretIsKept wants the sealing secret, which is in a folder of the trial, to be the user's alone, and no file of that
// folder to come out of the app, or out of Traefik for somebody who is logged in.
func (tr *trial) secretIsKept(tab *harness.Tab, folder string) {
	t := tr.t
	t.Helper()
	info, err := os.Stat(filepath.Join(folder, "latchkey.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("latchkey.secret has the mode %o, want 600", mode)
	}
	cookie := tr.cookies(tab)
	client := harness.Client()
	nothing := tr.get(client, appURL+"/").body
	if !strings.Contains(nothing, "Nobody is logged in") {
		t.Errorf("the app says to somebody without an identity: %s", nothing)
	}
	for name, content := range contents(t, folder) {
		for _, path := range spellings(filepath.Base(folder), name) {
			if got := tr.get(client, appURL+path).body; got != nothing {
				t.Errorf("the app answers %s with %q", path, got)
			}
			if got := tr.get(client, tr.Traefik.URL+path, "Cookie", cookie).body; strings.Contains(got, content) {
				t.Errorf("Traefik answers %s with the file: %q", path, got)
			}
		}
	}
}

// cookies is the Cookie header that the tab's browser sends.
func (tr *trial) cookies(tab *harness.Tab) string {
	tr.t.Helper()
	cookies, err := tab.Cookies()
	if err != nil {
		tr.t.Fatal(err)
	}
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// contents are the files of a folder, by their names.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = strings.TrimSpace(string(data))
	}
	if found["latchkey.secret"] == "" || len(found) < 3 {
		t.Fatalf("%s has %d files, want the secret and the configuration", folder, len(found))
	}
	return found
}

// spellings are paths by which a file server might give out a file of its folder, or of the one above.
func spellings(folder, name string) []string {
	return []string{
		"/" + name,
		"//" + name,
		"/./" + name,
		"/%2e/" + name,
		"/%2E%2E/" + folder + "/" + name,
		"/..%2f" + folder + "%2f" + name,
		"/" + folder + "/" + name,
		"/" + strings.ReplaceAll(name, ".", "%2e"),
		"/" + name + "?download=1",
	}
}
