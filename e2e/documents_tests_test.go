package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

var (
	namedTest    = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)
	declaredTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// Each test that docs/security.md and SECURITY.md name exists.
func TestDocumentedTests(t *testing.T) {
	t.Parallel()
	exists := declaredTests(t)
	named := 0
	for _, path := range []string{"docs/security.md", "SECURITY.md"} {
		for _, name := range namedTest.FindAllString(readDocument(t, path).text, -1) {
			named++
			if !exists[name] {
				t.Errorf("%s names %s, and there is no such test", path, name)
			}
		}
	}
	if named < 10 {
		t.Errorf("found %d names of tests, want those of the tables", named)
	}
}

// Each advisory of docs/security.md has an id, and a test for what Latchkey does.
func TestDocumentedAdvisories(t *testing.T) {
	t.Parallel()
	id := regexp.MustCompile(`(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3})`)
	table := rows(readDocument(t, "docs/security.md").section(t, "Advisories of others"))[1:]
	for _, row := range table {
		if len(row) != 4 || !id.MatchString(row[0]) || !namedTest.MatchString(row[3]) {
			t.Errorf("%q: want the id, the class, what Latchkey does, and the test", row)
		}
	}
	if len(table) < 10 {
		t.Errorf("found %d advisories", len(table))
	}
}

// declaredTests are the tests of all three modules.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	err = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "vendor" || entry.Name() == "tools" || strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range declaredTest.FindAllStringSubmatch(string(source), -1) {
			found[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
