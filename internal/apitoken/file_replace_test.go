package apitoken

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What replaces the file is gone when it cannot: the target became a folder.
func TestReplaceThatFails(t *testing.T) {
	g := newRig(t)
	errReady := errors.New("not ready")
	if _, err := replace(g.path, []byte("x"), nil, func() error { return errReady }); !errors.Is(err, errReady) || g.folder() != "" {
		t.Errorf("not ready: %v; in the folder: %s", err, g.folder())
	}
	if err := os.MkdirAll(filepath.Join(g.path, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := replace(g.path, []byte("x"), nil, func() error { return nil }); err == nil || g.folder() != "tokens.json" {
		t.Errorf("over a folder: %v; in the folder: %s", err, g.folder())
	}
}

// The new file has the old one's mode.
func TestModeStays(t *testing.T) {
	g := newRig(t)
	g.put(fileOf())
	if err := os.Chmod(g.path, 0o640); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, g.open(), token("a", "alice"))
	if info, err := os.Stat(g.path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	info, err := os.Stat(g.path)
	if err != nil {
		t.Fatal(err)
	}
	if user, group, ok := ownerOf(info); !ok || user != os.Geteuid() || group != os.Getegid() {
		t.Errorf("owner %d, group %d, %v", user, group, ok)
	}
}

// What killed writers left goes after an hour.
func TestSweep(t *testing.T) {
	g := newRig(t)
	g.put(fileOf())
	for name, old := range map[string]time.Duration{
		".new-1": 2 * time.Hour, ".new-2": time.Minute, ".used.new-3": 2 * time.Hour, ".lock.4": 2 * time.Hour, ".lock.5": time.Minute,
		".bak": 2 * time.Hour, "-new-6": 2 * time.Hour,
	} {
		put(t, g.path+name, "")
		age(t, g.path+name, old)
	}
	mustCreate(t, g.open(), token("a", "alice"))
	want := "tokens.json tokens.json-new-6 tokens.json.bak tokens.json.lock.5 tokens.json.new-2"
	if g.folder() != want {
		t.Errorf("left: %s, want %s", g.folder(), want)
	}
}

func age(t *testing.T, path string, d time.Duration) {
	t.Helper()
	at := time.Now().Add(-d)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}
