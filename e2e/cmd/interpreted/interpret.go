package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
)

// load interprets the package importPath, with the symbols that Traefik gives a plugin, and returns its tests and fuzzers.
// The working directory becomes the package's, as with go test.
func load(importPath string) ([]testing.InternalTest, []testing.InternalFuzzTarget, error) {
	gopath := os.Getenv("GOPATH")
	if err := os.Chdir(filepath.Join(gopath, "src", filepath.FromSlash(importPath))); err != nil {
		return nil, nil, err
	}
	i := interp.New(interp.Options{GoPath: gopath, Env: os.Environ()})
	if err := i.Use(stdlib.Symbols); err != nil {
		return nil, nil, err
	}
	if err := i.EvalTest(importPath); err != nil {
		return nil, nil, fmt.Errorf("interpret %s: %w", importPath, err)
	}
	var tests []testing.InternalTest
	var fuzzers []testing.InternalFuzzTarget
	for name, symbol := range i.Symbols(importPath)[importPath] {
		switch f := symbol.Interface().(type) {
		case func(*testing.T):
			tests = append(tests, testing.InternalTest{Name: name, F: f})
		case func(*testing.F):
			fuzzers = append(fuzzers, testing.InternalFuzzTarget{Name: name, Fn: f})
		}
	}
	slices.SortFunc(tests, func(a, b testing.InternalTest) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(fuzzers, func(a, b testing.InternalFuzzTarget) int { return cmp.Compare(a.Name, b.Name) })
	return tests, fuzzers, nil
}
