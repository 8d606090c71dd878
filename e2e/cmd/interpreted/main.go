// Command interpreted runs the plugin's unit tests the way Traefik runs the plugin: interpreted by Yaegi.
//
// Compiled tests cannot see what the interpreter gets wrong, so each package is tested twice. Yaegi passes over
// external test packages and TestMain without a word; here both are errors, and so is a test that go test lists
// and the interpreter does not run. Fuzzers run over their seeds, as with go test.
//
// Usage: interpreted [-v] [-p n] [-run regexp] [package pattern ...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// childEnv names the package that this process is to interpret; main starts itself once per package.
const childEnv = "LATCHKEY_INTERPRET"

func main() {
	if pkg := os.Getenv(childEnv); pkg != "" {
		tests, fuzzers, err := load(pkg)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		run(tests, fuzzers)
	}
	var r runner
	flag.BoolVar(&r.verbose, "v", false, "show the output of the tests that pass, too")
	flag.IntVar(&r.parallel, "p", 2, "packages tested at a time")
	flag.StringVar(&r.run, "run", "", "run only the tests matching this regular expression, and compare nothing")
	flag.DurationVar(&r.timeout, "timeout", 10*time.Minute, "limit for one package")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := r.all(ctx, patterns); err != nil {
		fmt.Fprintf(os.Stderr, "interpreted: %v\n", err)
		os.Exit(1)
	}
}

type runner struct {
	verbose  bool
	parallel int
	run      string
	timeout  time.Duration

	gopath string
}

// all tests every package matching patterns and prints one line for each.
func (r *runner) all(ctx context.Context, patterns []string) error {
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	packages, err := list(ctx, root, patterns)
	if err != nil {
		return err
	}
	if r.gopath, err = os.MkdirTemp("", "latchkey-interpreted-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.gopath)
	if err := checkout.Link(r.gopath, root); err != nil {
		return err
	}
	began := time.Now()
	results := r.results(ctx, packages)
	var failed, tests int
	for i := range packages {
		res := <-results[i]
		fmt.Print(res.text)
		tests += res.tests
		if res.failed {
			failed++
		}
	}
	fmt.Printf("%d tests in %d packages interpreted in %.1fs\n", tests, len(packages), time.Since(began).Seconds())
	if failed > 0 {
		return fmt.Errorf("%d of %d packages failed", failed, len(packages))
	}
	if tests == 0 {
		return errors.New("no test ran")
	}
	return ctx.Err()
}

// results starts the packages' tests, r.parallel at a time, and hands each result to the channel of its place.
func (r *runner) results(ctx context.Context, packages []*pkg) []chan result {
	results := make([]chan result, len(packages))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	work := make(chan int, len(packages))
	for i := range packages {
		work <- i
	}
	close(work)
	var workers sync.WaitGroup
	for range r.parallel {
		workers.Go(func() {
			for i := range work {
				results[i] <- r.test(ctx, packages[i])
			}
		})
	}
	return results
}
