package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/process"
)

const (
	verdictKilled   = "killed"
	verdictSurvived = "SURVIVED"
	verdictInvalid  = "INVALID"
)

type result struct {
	verdict string
	output  string
	took    time.Duration
}

type runner struct {
	parallel int
	timeout  time.Duration
	tests    string // "": all

	dir   string
	trees chan *tree // free ones
}

// open makes a copy of the plugin for each worker and sees that the tests pass as long as nothing is missing.
func (r *runner) open(ctx context.Context, root string) error {
	dir, err := os.MkdirTemp("", "latchkey-mutants-")
	if err != nil {
		return err
	}
	r.dir = dir
	r.trees = make(chan *tree, r.parallel)
	for n := range r.parallel {
		t, err := copyTree(root, filepath.Join(dir, fmt.Sprint(n)))
		if err != nil {
			r.close()
			return err
		}
		r.trees <- t
	}
	t := <-r.trees
	defer func() { r.trees <- t }()
	if out, err := r.goTest(ctx, t, "./..."); err != nil {
		r.close()
		return fmt.Errorf("the tests fail with all checks in place: %w\n%s", err, out)
	}
	return nil
}

func (r *runner) close() { _ = os.RemoveAll(r.dir) }

// results starts the tests, r.parallel mutants at a time, and hands each result to the channel of its place.
func (r *runner) results(ctx context.Context, chosen []mutant) []chan result {
	results := make([]chan result, len(chosen))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	next := make(chan int, len(chosen))
	for i := range chosen {
		next <- i
	}
	close(next)
	var workers sync.WaitGroup
	for range r.parallel {
		workers.Go(func() {
			for i := range next {
				t := <-r.trees
				results[i] <- r.test(ctx, t, chosen[i])
				r.trees <- t
			}
		})
	}
	return results
}

// test runs the tests of the mutant's own package, and, where they do not notice, those of the root, through which
// all others are used.
func (r *runner) test(ctx context.Context, t *tree, m mutant) result {
	began := time.Now()
	restore, err := t.without(m)
	if err != nil {
		return result{verdict: verdictInvalid, output: err.Error() + "\n"}
	}
	packages := []string{"./" + filepath.ToSlash(filepath.Dir(m.file))}
	if packages[0] != "./." {
		packages = append(packages, "./.")
	}
	res := result{verdict: verdictSurvived}
	for _, p := range packages {
		out, err := r.goTest(ctx, t, p)
		if verdict := judge(out, err); verdict != verdictSurvived {
			res = result{verdict: verdict, output: out}
			break
		}
	}
	if err := restore(); err != nil {
		res = result{verdict: verdictInvalid, output: err.Error() + "\n"}
	}
	if ctx.Err() != nil {
		res = result{verdict: verdictInvalid, output: ctx.Err().Error() + "\n"}
	}
	res.took = time.Since(began)
	return res
}

// judge tells a test that failed from a mutant that is no program.
func judge(out string, err error) string {
	switch {
	case err == nil:
		return verdictSurvived
	case strings.Contains(out, "--- FAIL: ") || strings.Contains(out, "panic: ") || strings.Contains(out, "fatal error: "):
		return verdictKilled // panic: also that of the time-out
	}
	return verdictInvalid
}

func (r *runner) goTest(ctx context.Context, t *tree, pattern string) (string, error) {
	// -trimpath, so that the copies share the build cache.
	cmd := exec.CommandContext(ctx, "go", "test", "-trimpath", "-vet=off", "-count=1", "-failfast", "-timeout", r.timeout.String(), "-run", r.tests, pattern)
	cmd.Dir = t.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := process.Run(cmd)
	return out.String(), err
}
