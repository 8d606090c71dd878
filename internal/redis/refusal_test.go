package redis

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// kept is a log that tests read while it is written.
type kept struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (k *kept) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(b)
}

func (k *kept) count(words ...string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for _, line := range strings.Split(k.text.String(), "\n") {
		all := line != ""
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			n++
		}
	}
	return n
}

func (k *kept) logger() *slog.Logger { return slog.New(slog.NewTextHandler(k, nil)) }

// What Redis refuses shows until a command of the same name is answered, and is
// in the log once a minute, with Redis' own code.
func TestRefusals(t *testing.T) {
	for code, states := range map[string]struct{ begin, end []string }{
		"OOM":        {[]string{"CONFIG", "SET", "maxmemory", "1"}, []string{"CONFIG", "SET", "maxmemory", "0"}},
		"READONLY":   {[]string{"REPLICAOF", "127.0.0.1", "1"}, []string{"REPLICAOF", "NO", "ONE"}},
		"NOREPLICAS": {[]string{"CONFIG", "SET", "min-replicas-to-write", "1"}, []string{"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"NOPERM":     {[]string{"ACL", "SETUSER", "default", "-set"}, []string{"ACL", "SETUSER", "default", "+set"}},
		"WRONGTYPE":  {[]string{"RPUSH", "list", "x"}, []string{"DEL", "list"}},
	} {
		server := redistest.Start(t)
		clock := newHandClock()
		log := &kept{}
		c := open1(t, Config{Addresses: []string{server.Addr()}, Timeout: generous, Log: log.logger(), Now: func() time.Time { return clock.now() }})
		command := []string{"SET", "k", "v"}
		if code == "WRONGTYPE" {
			command = []string{"ZADD", "list", "1", "m"}
		}
		do(t, c, command...)
		do(t, c, "DEL", "list")
		expect(t, code+", before", c.Health().Refuses, "")
		server.Command(states.begin...)
		for i := 0; i < 5; i++ {
			_, err := c.DoAll(background, [][]string{{"GET", "k"}, command})
			if err != nil && !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s: %v", code, err)
			}
			do(t, c, "GET", "k") // is answered, and is another command
		}
		h := c.Health()
		if h.Refuses != code || h.Refusals[code] < 5 || h.Breaker != "closed" {
			t.Errorf("%s: health %+v", code, h)
		}
		if n := log.count("level=ERROR", "code="+code, "command="+command[0]); n != 1 {
			t.Errorf("%s: %d lines in the log, want one", code, n)
		}
		clock.advance(refusalEvery)
		_, _ = c.Do(background, command...)
		if n := log.count("level=ERROR", "code="+code); n != 2 {
			t.Errorf("%s: %d lines in the log a minute later, want two", code, n)
		}
		server.Command(states.end...)
		do(t, c, command...)
		expect(t, code+", over", c.Health().Refuses, "")
		if c.Health().Refusals[code] < 6 {
			t.Errorf("%s: what was refused is forgotten: %v", code, c.Health().Refusals)
		}
		c.Close()
	}
}

// A server that takes one command which needs room takes the others, too; what one
// of them has no right to, or finds in its place, is its own.
func TestRefusalsEndTogether(t *testing.T) {
	for _, c := range []struct{ code, refused, answered, want string }{
		{"OOM", "SET", "XADD", ""},
		{"READONLY", "DEL", "SET", ""},
		{"MISCONF", "XADD", "ZADD", ""},
		{"NOREPLICAS", "ZADD", "SET", ""},
		{"OOM", "SET", "DEL", "OOM"}, // which a full server takes
		{"READONLY", "SET", "GET", "READONLY"},
		{"NOPERM", "SCAN", "SET", "NOPERM"},
		{"WRONGTYPE", "ZADD", "XADD", "WRONGTYPE"},
	} {
		r := newRefusals(&Config{Now: time.Now})
		r.add(c.refused, c.code)
		r.answered([][]string{{c.answered}}, make([]Reply, 1))
		if got, _ := r.show(); got != c.want {
			t.Errorf("%s of %s, then %s is answered: %q, want %q", c.code, c.refused, c.answered, got, c.want)
		}
	}
}

// An error of one command is no state of Redis.
func TestNoRefusal(t *testing.T) {
	server := redistest.Start(t)
	log := &kept{}
	c := open1(t, Config{Addresses: []string{server.Addr()}, Timeout: generous, Log: log.logger()})
	_, err := c.Do(background, "SET", "k")
	expectError(t, "a wrong command", err, ErrCommand)
	if h := c.Health(); h.Refuses != "" || len(h.Refusals) != 0 || log.count("ERROR") != 0 {
		t.Errorf("health %+v", h)
	}
}

// A Redis that deletes keys when it is full is warned of once.
func TestPolicyOfAFullRedis(t *testing.T) {
	for policy, want := range map[string]int{"noeviction": 0, "allkeys-lru": 1, "allkeys-random": 1, "volatile-ttl": 1, "volatile-lfu": 1} {
		server := redistest.Start(t)
		server.Command("CONFIG", "SET", "maxmemory-policy", policy)
		log := &kept{}
		c := open1(t, Config{Addresses: []string{server.Addr()}, Timeout: generous, Log: log.logger()})
		for i := 0; i < 3; i++ {
			do(t, c, "PING")
			c.node.pool.flush()
			c.node.looked.Store(0)
		}
		if n := log.count("level=WARN", policy, "noeviction"); n != want {
			t.Errorf("%s: %d warnings, want %d", policy, n, want)
		}
	}
	server := redistest.Start(t)
	server.Command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	server.Command("ACL", "SETUSER", "u", "on", ">p", "~*", "+get")
	c := open1(t, Config{Addresses: []string{server.Addr()}, Timeout: generous, Username: "u", Password: password("p")})
	expect(t, "who may not ask", do(t, c, "GET", "k"), "nil")
	expect(t, "is not refused", c.Health().Refuses, "")
}
