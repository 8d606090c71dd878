package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// What the README says under Install, followed to the letter, ends at a login. Replaced are only the values that it
// says are the reader's, and the ports.
func TestReadmeInstall(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"dynamic.yml", "dynamic.toml"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			tr := newTrial(t)
			script := replace(t, installScript(t, form),
				"https://id.example.com/realms/main", tr.Provider.Issuer,
				"portal", harness.ClientID,
				"the client secret", harness.ClientSecret,
				":8000", ":"+tr.port,
				"http://127.0.0.1:9000", tr.Apps.URL)
			if form == "dynamic.toml" {
				script = replace(t, script, "filename: dynamic.yml", "filename: dynamic.toml")
			}
			tr.run(tr.dir, script)
			tr.register()
			tr.loginAndOut()
		})
	}
}

// installScript is what a reader types: the commands under Install, and the files between them, of which the dynamic
// configuration may be another than the first one.
func installScript(t *testing.T, form string) string {
	t.Helper()
	readme := readDocument(t, "README.md")
	var script strings.Builder
	for _, b := range readme.blocks {
		name, file := strings.CutPrefix(b.mark, "trial: ")
		switch {
		case b.section != "Install":
		case b.lang == "sh":
			script.WriteString(b.text)
		case file && name == "dynamic.yml":
			fmt.Fprintf(&script, "cat > %s <<'EOF'\n%sEOF\n", form, readme.marked(t, "trial: "+form)[0].text)
		case file:
			fmt.Fprintf(&script, "cat > %s <<'EOF'\n%sEOF\n", name, b.text)
		}
	}
	return script.String()
}

// register enters the URIs at the provider that the README's table names.
func (tr *trial) register() {
	tr.t.Helper()
	uris := map[string]string{}
	for _, row := range rows(readDocument(tr.t, "README.md").section(tr.t, "Install")) {
		uris[row[0]] = strings.ReplaceAll(strings.Trim(row[1], "`"), "<scheme>://<host>", tr.Traefik.URL)
	}
	callback := uris["redirect URI"]
	tr.Provider.Allow(callback)
	// The provider of the bench derives it from the other one.
	if logout := strings.TrimSuffix(callback, "callback") + "logout"; uris["post-logout redirect URI"] != logout {
		tr.t.Fatalf("the post-logout redirect URI is %q, want %q", uris["post-logout redirect URI"], logout)
	}
}

func (tr *trial) loginAndOut() {
	t := tr.t
	t.Helper()
	tab := tr.tab()
	if _, err := tab.Open(tr.Traefik.URL + "/"); err != nil {
		t.Fatal(err)
	}
	tr.atProvider(tab)
	status, err := tab.Login("alice")
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusOK {
		t.Errorf("status %d after the login, want 200", status)
	}
	at(t, tab, tr.Traefik.URL+"/")
	seen, err := tab.Seen()
	if err != nil {
		t.Fatal(err)
	}
	isIdentity(t, seen, "alice", "staff,ops")
	if status, err = tab.Open(tr.Traefik.URL + "/oauth2/logout"); err != nil || status != http.StatusOK {
		t.Errorf("logout: status %d, error %v, want 200", status, err)
	}
	text, err := tab.Text()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "Logged out") {
		t.Errorf("the page after the logout says %q", text)
	}
}

// examples/file works as its first comment says.
func TestExampleFile(t *testing.T) {
	t.Parallel()
	tr := newTrial(t)
	dir := copyExample(t)
	replaceIn(t, filepath.Join(dir, "traefik.yml"), "127.0.0.1:8000", "127.0.0.1:"+tr.port)
	replaceIn(t, filepath.Join(dir, "dynamic.yml"), "http://127.0.0.1:9000", tr.Apps.URL)
	tr.run(dir, replace(t, exampleScript(t, dir),
		"OIDC_ISSUER=...", "OIDC_ISSUER="+tr.Provider.Issuer,
		"OIDC_CLIENT_ID=...", "OIDC_CLIENT_ID="+harness.ClientID,
		"OIDC_CLIENT_SECRET=...", "OIDC_CLIENT_SECRET="+harness.ClientSecret))
	tr.register()
	tr.loginAndOut()

	// The dashboard's own page is not part of a Traefik that was built from its module alone; its data are.
	for user, want := range map[string]int{"alice": http.StatusOK, "bob": http.StatusForbidden} {
		tab := tr.tab()
		if _, err := tab.Open(tr.Traefik.URL + "/api/overview"); err != nil {
			t.Fatal(err)
		}
		status, err := tab.Login(user)
		if err != nil {
			t.Fatal(err)
		}
		if status != want {
			t.Errorf("%s at the API: status %d, want %d", user, status, want)
		}
	}
}

// copyExample is a copy of examples/file, with a copy of the plugin where it is from there.
func copyExample(t *testing.T) string {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	files := append(glob(t, root, "*.go"), filepath.Join(root, "go.mod"), filepath.Join(root, ".traefik.yml"))
	for _, name := range []string{"traefik.yml", "dynamic.yml"} {
		files = append(files, filepath.Join(root, "examples", "file", name))
	}
	copied := t.TempDir()
	for _, path := range files {
		copyFile(t, path, filepath.Join(copied, strings.TrimPrefix(path, root)))
	}
	for _, dir := range []string{"internal", "vendor"} {
		if err := os.CopyFS(filepath.Join(copied, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(copied, "examples", "file")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// replaceIn is replace in a file.
func replaceIn(t *testing.T, path string, values ...string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(replace(t, string(data), values...)), 0o644); err != nil {
		t.Fatal(err)
	}
}

var commandLine = regexp.MustCompile(`(?m)^#   (.*)$`)

// exampleScript are the commands of the comment in traefik.yml.
func exampleScript(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "traefik.yml"))
	if err != nil {
		t.Fatal(err)
	}
	told, _, found := strings.Cut(string(data), "# Register at the provider:")
	if !found {
		t.Fatal("traefik.yml does not say what to register")
	}
	var script strings.Builder
	for _, line := range commandLine.FindAllStringSubmatch(told, -1) {
		script.WriteString(line[1] + "\n")
	}
	return script.String()
}
