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

// load interprets the package importPath, with the symbols that Traefik gives a plugin, and returns its tests.
// The working directory becomes the package's, as with go test.
func load(importPath string) ([]testing.InternalTest, error) {
	gopath := os.Getenv("GOPATH")
	if err := os.Chdir(filepath.Join(gopath, "src", filepath.FromSlash(importPath))); err != nil {
		return nil, err
	}
	i := interp.New(interp.Options{GoPath: gopath, Env: os.Environ()})
	if err := i.Use(stdlib.Symbols); err != nil {
		return nil, err
	}
	if err := i.EvalTest(importPath); err != nil {
		return nil, fmt.Errorf("interpret %s: %w", importPath, err)
	}
	var tests []testing.InternalTest
	for name, symbol := range i.Symbols(importPath)[importPath] {
		if f, ok := symbol.Interface().(func(*testing.T)); ok {
			tests = append(tests, testing.InternalTest{Name: name, F: f})
		}
	}
	slices.SortFunc(tests, func(a, b testing.InternalTest) int { return cmp.Compare(a.Name, b.Name) })
	return tests, nil
}
