package redis

import (
	"crypto/tls"
	"strconv"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// keyAt is a key of the node.
func keyAt(t *testing.T, s *redistest.Cluster, node int) string {
	t.Helper()
	for i := 0; i < 1000; i++ {
		key := "key" + strconv.Itoa(i)
		if s.Owner(key) == node {
			return key
		}
	}
	t.Fatalf("no key at node %d", node)
	return ""
}

func refusedBy(s *redistest.Cluster, code string) int {
	n := 0
	for _, node := range s.Nodes {
		n += node.Refused(code)
	}
	return n
}

func TestCluster(t *testing.T) {
	s := redistest.StartCluster(t)
	c := open1(t, Config{Mode: "cluster", Addresses: s.Addrs()[:1], Timeout: generous, Database: 3})
	do(t, c, "SET", "k", "v")
	expect(t, "k", do(t, c, "GET", "k"), `"v"`)
	expect(t, "k, as its node has it", s.Nodes[s.Owner("k")].Command("GET", "k"), "v")
	expect(t, "a script's key", do(t, c, "EVAL", "return redis.call('GET', KEYS[1])", "1", "k"), `"v"`)

	var commands [][]string
	var want []string
	for i := 0; i < 100; i++ {
		text := strconv.Itoa(i)
		commands = append(commands, []string{"SET", "key" + text, text}, []string{"GET", "key" + text})
		want = append(want, `"OK"`, `"`+text+`"`)
	}
	commands = append(commands, []string{"INCR", "k"})
	want = append(want, "!ERR value is not an integer or out of range")
	replies, err := c.DoAll(background, commands)
	if err != nil || len(replies) != len(want) {
		t.Fatalf("DoAll over all nodes: %d replies, %v", len(replies), err)
	}
	for i := range want {
		expect(t, "reply "+strconv.Itoa(i), show(replies[i]), want[i])
	}
	for i := range s.Nodes {
		if s.Nodes[i].Command("DBSIZE") == "0" {
			t.Errorf("node %d has no key: DoAll did not go over all nodes", i)
		}
	}
	if n := refusedBy(s, "MOVED"); n != 0 {
		t.Errorf("%d commands went to the wrong node", n)
	}

	s.Circle("nowhere")
	_, err = c.Do(background, "GET", "nowhere")
	expectError(t, "a circle", err, ErrUnavailable, "redirections")
	if n := refusedBy(s, "MOVED"); n != 1+maxRedirections {
		t.Errorf("a circle was followed %d times, want %d", n-1, maxRedirections)
	}
	expect(t, "beside the circle", do(t, c, "GET", "k"), `"v"`)
	if h := c.Health(); h.Breaker != "closed" {
		t.Errorf("health: %+v, want closed", h)
	}
}

// TestSlotMoves: keys of a slot are found, and counted once, before, while and
// after it moves to another node.
func TestSlotMoves(t *testing.T) {
	s := redistest.StartCluster(t)
	clock := newHandClock()
	c := open1(t, Config{Mode: "cluster", Addresses: s.Addrs(), Timeout: generous, Now: func() time.Time { return clock.now() }})
	from := s.Owner("{m}")
	to := (from + 1) % 3
	all := func(when string) {
		t.Helper()
		replies, err := c.DoAll(background, [][]string{{"GET", "{m}a"}, {"GET", "k"}, {"GET", "{m}b"}, {"INCR", "{m}n"}})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		shown := show(Reply{Kind: List, Items: replies[:3]})
		expect(t, when, shown, `["1" "other" "2"]`)
		expect(t, when+", one by one", do(t, c, "GET", "{m}a")+do(t, c, "GET", "{m}b"), `"1""2"`)
	}
	do(t, c, "SET", "{m}a", "1")
	do(t, c, "SET", "{m}b", "2")
	do(t, c, "SET", "k", "other")
	all("before")

	move := s.BeginMove("{m}", from, to)
	all("none has moved")
	move.Key("{m}a")
	all("one has moved")
	if refusedBy(s, "ASK") != 2 || refusedBy(s, "MOVED") != 0 {
		t.Errorf("%d times ASK, %d times MOVED; want 2 and none: ASK is no new owner", refusedBy(s, "ASK"), refusedBy(s, "MOVED"))
	}
	move.Key("{m}n")
	all("two have moved")
	do(t, c, "SET", "{m}new", "3")
	expect(t, "a new key is with the new node", s.Nodes[to].Command("CLUSTER", "COUNTKEYSINSLOT", strconv.Itoa(slotOfKey("m"))), "3")
	move.Key("{m}b")
	move.End()

	expect(t, "the first after the move", do(t, c, "GET", "{m}new"), `"3"`)
	all("after the move")
	expect(t, "each INCR once", do(t, c, "GET", "{m}n"), `"5"`)
	if n := refusedBy(s, "MOVED"); n != 1 {
		t.Errorf("%d times MOVED, want once: it says who owns the slot from now on", n)
	}
}

// TestNodeDies: its keys have no answer, others have.
func TestNodeDies(t *testing.T) {
	s := redistest.StartCluster(t)
	s.Partial()
	clock := newHandClock()
	c := open1(t, Config{Mode: "cluster", Addresses: s.Addrs(), Timeout: generous, Now: func() time.Time { return clock.now() }})
	keys := []string{keyAt(t, s, 0), keyAt(t, s, 1), keyAt(t, s, 2)}
	for i := range keys {
		do(t, c, "SET", keys[i], "v")
	}
	s.Nodes[0].Stop()
	for turn := 0; turn < 2*failuresToOpen; turn++ {
		_, err := c.Do(background, "GET", keys[0])
		expectError(t, "a key of the dead node", err, ErrUnavailable)
		expect(t, "a key of the second", do(t, c, "GET", keys[1]), `"v"`)
		expect(t, "a key of the third", do(t, c, "GET", keys[2]), `"v"`)
		clock.advance(refreshEvery / 2)
	}
	_, err := c.DoAll(background, [][]string{{"GET", keys[1]}, {"GET", keys[0]}})
	expectError(t, "keys of both", err, ErrUnavailable)
	expect(t, "the worst breaker", c.Health().Breaker, "open")

	late := open1(t, Config{Mode: "cluster", Addresses: s.Addrs(), Timeout: generous})
	expect(t, "a client whose first address is the dead node", do(t, late, "GET", keys[1]), `"v"`)
}

func TestRedirections(t *testing.T) {
	cases := []struct {
		text    string
		slot    int
		address string // "": it is none
	}{
		{"MOVED 5 10.0.0.1:6379", 5, "10.0.0.1:6379"},
		{"ASK 16383 redis.example.com:1", 16383, "redis.example.com:1"},
		{"MOVED 5 :6380", 5, "asked:6380"},
		{"MOVED 5 ?:6380", 5, "asked:6380"},
		{"MOVED 5 ::1:6380", 5, "[::1]:6380"},
		{"MOVED 5 [::1]:6380", 5, "[::1]:6380"},
		{"MOVED 16384 10.0.0.1:6379", 0, ""},
		{"MOVED -1 10.0.0.1:6379", 0, ""},
		{"MOVED x 10.0.0.1:6379", 0, ""},
		{"MOVED 5 10.0.0.1", 0, ""},
		{"MOVED 5", 0, ""},
		{"MOVED 5 10.0.0.1:6379 more", 0, ""},
	}
	for _, c := range cases {
		slot, address, err := redirection(c.text, "asked:6379")
		if c.address == "" {
			expectError(t, c.text, err, errProtocol)
			continue
		}
		if err != nil || slot != c.slot || address != c.address {
			t.Errorf("%s: got slot %d at %s, %v; want %d at %s", c.text, slot, address, err, c.slot, c.address)
		}
	}
}

// TestSlotRanges: the answer to CLUSTER SLOTS.
func TestSlotRanges(t *testing.T) {
	number := func(n int64) Reply { return Reply{Kind: Integer, Int: n} }
	list := func(items ...Reply) Reply { return Reply{Kind: List, Items: items} }
	master := list(Reply{Kind: Text, Text: "10.0.0.1"}, number(6379))
	cases := []struct {
		name  string
		reply Reply
		want  bool
	}{
		{"all slots", list(number(0), number(16383), master), true},
		{"one slot", list(number(7), number(7), master), true},
		{"a slot too many", list(number(0), number(16384), master), false},
		{"a negative slot", list(number(-1), number(7), master), false},
		{"the wrong way round", list(number(8), number(7), master), false},
		{"no master", list(number(0), number(7)), false},
		{"a master without a port", list(number(0), number(7), list(master.Items[0])), false},
		{"a port that is a text", list(number(0), number(7), list(master.Items[0], master.Items[0])), false},
		{"a slot that is a text", list(master.Items[0], number(7), master), false},
		{"an end that is a text", list(number(0), master.Items[0], master), false},
		{"no list", number(0), false},
	}
	for _, c := range cases {
		if got := isRange(c.reply); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// The error is that of the node that was asked last, and each was asked.
func TestNoNodeAnswers(t *testing.T) {
	s := redistest.StartSecure(t)
	gone := redistest.Start(t)
	address := gone.Addr()
	gone.Stop()
	for want, addresses := range map[string][]string{
		"refused": {s.Addr(), address},
		"tls":     {address, s.Addr()},
	} {
		c := open1(t, Config{Mode: "cluster", Addresses: addresses, Timeout: generous, TLS: &tls.Config{MinVersion: tls.VersionTLS12}})
		_, err := c.Do(background, "GET", "k")
		expectError(t, want, err, ErrUnavailable)
		expect(t, "the last error", c.Health().LastError, want)
	}
	none := open1(t, Config{Mode: "cluster", Timeout: generous})
	_, err := none.Do(background, "GET", "k")
	expectError(t, "no address", err, ErrUnavailable)
	expect(t, "the last error", none.Health().LastError, "no node")
}
