package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is no failure of the store is said before it is touched.
func TestTokenUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.json")
	twoStores := write(t, "two.yml", strings.Replace(redisYAML("127.0.0.1:1"), "middlewares:", `middlewares:
    other: {plugin: {latchkey: {provider: {issuer: "https://id.example.com", clientID: portal}, secret: "0123456789abcdef0123456789abcdef",
      bearer: {enabled: false}, apiTokens: {file: `+file+`}}}}`, 1))
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"token", "which command?", exitUsage},
		{"token make", `unknown command "make" for "latchkey token"`, exitUsage},
		{"token list --colour", "unknown flag: --colour", exitUsage},
		{"token list", "which store? Give --config FILE or, for API tokens alone, --file PATH", exitUsage},
		{"token list --config a.yml --file b.json", "two stores: the configuration a.yml and the shadow file b.json; give one", exitUsage},
		{"token create --file " + file, `required flag(s) "owner" not set`, exitUsage},
		{"token create --owner a --expires tomorrow --file " + file, `--expires: "tomorrow" is not 90d, 12h, 2027-01-31, 2027-01-31T12:00:00Z or never`, exitUsage},
		{"token create --owner a --expires 2020-01-01 --file " + file, "it would have expired already", exitUsage},
		{"token create --owner a b --file " + file, `unknown command "b" for "latchkey token create"`, exitUsage},
		{"token rotate --grace soon x --file " + file, `--grace: "soon" is not a duration; write 90d, 12h or 30m`, exitUsage},
		{"token rotate --grace 8d 0123456789abcdef --file " + file, "a grace of 192h0m0s is not between 0 and 168h0m0s", exitUsage},
		{"token rotate --file " + file, "accepts 1 arg(s), received 0", exitUsage},
		{"token rotate 0123456789abcdef --file " + file, "no such token", exitFailed},
		{"token revoke --file " + file, "requires at least 1 arg(s), only received 0", exitUsage},
		{"session list --file " + file, `required flag(s) "user" not set`, exitUsage},
		{"session list --user a --file " + file, errNoSessions.Error(), exitFailed},
		{"session end --user a --file " + file, "give the id of a session, or --all", exitUsage},
		{"session end x --all --user a --file " + file, "give the id of a session, or --all", exitUsage},
		{"user end --file " + file, "accepts 1 arg(s), received 0", exitUsage},
		{"token list --config /nowhere/d.yml", "open /nowhere/d.yml: no such file or directory", exitFailed},
		{"token list --config /nowhere/d.ini", "/nowhere/d.ini: neither YAML (.yml, .yaml) nor TOML (.toml), by its name", exitUsage},
		{"token list --config " + twoStores, twoStores + ": the middlewares login and other have different stores; choose with --middleware", exitUsage},
		{"token list --config " + twoStores + " --middleware ops", twoStores + `: no Latchkey middleware "ops"; there is login, other`, exitUsage},
		{"token list --config " + twoStores + " --plugin lk", twoStores + `: no middleware of the plugin "lk"; there are some of latchkey (see --plugin)`, exitFailed},
	} {
		r := command(t, strings.Fields(c.args)...)
		if r.code != c.code || r.stdout != "" || !strings.HasPrefix(r.stderr, "latchkey: "+c.want+"\n") {
			t.Errorf("%s: %+v, want code %d and %q", c.args, r, c.code, c.want)
		}
	}
	expect(t, command(t, "token", "list", "--json", "--config", twoStores, "--middleware", "other"), exitOK, "[]\n", "")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("there is a file: %v", err)
	}
}

// Configurations that the store cannot be found with.
func TestStoreMistakes(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"syntax":    {"d.yml", "a: [", "line 1: "},
		"templates": {"d.yml", goodYAML + "# {{", "line 23 has {{"},
		"decoding":  {"d.yml", "http: {middlewares: {a: {plugin: {latchkey: {bearer: {enabled: ja}}}}}}", `middleware a: bearer.enabled: "ja" is not true or false`},
		"settings":  {"d.yml", "http: {middlewares: {a: {plugin: {latchkey: {basePath: x, bearer: {enabled: false}}}}}}", "secret: is required"},
		"cluster":   {"k.yml", goodKubernetes, `middleware apps/login: provider.clientSecret: "urn:k8s:secret:latchkey:client" is known in the cluster alone`},
	} {
		r := command(t, "token", "list", "--config", write(t, c.file, c.content))
		if r.code != exitFailed || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: %+v, want %q", name, r, c.want)
		}
	}
}

// The store may be named by the environment.
func TestStoreOfEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.json")
	t.Setenv("LATCHKEY_TOKENS", file)
	idOf(t, command(t, "token", "create", "--owner", "a"))
	if tokens := listed(t); len(tokens) != 1 {
		t.Errorf("%+v", tokens)
	}
	t.Setenv("LATCHKEY_CONFIG", write(t, "d.yml", redisYAML("127.0.0.1:1")))
	if r := command(t, "token", "list"); r.code != exitUsage {
		t.Errorf("%+v, want two stores to be one too many", r)
	}
	if tokens := listed(t, "--file", file); len(tokens) != 1 {
		t.Errorf("%+v, want a flag to count for more", tokens)
	}
	t.Setenv("LATCHKEY_TOKENS", "")
	if r := command(t, "token", "list"); r.code != exitFailed || r.stdout != "" || !strings.Contains(r.stderr, "127.0.0.1:1") {
		t.Errorf("%+v, want a Redis out of reach", r)
	}
}
