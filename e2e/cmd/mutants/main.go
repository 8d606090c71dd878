// Command mutants proves the unit tests: it removes each check of the plugin in turn and fails if no test notices.
//
//	main.go    the flags, the summary
//	tree.go    a copy of the checkout, in which one check at a time is missing
//	run.go     go test over a mutant; killed, survived or invalid
//	list*.go   the mutants: file, source text, what stands in its place, and the attack that the check answers
//	sites.go   every place where a small fault can be put; sample.go draws some of them at random
//
// The text of a mutant must occur exactly once in its file, or the run fails before it begins: so the list cannot rot
// without a word. Nothing is written in the checkout.
//
// Usage: mutants [-p n] [-run regexp] [-tests regexp] [-check]
//
//	mutants -sample n [-seed s] [-files regexp]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

func main() {
	var r runner
	var run string
	var checkOnly bool
	var sample int
	var seed uint64
	var files string
	flag.IntVar(&r.parallel, "p", 2, "mutants tested at a time")
	flag.DurationVar(&r.timeout, "timeout", 2*time.Minute, "limit for the tests of one package")
	flag.StringVar(&run, "run", "", "only mutants whose group and attack match this regular expression")
	flag.StringVar(&r.tests, "tests", "", "only unit tests that match this regular expression: quicker, while a mutant or a test is written")
	flag.BoolVar(&checkOnly, "check", false, "only see that each text occurs exactly once, and count")
	flag.IntVar(&sample, "sample", 0, "instead of the list, this many faults drawn at random over the whole source")
	flag.Uint64Var(&seed, "seed", 1, "of the drawing")
	flag.StringVar(&files, "files", "", "draw in the files only whose path matches this regular expression")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := func() error { return r.all(ctx, run, checkOnly) }
	if sample > 0 {
		do = func() error { return r.sample(ctx, sample, seed, files) }
	}
	if err := do(); err != nil {
		fmt.Fprintf(os.Stderr, "mutants: %v\n", err)
		os.Exit(1)
	}
}

func (r *runner) all(ctx context.Context, run string, checkOnly bool) error {
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	if err := check(root, mutants()); err != nil {
		return err
	}
	chosen, err := choose(mutants(), run)
	if err != nil {
		return err
	}
	if checkOnly {
		printCounts(chosen)
		return nil
	}
	if err := r.open(ctx, root); err != nil {
		return err
	}
	defer r.close()
	results := r.results(ctx, chosen)
	var survivors, invalid int
	killed, counts := map[string]int{}, map[string]int{}
	for i, m := range chosen {
		res := <-results[i]
		fmt.Printf("%-9s %-16s %s (%s, %.1fs)\n", res.verdict, m.group, m.attack, m.file, res.took.Seconds())
		counts[m.group]++
		switch res.verdict {
		case verdictKilled:
			killed[m.group]++
		case verdictSurvived:
			survivors++
		default:
			invalid++
			fmt.Print(res.output)
		}
	}
	fmt.Println()
	for _, g := range groups {
		if counts[g] > 0 {
			fmt.Printf("%-16s %3d of %3d killed\n", g, killed[g], counts[g])
		}
	}
	fmt.Printf("%-16s %3d of %3d killed\n", "all", len(chosen)-survivors-invalid, len(chosen))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case survivors+invalid > 0:
		return fmt.Errorf("%d survived, %d could not be tested", survivors, invalid)
	}
	return nil
}

// printCounts prints how many there are of each group.
func printCounts(chosen []mutant) {
	counts := map[string]int{}
	for _, m := range chosen {
		counts[m.group]++
	}
	for _, g := range groups {
		if counts[g] > 0 {
			fmt.Printf("| %s | %d |\n", g, counts[g])
		}
	}
	fmt.Printf("| all | %d |\n", len(chosen))
}

func choose(all []mutant, run string) ([]mutant, error) {
	wanted, err := regexp.Compile(run)
	if err != nil {
		return nil, err
	}
	var chosen []mutant
	for _, m := range all {
		if wanted.MatchString(m.group + ": " + m.attack) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("no mutant matches")
	}
	return chosen, nil
}
