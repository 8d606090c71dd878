package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

// tally is what a writer's deaths led to.
type tally struct{ old, new, told, lock, temp int }

// A writer that is killed at any moment leaves the whole old file, or the whole
// new one.
func TestKill(t *testing.T) {
	const kills, writers, tokens = 1000, 2, 50
	var all tally
	var mu sync.Mutex
	t.Run("writers", func(t *testing.T) {
		for range writers {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				got := newShadow(t, tokens).killWriters(kills / writers)
				mu.Lock()
				defer mu.Unlock()
				all.old += got.old
				all.new += got.new
				all.told += got.told
				all.lock += got.lock
				all.temp += got.temp
			})
		}
	})
	t.Logf("of %d killed, %d left the old file, %d the new one and %d had printed the token; %d left a lock, %d what was to be the new file",
		kills, all.old, all.new, all.told, all.lock, all.temp)
	if all.old == 0 || all.new == 0 || all.lock == 0 || all.temp == 0 {
		t.Error("the kills were not spread over a writer's life")
	}
}

func (s *shadow) killWriters(kills int) (got tally) {
	t := s.t
	// A life's length first, with as much going on as there will be.
	var lives []time.Duration
	for range 20 {
		begin := time.Now()
		idOf(t, execute(t, "token", "rotate", "--file", s.path, s.ids[0]))
		lives = append(lives, time.Since(begin))
	}
	slices.Sort(lives)
	life := lives[len(lives)/2]
	s.last = s.read()

	for range kills {
		id := s.ids[rand.IntN(len(s.ids))]
		printed := killed(t, rand.N(life*5/4), "token", "rotate", "--file", s.path, id)
		changed := s.rotated(id)
		_, hash, ok := apitoken.Parse(strings.TrimSpace(printed))
		switch {
		case ok && hash != s.last.Tokens[id].Hash:
			t.Fatalf("a token was printed that the file does not have")
		case ok:
			got.told++
			got.new++
		case changed:
			got.new++
		default:
			got.old++
		}
		if s.lockLeft() {
			got.lock++
		}
	}
	for _, name := range s.others() {
		if strings.Contains(name, ".new-") {
			got.temp++
		}
	}

	if id := s.ids[0]; idOf(t, execute(t, "token", "rotate", "--file", s.path, id)) != id || !s.rotated(id) {
		t.Error("the last one was not rotated")
	}
	return got
}

// A writer that died just now, with the lock, is waited for no longer than a
// live one may take.
func TestDeadWriter(t *testing.T) {
	t.Parallel()
	s := newShadow(t, 1)
	lock := s.path + ".lock"
	for tries := 0; ; tries++ {
		killed(t, rand.N(20*time.Millisecond), "token", "rotate", "--file", s.path, s.ids[0])
		if _, err := os.Stat(lock); err == nil {
			break
		}
		if tries == 1000 {
			t.Fatal("no writer dies with the lock")
		}
	}
	begin := time.Now()
	r := execute(t, "token", "rotate", "--file", s.path, s.ids[0])
	if idOf(t, r) != s.ids[0] || !s.rotated(s.ids[0]) || time.Since(begin) > 15*time.Second {
		t.Errorf("%+v after %s", r, time.Since(begin))
	}
	if _, err := os.Stat(lock); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock is still there: %v", err)
	}
}

// killed starts the command and kills it after some time, and returns what it
// had printed.
func killed(t *testing.T, after time.Duration, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return stdout.String()
}

// Two processes that write at once lose nothing of one another.
func TestTwoWriters(t *testing.T) {
	const each = 100
	path := filepath.Join(t.TempDir(), "tokens.json")
	ids := make([][]string, 2)
	t.Run("writers", func(t *testing.T) {
		for w := range ids {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := range each {
					ids[w] = append(ids[w], idOf(t, execute(t, "token", "create", "--file", path, "--owner", fmt.Sprintf("writer %d", w), "--note", strconv.Itoa(i))))
				}
			})
		}
	})
	s := &shadow{t: t, path: path}
	tokens := s.read().Tokens
	if len(tokens) != len(ids)*each {
		t.Errorf("%d tokens, want %d", len(tokens), len(ids)*each)
	}
	for w := range ids {
		for i, id := range ids[w] {
			if got := tokens[id]; got.Owner != fmt.Sprintf("writer %d", w) || got.Note != strconv.Itoa(i) {
				t.Errorf("%s is %+v", id, got)
			}
		}
	}
	if left := s.others(); len(left) != 0 {
		t.Errorf("left over: %q", left)
	}
}

// A disk without room for the new file leaves the old one, and nothing else.
func TestDiskFull(t *testing.T) {
	s := newShadow(t, 50)
	before, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	// Blocks of 512 bytes, or of 1024 to some shells: less than the file either way.
	limit := len(before) / 1024 / 2
	for _, args := range [][]string{
		{"token", "create", "--owner", "a"},
		{"token", "rotate", s.ids[0]},
		{"token", "revoke", s.ids[1]},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		script := fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, limit)
		r := wait(t, exec.CommandContext(ctx, "sh", append([]string{"-c", script, binary, "--file", s.path}, args...)...))
		cancel()
		if r.code != exitFailed || r.stdout != "" || !strings.HasPrefix(r.stderr, "latchkey: ") || !strings.Contains(r.stderr, "file too large") || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want one clear line", args[1], r)
		}
		after, err := os.ReadFile(s.path)
		if err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: the file changed: %v", args[1], err)
		}
		if left := s.others(); len(left) != 0 {
			t.Errorf("%s: left over: %q", args[1], left)
		}
	}
	idOf(t, execute(t, "token", "rotate", "--file", s.path, s.ids[0]))
}
