package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// sample draws n small faults at random and runs the tests of each one's package and of the root. What does not
// compile is drawn anew. A mutant that survives is no failure of the run: some change nothing that can be seen.
func (r *runner) sample(ctx context.Context, n int, seed uint64, files string) error {
	chosen, err := regexp.Compile(files)
	if err != nil {
		return err
	}
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	if err := r.open(ctx, root); err != nil {
		return err
	}
	defer r.close()
	all, err := allSites(filepath.Join(r.dir, "0"), chosen, random)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("no file matches")
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	fmt.Printf("%d of %d places, seed %d\n", min(n, len(all)), len(all), seed)
	s := &sampling{runner: r, tried: map[string]int{}, killed: map[string]int{}}
	for _, place := range all {
		if s.all == n || ctx.Err() != nil {
			break
		}
		if err := s.test(ctx, place); err != nil {
			return err
		}
	}
	s.print()
	return ctx.Err()
}

type sampling struct {
	*runner
	all, good     int
	tried, killed map[string]int // by package
}

func (s *sampling) test(ctx context.Context, place site) error {
	t := <-s.trees
	defer func() { s.trees <- t }()
	source, err := os.ReadFile(filepath.Join(t.dir, place.file))
	if err != nil {
		return err
	}
	changed := string(source[:place.from]) + place.new + string(source[place.to:])
	res := s.runner.test(ctx, t, mutant{file: place.file, old: string(source), new: changed})
	if res.verdict == verdictInvalid {
		return nil
	}
	s.all++
	s.tried[filepath.Dir(place.file)]++
	if res.verdict == verdictKilled {
		s.good++
		s.killed[filepath.Dir(place.file)]++
	}
	fmt.Printf("%-9s %s:%d: %s (%.0fs) %s\n%s", res.verdict, place.file, place.line, place.kind, res.took.Seconds(), killer(res.output), diff(string(source), changed))
	return nil
}

func (s *sampling) print() {
	fmt.Println()
	var dirs []string
	for dir := range s.tried {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		fmt.Printf("%-24s %3d of %3d killed\n", dir, s.killed[dir], s.tried[dir])
	}
	fmt.Printf("%-24s %3d of %3d killed\n", "all", s.good, s.all)
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// killer is the test that noticed.
func killer(output string) string {
	if m := failedTest.FindStringSubmatch(output); m != nil {
		return m[1]
	}
	if strings.Contains(output, "panic: test timed out") {
		return "time-out"
	}
	return ""
}

// diff are the lines in which two texts differ, which they do in one place.
func diff(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	for len(a) > start && len(b) > start && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var text strings.Builder
	for _, line := range a[start:] {
		text.WriteString("\t- " + strings.TrimSpace(line) + "\n")
	}
	for _, line := range b[start:] {
		text.WriteString("\t+ " + strings.TrimSpace(line) + "\n")
	}
	return text.String()
}
