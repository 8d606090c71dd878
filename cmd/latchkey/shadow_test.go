package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

// kept is a shadow file's content.
type kept struct {
	Version int                       `json:"version"`
	Tokens  map[string]apitoken.Token `json:"tokens"`
}

// shadow is a shadow file with tokens, as a test knows it.
type shadow struct {
	t    *testing.T
	path string
	ids  []string
	last kept
}

func newShadow(t *testing.T, tokens int) *shadow {
	t.Helper()
	s := &shadow{t: t, path: filepath.Join(t.TempDir(), "tokens.json")}
	for i := range tokens {
		s.ids = append(s.ids, idOf(t, command(t, "token", "create", "--file", s.path, "--owner", "owner", "--note", "token "+strconv.Itoa(i))))
	}
	slices.Sort(s.ids)
	s.last = s.read()
	return s
}

// read reads the file, which is whole.
func (s *shadow) read() kept {
	s.t.Helper()
	content, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	var k kept
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&k); err != nil || k.Version != 1 || decoder.More() {
		s.t.Fatalf("the file is not whole: %v\n%s", err, content)
	}
	return k
}

// rotated reads the file after the token may have been rotated, and says
// whether it was. All else is as it was.
func (s *shadow) rotated(id string) bool {
	s.t.Helper()
	now := s.read()
	if len(now.Tokens) != len(s.ids) {
		s.t.Fatalf("%d tokens, want %d", len(now.Tokens), len(s.ids))
	}
	changed := false
	for _, other := range s.ids {
		before, after := s.last.Tokens[other], now.Tokens[other]
		if after.Hash == before.Hash {
			continue
		}
		changed = true
		if other != id || after.Rotated < before.Created || after.PreviousHash != "" {
			s.t.Fatalf("%s was to be rotated, and %s is %+v, was %+v", id, other, after, before)
		}
		after.ID = other
		if err := after.Validate(); err != nil {
			s.t.Fatal(err)
		}
	}
	s.last = now
	return changed
}

// lockLeft says whether a writer died with the lock. If so it becomes old, as
// it would in 10 seconds, so that the next writer need not wait that long.
func (s *shadow) lockLeft() bool {
	s.t.Helper()
	long := time.Now().Add(-time.Minute)
	err := os.Chtimes(s.path+".lock", long, long)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	guards, _ := filepath.Glob(s.path + ".lock.*")
	for _, guard := range guards {
		if err := os.Chtimes(guard, long, long); err != nil {
			s.t.Fatal(err)
		}
	}
	return err == nil
}

// others are the names beside the file.
func (s *shadow) others() []string {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(s.path))
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != filepath.Base(s.path) {
			names = append(names, e.Name())
		}
	}
	return names
}
