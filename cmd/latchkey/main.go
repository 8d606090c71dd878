// Command latchkey is for whoever runs the plugin of that name in Traefik.
//
// What people do on their account page, it does for all of them: it makes,
// rotates and revokes API tokens and ends sessions, in the store that the
// settings name, so that every replica knows at once. And it looks through the
// settings before Traefik does, which would leave out a router whose middleware
// has a mistake.
//
//	token.go, session.go, user.go  what is administered, a command each
//	lifetime.go                    how long a token is good for, as it is written
//	store.go                       the store that they work on
//	check.go                       config check
//	configuration.go               a file's Latchkey middlewares, and its routers
//	documents.go                   its YAML or TOML, or where that is broken
//	settings.go                    a middleware's settings, decoded as Traefik does
//	output.go                      tables and JSON
//
// A command gives what was asked for on standard output, and what there is to
// know about it on standard error, so that a script can take a new token from
// the former.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // the operation failed
	exitUsage    = 2 // the command line is wrong
	exitMistakes = 3 // config check found mistakes
)

const about = `latchkey administers the API tokens and sessions of the Traefik plugin Latchkey,
and checks its settings.

Which store it works on is said by --config, a dynamic configuration of Traefik
that has the plugin's settings, or by --file, a shadow file of API tokens alone.
Secrets written env:NAME or file:/path are read where the command runs; a path
that is not absolute begins in its working directory, as for Traefik.

Exit codes: 0 all went well, 1 the operation failed (the store is away, or has
no such token or session), 2 the command line is wrong, 3 config check found
mistakes. Errors go to standard error.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run does what the arguments say, and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(ctx) // releases the store
	defer cancel()
	root := rootCommand()
	root.SetArgs(append([]string{}, args...)) // nil would be those of the process
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var f *failure
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errMistakes):
		return exitMistakes
	case errors.As(err, &f):
		writeError(stderr, err)
		return exitFailed
	}
	writeError(stderr, err)
	fmt.Fprintf(stderr, "See %s --help.\n", cmd.CommandPath())
	return exitUsage
}

// writeError writes each of several errors apart.
func writeError(w io.Writer, err error) {
	if several, joined := err.(interface{ Unwrap() []error }); joined {
		for _, e := range several.Unwrap() {
			writeError(w, e)
		}
		return
	}
	fmt.Fprintf(w, "latchkey: %v\n", err)
}

func rootCommand() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "latchkey",
		Short: "Administer Latchkey's API tokens and sessions, and check its settings",
		Long:  about,
		Example: `  latchkey config check dynamic.yml
  TOKEN=$(latchkey token create --config dynamic.yml --owner ci)
  latchkey user end --config dynamic.yml alice`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.BoolVar(&o.json, "json", false, "write JSON instead of text")
	flags.StringVar(&o.plugin, "plugin", "latchkey", "what Traefik's static configuration calls the plugin")
	root.AddCommand(tokenCommand(o), sessionCommand(o), userCommand(o), configCommand(o))
	return root
}

// group is a command that only has others.
func group(name, short, long, example string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:     name + " COMMAND",
		Short:   short,
		Long:    long,
		Example: example,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("which command?")
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

// failure is an operation that was asked for properly and failed. Any other
// error is one of the command line.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failed says that err is no fault of the command line; nil stays nil.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err}
}
