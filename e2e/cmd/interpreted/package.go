package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pkg is a package of the plugin as go list describes it.
type pkg struct {
	ImportPath   string
	Dir          string
	Name         string
	TestGoFiles  []string
	XTestGoFiles []string

	// Tests are the top-level tests and fuzzers that go test would run, in their order.
	Tests []string
}

// list describes the packages matching patterns.
func list(ctx context.Context, root string, patterns []string) ([]*pkg, error) {
	out, err := goCommand(ctx, root, append([]string{"list", "-json=ImportPath,Dir,Name,TestGoFiles,XTestGoFiles"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	var packages []*pkg
	byPath := map[string]*pkg{}
	var tested []string
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		packages = append(packages, p)
		byPath[p.ImportPath] = p
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			tested = append(tested, p.ImportPath)
		}
	}
	if len(tested) == 0 {
		return packages, nil
	}
	return packages, listTests(ctx, root, tested, byPath)
}

// listTests asks go test for the names of the tests.
func listTests(ctx context.Context, root string, tested []string, byPath map[string]*pkg) error {
	out, err := goCommand(ctx, root, append([]string{"test", "-json", "-vet=off", "-list", "^(Test|Fuzz)"}, tested...)...)
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var event struct{ Action, Package, Output string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return fmt.Errorf("read go test -list: %w", err)
		}
		name := strings.TrimSpace(event.Output)
		if p := byPath[event.Package]; p != nil && event.Action == "output" && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")) {
			p.Tests = append(p.Tests, name)
		}
	}
	return nil
}

var testMain = regexp.MustCompile(`(?m)^func TestMain\(`)

// refusal says why the interpreter would pass over some of the package's tests, or is empty.
func (p *pkg) refusal() (string, error) {
	if len(p.XTestGoFiles) > 0 {
		return fmt.Sprintf("external test package, which Yaegi passes over: %s", strings.Join(p.XTestGoFiles, ", ")), nil
	}
	for _, name := range p.TestGoFiles {
		src, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return "", err
		}
		if testMain.Match(src) {
			return fmt.Sprintf("TestMain, which Yaegi passes over: %s", name), nil
		}
	}
	return "", nil
}

// missing are the listed tests that are not among ran.
func (p *pkg) missing(ran []string) []string {
	var names []string
	for _, name := range p.Tests {
		if !slices.Contains(ran, name) {
			names = append(names, name)
		}
	}
	return names
}

func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s%s", strings.Join(args[:min(2, len(args))], " "), err, stderr.Bytes(), stdout.Bytes())
	}
	return stdout.Bytes(), nil
}
