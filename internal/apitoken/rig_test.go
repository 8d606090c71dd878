package apitoken

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

var ctx = context.Background()

// clock is moved by hand. It is far from the time of day.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Unix(1000000000, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// rig is a shadow file, looked at once a minute.
type rig struct {
	t     *testing.T
	path  string
	clock *clock
	log   *logText

	mu   sync.Mutex
	dead []string // "id hash", as told
}

// logText is a log to read, which several goroutines write.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{t: t, path: filepath.Join(t.TempDir(), "tokens.json"), clock: newClock(), log: &logText{}}
}

func (g *rig) config() FileConfig {
	return FileConfig{
		Path: g.path, CheckEvery: time.Minute, Now: func() time.Time { return g.clock.now() },
		Log:     slog.New(slog.NewTextHandler(g.log, nil)),
		Changed: func(dead []Secret) { g.told(dead) },
	}
}

func (g *rig) told(dead []Secret) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range dead {
		g.dead = append(g.dead, s.ID+" "+s.Hash[:4])
	}
}

// deaths are those told since the last call.
func (g *rig) deaths() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.dead
	g.dead = nil
	sort.Strings(list)
	return strings.Join(list, ", ")
}

func (g *rig) open() *File {
	g.t.Helper()
	f, err := OpenFile(g.config())
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { f.Close() })
	return f
}

// put replaces the file by another, as an editor does.
func (g *rig) put(content string) { put(g.t, g.path, content) }

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".edited", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".edited", path); err != nil {
		t.Fatal(err)
	}
}

func (g *rig) content() string {
	g.t.Helper()
	content, err := os.ReadFile(g.path)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(content)
}

// settle begins a window, and waits until what was found in it is in force.
func (g *rig) settle(f *File) {
	g.t.Helper()
	g.clock.advance(time.Minute)
	_, _, _ = f.Find(ctx, "")
	eventually(g.t, "the load to end", func() bool { return !f.isLoading() })
}

func (f *File) isLoading() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.loading
}

func (f *File) isWriting() bool {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	return f.queue.busy
}

// folder lists what is beside the file.
func (g *rig) folder() string {
	g.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(g.path))
	if err != nil {
		g.t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// hash and id are valid ones, from a digit.
func hash(digit string) string { return strings.Repeat(digit, 64) }
func id(digit string) string   { return strings.Repeat(digit, 16) }

func token(digit, owner string) Token {
	return Token{ID: id(digit), Hash: hash(digit), Owner: owner, Created: 1000}
}

// fileOf is the content of a file with these tokens, as somebody may write it.
func fileOf(tokens ...Token) string {
	all := map[string]Token{}
	for _, t := range tokens {
		name := t.ID
		t.ID = ""
		all[name] = t
	}
	content, err := render(all)
	if err != nil {
		panic(err)
	}
	return string(content)
}

func find(t *testing.T, s Store, name string) Token {
	t.Helper()
	got, found, err := s.Find(ctx, name)
	if err != nil || !found {
		t.Fatalf("token %s: found: %v, %v", name, found, err)
	}
	return got
}

func mustCreate(t *testing.T, s Store, tokens ...Token) {
	t.Helper()
	for _, one := range tokens {
		if err := s.Create(ctx, one, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// setNote is a change.
func setNote(note string) func(Token) (Token, error) {
	return func(t Token) (Token, error) {
		t.Note = note
		return t, nil
	}
}

// redisRig is a Redis with any number of replicas.
type redisRig struct {
	t      *testing.T
	server *redistest.Server
	ring   *seal.Ring
}

func newRedisRig(t *testing.T) *redisRig {
	t.Helper()
	ring, err := seal.NewRing([]string{"a secret of at least thirty-two bytes"})
	if err != nil {
		t.Fatal(err)
	}
	return &redisRig{t: t, server: redistest.Start(t), ring: ring}
}

func (g *redisRig) replica() *Redis {
	client := redis.New(redis.Config{Addresses: []string{g.server.Addr()}, Timeout: 10 * time.Second})
	r := NewRedis(RedisConfig{
		Client: client, Prefix: "test:", Keys: func() *seal.Ring { return g.ring }, Now: time.Now,
		RememberFor: time.Hour, Remember: 1000, Queue: 100,
	})
	g.t.Cleanup(func() {
		r.Close()
		client.Close()
	})
	return r
}

// wantStats compares in a function of its own: the interpreter cannot do it within
// a longer condition.
func wantStats(t *testing.T, what string, s Store, want Stats) {
	t.Helper()
	if got := s.Stats(); got != want {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}
