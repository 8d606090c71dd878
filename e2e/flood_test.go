package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// floodBound is what a request of a stranger may cost above a bare router, in CPU time of Traefik's process.
const floodBound = 5 * time.Millisecond

// Whatever a stranger sends by the thousand costs little more than reading it does. It does not run beside others: it
// measures time.
func TestFloods(t *testing.T) {
	b := start(t, plan{
		traefik: harness.TraefikOptions{LogLevel: "INFO"},
		settings: func(_ *harness.Site, s harness.Settings) harness.Settings {
			return s.With("log", "level", "info").With("apiTokens", "file", t.TempDir()+"/tokens.json")
		},
		dynamic: func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
			d.Routers["bare"] = harness.Router{Rule: "PathPrefix(`/bare/`)", Service: "app"}
			return d
		},
	})
	names, keys, accepts, connections, authorizations := "", "", "", "", ""
	for i := range 8000 {
		names += fmt.Sprintf("X-N-%d: a\r\n", i)
		keys += "X-API-Key: x\r\n"
		accepts += "Accept: a/b\r\n"
		connections += "Connection: x\r\n"
		authorizations += "Authorization: Basic x\r\n"
	}
	chunks := ""
	for i := range 8 {
		chunks += fmt.Sprintf("; __Host-latchkey-%d=a; __Host-latchkey-%d=b", i, i)
	}
	const page = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n"
	for name, headers := range map[string]string{
		"nothing":                         "",
		"8,000 names":                     names,
		"8,000 lines of X-API-Key":        keys,
		"8,000 lines of Accept":           accepts,
		"8,000 lines of Connection":       connections,
		"8,000 lines of Authorization":    authorizations,
		"2,900 cookies":                   "Cookie: " + strings.Repeat("a=b; ", 2900) + "\r\n",
		"2,900 cookies, a login":          page + "Cookie: " + strings.Repeat("a=b; ", 2900) + "\r\n",
		"900 cookies, a login":            page + "Cookie: " + strings.Repeat("a=b; ", 900) + "\r\n",
		"8 chunks twice among 2,980":      "Cookie: 6=b" + strings.Repeat("; a=b", 2980) + "; __Host-latchkey=8x; __Host-latchkey=8y" + chunks + "\r\n",
		"8 chunks twice among 900":        "Cookie: 6=b" + strings.Repeat("; a=b", 900) + "; __Host-latchkey=8x; __Host-latchkey=8y" + chunks + "\r\n",
		"190 cookies of ours":             "Cookie: a=b" + strings.Repeat("; __Host-latchkey-flow-x=b", 190) + "\r\n",
		"150 names of headers like ours":  manyNames("X-Auth-Request-%d: a\r\n", 150),
		"190 unknown names":               manyNames("X-U-%d: a\r\n", 190),
		"90 names listed in Connection":   "Connection: close" + strings.Repeat(", x", 90) + "\r\n",
		"a megabyte of one cookie header": "Cookie: " + strings.Repeat("a=b; __Host-latchkey=1; ", 40000) + "\r\n",
	} {
		bare := b.cost(t, "/bare/x", headers)
		for _, path := range []string{"/api", "/public/x"} {
			cost := b.cost(t, path, headers)
			t.Logf("%-34s %-10s %8.3f ms above %8.3f", name, path, (cost-bare).Seconds()*1000, bare.Seconds()*1000)
			if cost-bare > floodBound {
				t.Errorf("%s: %s costs %s, a bare router %s", name, path, cost, bare)
			}
		}
	}
}

func manyNames(pattern string, n int) string {
	text := ""
	for i := range n {
		text += fmt.Sprintf(pattern, i)
	}
	return text
}

// cost is the least CPU time that Traefik took for such a request, of some rounds.
func (b *bench) cost(t *testing.T, path, headers string) time.Duration {
	t.Helper()
	const rounds, each = 4, 10
	request := []byte(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n", path, host(t, b.Traefik.URL), headers))
	least := time.Hour
	for range rounds {
		before := b.cpu(t)
		for range each {
			b.throw(t, request)
		}
		least = min(least, (b.cpu(t)-before)/each)
	}
	return least
}

// throw sends a request and reads whatever comes.
func (b *bench) throw(t *testing.T, request []byte) {
	t.Helper()
	c, err := net.DialTimeout("tcp", host(t, b.Traefik.URL), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); err != nil || len(answer) < len("HTTP/1.1 ") || !strings.HasPrefix(string(answer), "HTTP/1.1 ") {
		t.Fatalf("got %q, %v", answer[:min(len(answer), http.DefaultMaxHeaderBytes)], err)
	}
}

// cpu is how long Traefik has had a processor.
func (b *bench) cpu(t *testing.T) time.Duration {
	t.Helper()
	const schedulerClock = 2 // CPUCLOCK_SCHED; the rest is clock_getcpuclockid(3)
	var at unix.Timespec
	if err := unix.ClockGettime(int32(^b.Traefik.PID()<<3|schedulerClock), &at); err != nil {
		t.Fatal(err)
	}
	return time.Duration(at.Nano())
}
