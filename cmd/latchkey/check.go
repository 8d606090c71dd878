package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latchkey-auth/latchkey"
)

// errMistakes says that config check found some, which were written already.
var errMistakes = errors.New("there are mistakes")

func configCommand(o *options) *cobra.Command {
	return group("config", "Check settings", "Look through the settings of Latchkey's middlewares, before Traefik does.",
		"  latchkey config check dynamic.yml", checkCommand(o))
}

func checkCommand(o *options) *cobra.Command {
	var noSecrets bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say what is wrong with a file's settings",
		Long: `Check decodes the settings of every Latchkey middleware in the files as Traefik
does, and has the plugin look through them. It opens no connection. Each mistake
is a line: FILE: middleware NAME: setting: what is wrong. So is a syntax error,
a file without a Latchkey middleware, and a router that names a middleware which
none of the files declares.

A file is a dynamic configuration of the file provider, in YAML or TOML, or has
Kubernetes resources, of which those of the kind Middleware are looked at. "-"
is YAML from standard input. Give all files of a directory that Traefik reads at
once, since their routers may name one another's middlewares.

Secrets written env:NAME or file:/path must be there. With --no-secrets they are
not looked at, nor are those of a cluster (urn:k8s:secret:...), as in a pipeline
that must not have them.

Exit code 3 says that there are mistakes.`,
		Example: `  latchkey config check dynamic.yml
  latchkey config check --no-secrets --json conf.d/*.toml
  kubectl get middlewares -A -o yaml | latchkey config check --no-secrets -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := readConfigurations(args, o.plugin, cmd.InOrStdin())
			if err != nil {
				return err
			}
			problems, checked := check(cmd.Context(), files, o.plugin, noSecrets)
			if err := writeProblems(cmd.OutOrStdout(), o.json, problems, checked); err != nil {
				return err
			}
			if len(problems) > 0 {
				return errMistakes
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&noSecrets, "no-secrets", false, "do without secrets that are not here")
	return cmd
}

func readConfigurations(paths []string, plugin string, stdin io.Reader) ([]*configuration, error) {
	var files []*configuration
	for _, path := range paths {
		c, err := readConfiguration(path, plugin, stdin)
		if err != nil {
			return nil, err
		}
		files = append(files, c)
	}
	return files, nil
}

// check returns what is wrong with the files, in their order, and how many
// middlewares it looked at.
func check(ctx context.Context, files []*configuration, plugin string, noSecrets bool) (problems []problem, checked int) {
	for _, c := range files {
		problems = append(problems, c.problems...)
		for _, s := range c.sections {
			for _, mistake := range s.mistakes(ctx, noSecrets) {
				problems = append(problems, problem{File: s.file, Middleware: s.name, Problem: mistake})
			}
		}
		checked += len(c.sections)
		problems = append(problems, strangers(c, files)...)
	}
	unread := slices.ContainsFunc(files, func(c *configuration) bool { return len(c.problems) > 0 })
	if checked == 0 && !unread {
		for _, c := range files {
			problems = append(problems, problem{File: c.path, Problem: c.withoutUs(plugin)})
		}
	}
	return problems, checked
}

// mistakes are those that the plugin would refuse to start with.
func (s section) mistakes(ctx context.Context, noSecrets bool) []string {
	config, mistakes := s.config(noSecrets)
	if config == nil {
		return mistakes
	}
	var level slog.Level
	if level.UnmarshalText([]byte(config.Log.Level)) == nil {
		config.Log.Level = "error" // nothing is to be told but mistakes
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, err := latchkey.New(ctx, http.NotFoundHandler(), config, s.name)
	if err != nil {
		mistakes = append(mistakes, splitMistakes(strings.TrimPrefix(err.Error(), "latchkey "+s.name+": "))...)
	}
	return mistakes
}

var mistakeStart = regexp.MustCompile(`^; [^\s;:"]+: `)

// splitMistakes takes New's error apart, which has a semicolon between two
// mistakes. Within one, a semicolon may stand too, and quoted text has any.
func splitMistakes(text string) []string {
	var mistakes []string
	quoted, begin := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && mistakeStart.MatchString(text[i:]):
			mistakes = append(mistakes, text[begin:i])
			begin = i + len("; ")
		}
	}
	return append(mistakes, text[begin:])
}

// strangers are the middlewares that routers name and no file declares. Of one
// with a provider's name behind an @, another provider knows.
func strangers(c *configuration, files []*configuration) []problem {
	var problems []problem
	for _, r := range c.routers {
		for _, name := range r.middlewares {
			declared := slices.ContainsFunc(files, func(f *configuration) bool { return f.middlewares[name] })
			if !declared && !strings.Contains(name, "@") {
				problems = append(problems, problem{File: c.path, Problem: fmt.Sprintf("router %s: no middleware %q is declared here; one of another provider is written %s@provider", r.name, name, name)})
			}
		}
	}
	return problems
}

// withoutUs says that the file has nothing to check.
func (c *configuration) withoutUs(plugin string) string {
	text := fmt.Sprintf("no middleware of the plugin %q", plugin)
	if len(c.others) > 0 {
		slices.Sort(c.others)
		text += fmt.Sprintf("; there are some of %s (see --plugin)", strings.Join(slices.Compact(c.others), ", "))
	}
	return text
}

func writeProblems(w io.Writer, asJSON bool, problems []problem, checked int) error {
	if asJSON {
		return writeJSON(w, list(problems))
	}
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	if len(problems) == 0 {
		fmt.Fprintf(w, "no mistakes in %s\n", count(checked, "Latchkey middleware"))
	}
	return nil
}
