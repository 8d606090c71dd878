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

// What the README says under Install, typed to the letter, ends at a page that says who is logged in, and gives out
// nothing. Replaced are only the values that it says are the reader's.
func TestReadmeInstall(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"dynamic.yml", "dynamic.toml"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			tr := newLiteralTrial(t)
			script := replace(t, installScript(t, form),
				"https://id.example.com/realms/main", tr.Provider.Issuer,
				"portal", harness.ClientID,
				"the client secret", harness.ClientSecret)
			if form == "dynamic.toml" {
				script = replace(t, script, "filename: dynamic.yml", "filename: dynamic.toml")
			}
			tr.run(script)
			tr.register()
			tab := tr.login()
			folder := filepath.Join(tr.dir, "latchkey-trial")
			if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder has the mode %v, error %v, want 700", info.Mode().Perm(), err)
			}
			tr.secretIsKept(tab, folder)
			tr.logout(tab)
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

// login opens the first page, logs in, and reads there who is logged in.
func (tr *trial) login() *harness.Tab {
	t := tr.t
	t.Helper()
	tr.poll("the app", func() error {
		res, err := http.Get(appURL)
		if err == nil {
			res.Body.Close()
		}
		return err
	})
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
	text, err := tab.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"You are alice@example.com", "X-Auth-Request-User\talice", "X-Auth-Request-Groups\tstaff,ops"} {
		if !strings.Contains(text, want) {
			t.Errorf("the first page after the login lacks %q:\n%s", want, text)
		}
	}
	return tab
}

func (tr *trial) logout(tab *harness.Tab) {
	t := tr.t
	t.Helper()
	if status, err := tab.Open(tr.Traefik.URL + "/oauth2/logout"); err != nil || status != http.StatusOK {
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

// examples/file works as its first comment says, and gives out nothing.
func TestExampleFile(t *testing.T) {
	t.Parallel()
	tr := newLiteralTrial(t)
	tr.run(`git clone --quiet "https://$MODULE" latchkey
cd latchkey/examples/file
` + replace(t, exampleScript(t),
		"OIDC_ISSUER=...", "OIDC_ISSUER="+tr.Provider.Issuer,
		"OIDC_CLIENT_ID=...", "OIDC_CLIENT_ID="+harness.ClientID,
		"OIDC_CLIENT_SECRET=...", "OIDC_CLIENT_SECRET="+harness.ClientSecret))
	tr.register()
	tab := tr.login()
	tr.secretIsKept(tab, filepath.Join(tr.dir, "latchkey", "examples", "file"))
	tr.logout(tab)

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

var commandLine = regexp.MustCompile(`(?m)^#   (.*)$`)

// exampleScript are the commands of the comment in traefik.yml.
func exampleScript(t *testing.T) string {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "examples", "file", "traefik.yml"))
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
