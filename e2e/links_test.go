package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// Links within the repository lead to files and headings that exist.
func TestDocumentLinks(t *testing.T) {
	t.Parallel()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	documents := append(glob(t, root, "*.md"), glob(t, root, "docs", "*.md")...)
	link := regexp.MustCompile(`\]\(([^):]*)\)`)
	for _, path := range documents {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(data), -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			text, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: the link %s: %v", path, m[1], err)
			}
			if anchor != "" && !slices.Contains(anchors(string(text)), anchor) {
				t.Errorf("%s: the link %s leads to no heading", path, m[1])
			}
		}
	}
}

// anchors are what GitHub makes of the headings.
func anchors(text string) []string {
	var anchors []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(m[1]), "")
		anchors = append(anchors, strings.ReplaceAll(plain, " ", "-"))
	}
	return anchors
}

// CONTRIBUTING says of every file and package of the plugin what it is for, and of nothing that is gone.
func TestContributingNamesAllFiles(t *testing.T) {
	t.Parallel()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	var files, named []string
	for _, path := range append(glob(t, root, "*.go"), glob(t, root, "internal", "*")...) {
		if !strings.HasSuffix(path, "_test.go") {
			files = append(files, strings.TrimPrefix(path, root+"/"))
		}
	}
	for _, row := range rows(readDocument(t, "CONTRIBUTING.md").section(t, "Where things are")) {
		for _, name := range code(row[0]) {
			if strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "internal/") {
				named = append(named, name)
			}
		}
	}
	slices.Sort(files)
	slices.Sort(named)
	if !slices.Equal(named, files) {
		t.Errorf("CONTRIBUTING.md names\n%q, want\n%q", named, files)
	}
}

func glob(t *testing.T, path ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
