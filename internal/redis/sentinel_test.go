package redis

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

func TestFailover(t *testing.T) {
	s := redistest.StartSentinel(t)
	c := open1(t, Config{Mode: "sentinel", Addresses: s.Addrs(), MasterName: redistest.MasterName})
	do(t, c, "SET", "k", "v")
	expect(t, "the master has it", s.Master.Command("GET", "k"), "v")
	waitFor(t, "the replica to have it", func() bool { return s.Replica.Command("GET", "k") == "v" })

	s.Failover()
	waitFor(t, "commands to succeed again", func() bool {
		_, err := c.Do(background, "SET", "k", "after")
		if err != nil {
			expectError(t, "meanwhile", err, ErrUnavailable)
		}
		return err == nil
	})
	expect(t, "the new master has it", s.Replica.Command("GET", "k"), "after")
}

// TestSentinels: which of them are believed.
func TestSentinels(t *testing.T) {
	s := redistest.StartSentinel(t)
	s.Name(0, s.Replica)
	s.Sentinels[1].Stop()
	misled, gone, good := s.Addrs()[0], s.Addrs()[1], s.Addrs()[2]
	cases := []struct {
		name   string
		asked  []string
		master string
		want   string // in the error; "": it works
	}{
		{"a good one", []string{good}, "", ""},
		{"one that is gone is passed over", []string{gone, good}, "", ""},
		{"one that names a replica is not believed", []string{misled, good}, "", ""},
		{"both before a good one", []string{misled, gone, good}, "", ""},
		{"all are gone", []string{gone}, "", "refused"},
		{"all name a replica", []string{misled}, "", "not a master"},
		{"a server that is no sentinel", []string{s.Master.Addr()}, "", "unknown command"},
		{"a master that none knows", []string{good}, "another", "unknown master"},
		{"none", nil, "", "no sentinel"},
	}
	for _, test := range cases {
		name := test.master
		if name == "" {
			name = redistest.MasterName
		}
		c := open1(t, Config{Mode: "sentinel", Addresses: test.asked, MasterName: name, Timeout: generous})
		_, err := c.Do(background, "SET", "k", test.name)
		if test.want != "" {
			expectError(t, test.name, err, ErrUnavailable, test.want)
			if n := c.Health().Connections; n != 0 {
				t.Errorf("%s: %d connections", test.name, n)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		expect(t, test.name, s.Master.Command("GET", "k"), test.name)
		expect(t, test.name+": asked first from now on", c.node.sentinels.addresses[0], good)
		if n := len(c.node.sentinels.addresses); n != len(test.asked) {
			t.Errorf("%s: %d sentinels are left, want %d", test.name, n, len(test.asked))
		}
	}
}

// TestReadOnly: a master that became a replica, and keeps its connections, sends
// us back to the sentinels. The command goes to the new one.
func TestReadOnly(t *testing.T) {
	s := redistest.StartSentinel(t)
	var log bytes.Buffer
	c := open1(t, Config{
		Mode: "sentinel", Addresses: s.Addrs(), MasterName: redistest.MasterName, Timeout: generous,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	old := open1(t, Config{Addresses: []string{s.Master.Addr()}, Timeout: generous})
	do(t, c, "SET", "k", "before")
	s.Swap()
	expect(t, "a write", do(t, c, "SET", "k", "after"), `"OK"`)
	expect(t, "the new master has it", s.Master.Command("GET", "k"), "after")
	if n := s.Replica.Refused("READONLY"); n != 1 {
		t.Errorf("the old master refused %d commands, want 1", n)
	}
	if !strings.Contains(log.String(), "another master") || !strings.Contains(log.String(), s.Master.Addr()) {
		t.Errorf("the log says %q, and not that there is another master", log.String())
	}
	if h := c.Health(); h.Breaker != "closed" || h.Failures != 0 || h.Connections != 1 {
		t.Errorf("health: %+v, want closed, no failure and one connection", h)
	}

	_, err := old.Do(background, "SET", "k", "old")
	expectError(t, "without sentinels", err, ErrUnavailable, "READONLY")
	expect(t, "without sentinels, the breaker", old.Health().Breaker, "closed")
}
