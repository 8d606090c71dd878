package redis

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

func TestLease(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	lease := func(holder string) bool {
		t.Helper()
		got, err := c.TakeLease(background, "lease", holder, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if !lease("a") || lease("b") {
		t.Error("the lease is not the first one's")
	}
	if !lease("a") {
		t.Error("who asks again does not find himself")
	}
	if left := s.Command("PTTL", "lease"); left == "-1" {
		t.Error("the lease has no end")
	}
	c.ReturnLease("lease", "b")
	expect(t, "the holder after another gave it back", do(t, c, "GET", "lease"), `"a"`)
	c.ReturnLease("lease", "a")
	if !lease("b") {
		t.Error("a lease that was given back is not free")
	}
}

func TestLeaseWithoutRedis(t *testing.T) {
	s := redistest.Start(t)
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	s.Stop()
	got, err := c.TakeLease(background, "lease", "a", time.Minute)
	if got {
		t.Error("a lease of nobody")
	}
	expectError(t, "a lease", err, ErrUnavailable)
	c.ReturnLease("lease", "a") // fails in silence
}

// A refusal of either command is an error: nobody has a lease of which nothing is
// known.
func TestLeaseThatIsRefused(t *testing.T) {
	s := redistest.Start(t)
	s.Command("RPUSH", "list", "x")
	s.Command("ACL", "SETUSER", "reader", "on", ">p", "~*", "+get")
	s.Command("ACL", "SETUSER", "writer", "on", ">p", "~*", "+set")
	for _, test := range []struct{ user, key, want string }{
		{"default", "list", "WRONGTYPE"}, {"reader", "lease", "NOPERM"}, {"writer", "lease", "NOPERM"},
	} {
		config := Config{Addresses: []string{s.Addr()}, Timeout: generous}
		if test.user != "default" {
			config.Username = test.user
			config.Password = password("p")
		}
		got, err := open1(t, config).TakeLease(background, test.key, "a", time.Minute)
		if got {
			t.Errorf("%s: a lease of nobody", test.user)
		}
		expectError(t, test.user, err, ErrCommand, test.want)
	}
}

// A lease that cannot be given back makes others wait, so the log has it.
func TestLeaseThatIsKept(t *testing.T) {
	s := redistest.Start(t)
	s.Command("ACL", "SETUSER", "u", "on", ">p", "~*", "+get", "+set")
	var log bytes.Buffer
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous, Username: "u", Password: password("p"),
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	c.ReturnLease("lease", "a")
	if text := log.String(); !strings.Contains(text, "WARN") || !strings.Contains(text, "lease") || !strings.Contains(text, "NOPERM") {
		t.Errorf("logged: %q", text)
	}
}
