package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// Whoever rewrites a check has to rewrite its mutant: here they learn of it at
// once, and not in the hour that a whole run takes.
func TestAnchors(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	if err := check(root, mutants()); err != nil {
		t.Errorf("run with -check: %v", err)
	}
}

// docs/security.md says how many there are, about.
func TestDocumentedNumber(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(mutants()); !strings.Contains(string(page), "`make mutants` takes each of more than a thousand checks out") || n <= 1000 || n >= 2000 {
		t.Errorf("there are %d, and the page says something else", n)
	}
}
