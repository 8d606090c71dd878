package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/process"
)

// result is what is said about one package.
type result struct {
	text   string
	tests  int
	failed bool
}

// test runs the tests of p in a process of their own: the testing package's main ends it, and so would a panic.
func (r *runner) test(ctx context.Context, p *pkg) result {
	name := "." + strings.TrimPrefix(p.ImportPath, checkout.Module)
	switch {
	case p.Name == "main":
		return result{text: fmt.Sprintf("--    %-32s a command, compiled only\n", name)}
	case len(p.TestGoFiles)+len(p.XTestGoFiles) == 0:
		return result{text: fmt.Sprintf("--    %-32s no tests\n", name)}
	case ctx.Err() != nil:
		return result{text: fmt.Sprintf("FAIL  %-32s not run: %v\n", name, ctx.Err()), failed: true}
	}
	why, err := p.refusal()
	if err != nil {
		why = err.Error()
	}
	if why != "" {
		return result{text: fmt.Sprintf("FAIL  %-32s %s\n", name, why), failed: true}
	}
	began := time.Now()
	out, err := r.child(ctx, p)
	ran := testsRun(out)
	if err == nil && r.run == "" {
		if missing := p.missing(ran); len(missing) > 0 || len(ran) != len(p.Tests) {
			err = fmt.Errorf("%d tests ran interpreted, go test lists %d; missing: %s", len(ran), len(p.Tests), strings.Join(missing, ", "))
		}
	}
	took := time.Since(began).Seconds()
	res := result{tests: len(ran), failed: err != nil}
	if err != nil {
		res.text = fmt.Sprintf("%sFAIL  %-32s %3d of %d tests, %.1fs: %v\n", readable(out), name, len(ran), len(p.Tests), took, err)
		return res
	}
	if r.verbose {
		res.text = readable(out)
	}
	res.text += fmt.Sprintf("ok    %-32s %3d tests, %.1fs\n", name, len(ran), took)
	return res
}

// child interprets p in a process of its own and returns what it printed.
func (r *runner) child(ctx context.Context, p *pkg) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// test2json marks the framework's own lines with a control character, so that no output of a test can look like one.
	args := []string{"-test.v=test2json", "-test.timeout=" + r.timeout.String()}
	if r.run != "" {
		args = append(args, "-test.run="+r.run)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+p.ImportPath, "GOPATH="+r.gopath, "GO111MODULE=off")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = process.Run(cmd)
	return out.Bytes(), err
}

var runLine = regexp.MustCompile(`\x16=== RUN +((?:Test|Fuzz)[^/\s]*)\n`)

// testsRun are the names of the top-level tests that were started.
func testsRun(out []byte) []string {
	var names []string
	for _, match := range runLine.FindAllSubmatch(out, -1) {
		names = append(names, string(match[1]))
	}
	return names
}

var marks = regexp.MustCompile(`\x16(=== NAME.*\n)?`)

func readable(out []byte) string { return marks.ReplaceAllString(string(out), "") }
