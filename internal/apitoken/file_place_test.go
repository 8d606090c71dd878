package apitoken

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that anybody may replace is not to be used, by whatever way it is reached.
func TestFolderOpenToAll(t *testing.T) {
	for _, c := range []struct {
		mode os.FileMode
		want bool
	}{
		{0o700, true}, {0o755, true}, {0o775, true}, {0o777, false}, {0o702, false}, {0o777 | os.ModeSticky, true}, {0o1777, true},
	} {
		g := newRig(t)
		g.put(fileOf(token("a", "alice")))
		f := g.open()
		folder := filepath.Dir(g.path)
		link := filepath.Join(t.TempDir(), "link.json")
		if err := os.Symlink(g.path, link); err != nil {
			t.Fatal(err)
		}
		mode := c.mode
		if c.mode == 0o1777 {
			mode = 0o777 | os.ModeSticky
		}
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		through := g.config()
		through.Path = link
		for _, config := range []FileConfig{g.config(), through} {
			opened, err := OpenFile(config)
			if (err == nil) != c.want || err != nil && !strings.Contains(err.Error(), "chmod o-w") {
				t.Errorf("mode %v: %v, want it good: %v", mode, err, c.want)
			}
			opened.Close()
		}
		err := f.Create(ctx, token("b", "bob"), 0)
		if (err == nil) != c.want || err != nil && !errors.Is(err, ErrUnavailable) {
			t.Errorf("mode %v: written: %v", mode, err)
		}
		if err := os.Chmod(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// Who owns the file may write what they like into it.
func TestOwners(t *testing.T) {
	for _, c := range []struct {
		user, self int
		want       bool
	}{
		{1000, 1000, true}, {0, 1000, true}, {1001, 1000, false}, {1000, 0, true}, {0, 0, true}, {65534, 1000, false},
	} {
		if got := mayOwn(c.user, c.self); got != c.want {
			t.Errorf("a file of user %d for user %d: %v", c.user, c.self, got)
		}
	}
}

// What could not be brought to the disk is not there.
func TestSyncThatFails(t *testing.T) {
	reader, writer, err := os.Pipe() // takes what is written, and cannot be synchronized
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	if info, err := fill(writer, []byte("x"), nil); err == nil || info != nil {
		t.Errorf("filled: %v", err)
	}
}
