package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// trial is what somebody has who tries Latchkey as the documentation says: an app, a provider, a free port, and
// then a Traefik.
type trial struct {
	*bench
	dir  string // empty
	port string
}

// newTrial has no Traefik yet.
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

// commands stand in for three programs of the user's: git makes a link to this checkout, python3 does nothing, since the
// app is there, and traefik notes its directory, its arguments and its environment.
const commands = `set -eu
git() { [ "$1 $2" = "clone https://$MODULE" ]; mkdir -p "$(dirname "$3")"; ln -s "$CHECKOUT" "$3"; }
python3() { :; }
traefik() { printf '%s\0' "$PWD" "$@" > "$NOTES/called"; env -0 > "$NOTES/environment"; }
`

// run gives a shell what the user is told to type, and starts Traefik as the user would have started it.
func (tr *trial) run(dir, script string) {
	t := tr.t
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	notes := t.TempDir()
	shell := exec.CommandContext(t.Context(), "bash", "-c", commands+script)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "MODULE="+checkout.Module, "CHECKOUT="+root, "NOTES="+notes)
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
	called := readList(t, filepath.Join(notes, "called"))
	tr.Traefik, err = harness.StartTrial(t.Context(), harness.Trial{
		Dir:  called[0],
		Args: called[1:],
		Env:  readList(t, filepath.Join(notes, "environment")),
		URL:  "http://localhost:" + tr.port,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readList reads texts that each end in NUL.
func readList(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
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
