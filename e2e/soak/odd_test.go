package soak

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	oddLasts = 600 * time.Millisecond
	// oddMemory is by how much Traefik's heap may have grown after all that, in bytes.
	oddMemory = 48 << 20
)

// odd is a way to answer every command but those that open a connection.
type odd struct {
	name   string
	answer string
	goOn   bool
}

func oddities(trap string) []odd {
	long := strings.Repeat("x", 1<<20)
	return []odd{
		{"OK to everything", "+OK\r\n", true},
		{"PONG to everything", "+PONG\r\n", true},
		{"null to everything", "$-1\r\n", true},
		{"no list", "*-1\r\n", true},
		{"an empty list", "*0\r\n", true},
		{"an empty text", "$0\r\n\r\n", true},
		{"an integer", ":1\r\n", true},
		{"a negative integer", ":-9223372036854775808\r\n", true},
		{"an integer too large", ":92233720368547758089\r\n", true},
		{"a text too large", "$2147483647\r\n", true},
		{"a text of a negative length", "$-7\r\n", true},
		{"a text of a megabyte", "$1048576\r\n" + long + "\r\n", true},
		{"a list too long", "*2147483647\r\n", true},
		{"a list that is never filled", "*100000\r\n", true},
		{"lists in lists", strings.Repeat("*1\r\n", 5000), true},
		{"a line without an end", "+" + long, true},
		{"no type", "hello\r\n", true},
		{"RESP3", "%1\r\n+a\r\n+b\r\n", true},
		{"two answers to one command", "+OK\r\n+OK\r\n", true},
		{"half an answer, then the end", "$100\r\nhalf", false},
		{"the end", "", false},
		{"nothing", "", true},
		{"MOVED to a trap", "-MOVED 1 " + trap + "\r\n", true},
		{"ASK to a trap", "-ASK 1 " + trap + "\r\n", true},
		{"loading", "-LOADING Redis is loading the dataset in memory\r\n", true},
		{"an error of control characters", "-ERR \x1b[2J\x00\x07 log\r\n", true},
	}
}

// A Redis that answers with anything whatever lets nobody in, costs bounded memory, sends nobody elsewhere, and when it
// is itself again all is well. Half of the time it even knows how to open a connection.
func TestOddRedis(t *testing.T) {
	needed(t)
	server, err := harness.StartOddRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	var trapped atomic.Int64
	go func() {
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			trapped.Add(1)
			conn.Close()
		}
	}()
	d := startDrill(t, drillPlan{replicas: 1, address: []string{server.Address}})
	tokens, err := d.Provider.Tokens(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	before := d.memory(0)
	highest := before.HeapAlloc
	lines := []string{"Redis answers with|commands|in|refused 401|503|other|lost"}
	in := 0
	for _, o := range oddities(trap.Addr().String()) {
		asked := server.Asked()
		server.Answer(func(command []string) (string, bool) {
			if strings.EqualFold(command[0], "PING") {
				return "+PONG\r\n", true
			}
			return o.answer, o.goOn
		})
		s := &score{}
		for end := time.Now().Add(oddLasts); time.Now().Before(end); {
			for _, header := range [][2]string{
				{"Cookie", "latchkey=0123456789abcdef0123456789abcdef0123456789abcdef"},
				{"Authorization", "Bearer " + tokens.AccessToken}, {"X-API-Key", "lk_nobody"}, {"Accept", "*/*"},
			} {
				a, err := d.ask(0, "/page", header[0], header[1])
				if header[0] != "Authorization" && a.status == http.StatusOK {
					in++
					t.Errorf("%s: let in by %s", o.name, header[0])
				}
				s.add(a, err, "bob", a.status)
			}
			if _, err := d.login(0, "alice"); err == nil && o.answer != "+OK\r\n" {
				s.add(answer{status: http.StatusFound}, nil, "", http.StatusFound)
			}
		}
		if err := d.alive(); err != nil {
			t.Fatalf("%s: %v", o.name, err)
		}
		if m := d.memory(0); m.HeapAlloc > highest {
			highest = m.HeapAlloc
		}
		other := s.answers - s.statuses[401] - s.statuses[503] - s.statuses[200]
		lines = append(lines, fmt.Sprintf("%s|%d|%d|%d|%d|%d|%d", o.name, server.Asked()-asked, s.statuses[200], s.statuses[401], s.statuses[503], other, s.lost))
		if s.others > 0 || s.lost > 0 {
			t.Errorf("%s: %d answers of another person, %d lost: %v", o.name, s.others, s.lost, s.first)
		}
	}
	t.Log(table(lines...))
	t.Log(table("heap MiB before|highest|bound|trapped|let in|goroutines before|after",
		fmt.Sprintf("%s|%s|%s|%d|%d|%d|%d", mib(before.HeapAlloc), mib(highest), mib(before.HeapAlloc+oddMemory), trapped.Load(), in, before.Goroutines, d.memory(0).Goroutines)))
	if trapped.Load() > 0 {
		t.Errorf("%d connections to where Redis sent us, want none", trapped.Load())
	}
	if highest > before.HeapAlloc+oddMemory {
		t.Errorf("the heap grew to %s MiB", mib(highest))
	}
}
