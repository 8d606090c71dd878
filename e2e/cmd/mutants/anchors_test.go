package main

import (
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
