package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// result is what a command did.
type result struct {
	code           int
	stdout, stderr string
}

func command(t *testing.T, args ...string) result {
	t.Helper()
	return commandWith(t, "", args...)
}

func commandWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// write writes a file of that name, and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every command says what it does, and shows it.
func TestHelp(t *testing.T) {
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Long == "" || !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s: short %q, long %q, example %q", cmd.CommandPath(), cmd.Short, cmd.Long, cmd.Example)
		}
		r := command(t, append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if r.code != exitOK || r.stderr != "" || !strings.Contains(r.stdout, "Examples:") {
			t.Errorf("%s: %+v", cmd.CommandPath(), r)
		}
		for _, c := range cmd.Commands() {
			look(c)
		}
	}
	look(rootCommand())
	if r := command(t); r.code != exitOK || !strings.Contains(r.stdout, "Exit codes: 0 ") {
		t.Errorf("%+v", r)
	}
	if r := command(t, "tokn"); r.code != exitUsage || !strings.HasPrefix(r.stderr, "latchkey: unknown command \"tokn\"") {
		t.Errorf("%+v", r)
	}
}
