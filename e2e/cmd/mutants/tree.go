package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is the plugin without one check.
type mutant struct {
	group  string // one of groups
	attack string // what the check answers
	file   string // below the plugin's root
	old    string // the check, as it is written
	new    string // what stands in its place
}

// check sees that each text occurs exactly once, and that nothing is listed twice.
func check(root string, all []mutant) error {
	var wrong []error
	seen := map[mutant]bool{}
	for _, m := range all {
		source, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if n := strings.Count(string(source), m.old); n != 1 || m.old == "" {
			wrong = append(wrong, fmt.Errorf("%s: %q occurs %d times, want once", m.file, m.old, n))
		}
		change := mutant{file: m.file, old: m.old, new: m.new}
		if seen[change] || m.old == m.new {
			wrong = append(wrong, fmt.Errorf("%s: %q is listed twice, or changes nothing", m.file, m.old))
		}
		seen[change] = true
		if !slices.Contains(groups, m.group) {
			wrong = append(wrong, fmt.Errorf("%s: no group %q", m.file, m.group))
		}
	}
	return errors.Join(wrong...)
}

// tree is a copy of the plugin's module.
type tree struct{ dir string }

// copyTree copies what go test needs of the module at root: not its history, nor the e2e module.
func copyTree(root, dir string) (*tree, error) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, name)
		switch {
		case name == ".git" && !entry.IsDir(): // of a linked worktree
			return nil
		case name == ".git" || name == "e2e":
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		case entry.Type().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(target, content, 0o644)
		}
		return nil
	})
	return &tree{dir}, err
}

// without removes the mutant's check, and returns what puts it back.
func (t *tree) without(m mutant) (restore func() error, err error) {
	path := filepath.Join(t.dir, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	changed := strings.Replace(string(source), m.old, m.new, 1)
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		return nil, err
	}
	return func() error { return os.WriteFile(path, source, 0o644) }, nil
}
