package main

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The files of a directory that Traefik reads know one another's middlewares.
func TestConfigCheckFiles(t *testing.T) {
	routers := write(t, "routers.yml", "http: {routers: {app: {rule: x, middlewares: [login]}}}")
	middlewares := write(t, "middlewares.yml", goodYAML)
	if r := command(t, "config", "check", routers, middlewares); r.code != exitOK || r.stdout != "no mistakes in 2 Latchkey middlewares\n" {
		t.Errorf("%+v", r)
	}
	r := command(t, "config", "check", routers)
	for _, want := range []string{`router app: no middleware "login"`, "no middleware of the plugin"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%+v lacks %q", r, want)
		}
	}
}

func TestConfigCheckStandardInput(t *testing.T) {
	if r := commandWith(t, goodKubernetes, "config", "check", "--no-secrets", "-"); r.code != exitOK {
		t.Errorf("%+v", r)
	}
	if r := commandWith(t, "a: [", "config", "check", "-"); r.code != exitMistakes || !strings.HasPrefix(r.stdout, "-: line 1: ") {
		t.Errorf("%+v", r)
	}
}

func TestConfigCheckJSON(t *testing.T) {
	path := write(t, "d.yml", "http: {routers: {r: {middlewares: [x]}}, middlewares: {login: {plugin: {latchkey: {bearer: {enabled: maybe}}}}}}")
	r := command(t, "config", "check", "--json", path)
	var problems []problem
	if err := json.Unmarshal([]byte(r.stdout), &problems); err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	want := []problem{
		{File: path, Middleware: "login", Problem: `bearer.enabled: "maybe" is not true or false`},
		{File: path, Problem: `router r: no middleware "x" is declared here; one of another provider is written x@provider`},
	}
	if r.code != exitMistakes || !slices.Equal(problems, want) {
		t.Errorf("code %d: %+v, want %+v", r.code, problems, want)
	}
	if r := command(t, "config", "check", "--json", write(t, "d.yml", goodYAML)); r.code != exitOK || r.stdout != "[]\n" {
		t.Errorf("%+v", r)
	}
}

// What cannot be read is no mistake in it.
func TestConfigCheckFails(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no file":      {[]string{"/nowhere/d.yml"}, exitFailed, "latchkey: open /nowhere/d.yml: no such file or directory\n"},
		"another kind": {[]string{"/nowhere/d.ini"}, exitUsage, "latchkey: /nowhere/d.ini: neither YAML (.yml, .yaml) nor TOML (.toml), by its name\nSee latchkey config check --help.\n"},
		"nothing":      {nil, exitUsage, "latchkey: requires at least 1 arg(s), only received 0\nSee latchkey config check --help.\n"},
	} {
		r := command(t, append([]string{"config", "check"}, c.args...)...)
		if r.code != c.code || r.stderr != c.want || r.stdout != "" {
			t.Errorf("%s: %+v, want code %d and %q", name, r, c.code, c.want)
		}
	}
}

var readmeBlock = regexp.MustCompile("(?s)<!-- ([^>]+) -->\n```[a-z]+\n(.*?)```")

// The README's own configurations have no mistake.
func TestConfigCheckReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"trial: dynamic.yml": "dynamic.yml", "trial: dynamic.toml": "dynamic.toml", "check: kubernetes": "latchkey.yml"}
	found := 0
	for _, block := range readmeBlock.FindAllStringSubmatch(string(readme), -1) {
		name, ours := files[block[1]]
		if !ours {
			continue
		}
		found++
		if r := command(t, "config", "check", "--no-secrets", write(t, name, block[2])); r.code != exitOK {
			t.Errorf("%s: %+v", block[1], r)
		}
	}
	if found != len(files) {
		t.Errorf("%d of the blocks %v", found, files)
	}
}

// The README's Secret has no secret yet, which the check says as the plugin does, with the fix.
func TestConfigCheckReadmePlaceholder(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range readmeBlock.FindAllStringSubmatch(string(readme), -1) {
		value := regexp.MustCompile(`(?m)^  secret: "(.*)"$`).FindStringSubmatch(block[2])
		if block[1] != "check: kubernetes" || value == nil {
			continue
		}
		manifest := strings.ReplaceAll(block[2], "file:/run/secrets/latchkey/client-secret", "env:LATCHKEY_TEST_CLIENT")
		manifest = strings.ReplaceAll(manifest, "file:/run/secrets/latchkey/secret", "env:LATCHKEY_TEST_SECRET")
		path := write(t, "latchkey.yml", manifest)
		t.Setenv("LATCHKEY_TEST_CLIENT", "the provider's")
		for secret, code := range map[string]int{value[1]: exitMistakes, strings.Repeat(value[1], 2): exitMistakes, rand.Text() + rand.Text(): exitOK} {
			t.Setenv("LATCHKEY_TEST_SECRET", secret)
			r := command(t, "config", "check", path)
			told := strings.Contains(r.stdout, "middleware default/login: secret: ") && strings.Contains(r.stdout, "openssl rand -base64 48")
			if r.code != code || told != (code == exitMistakes) {
				t.Errorf("%q: %+v", secret, r)
			}
		}
		return
	}
	t.Fatal("the README has no Secret")
}
