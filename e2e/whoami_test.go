package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/e2e/process"
)

// startWhoami starts the app of the first trial, and returns its URL and port.
func startWhoami(t *testing.T) (url string, port int) {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	if port, err = harness.FreePort(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", filepath.Join(root, "examples", "whoami.py"), strconv.Itoa(port))
	cmd.Dir = filepath.Join(root, "examples")
	app, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Kill)
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = harness.Poll(ctx, "whoami.py", func() error {
		res, err := http.Get(url)
		if err == nil {
			res.Body.Close()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return url, port
}

// The app of the first trial shows the identity headers, as text, and nothing else: no token, no cookie, no file.
func TestWhoami(t *testing.T) {
	t.Parallel()
	url, _ := startWhoami(t)
	b := &bench{t: t}
	client := harness.Client()
	page := b.get(client, url+"/",
		"X-Auth-Request-User", "alice", "X-Auth-Request-Email", "<b>Zoë & co</b>", "X-Auth-Request-Groups", "ops,{rows}",
		"X-Auth-Request-Token", "opaque-delegated", "X-Auth-Request-Access", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "X-Auth-Request-Key", "lk_1f0c6a5e9d3b7284_x",
		"Authorization", "Bearer in-authorization", "Cookie", "a=in-a-cookie", "X-API-Key", "in-a-key", "X-Other", "in-another")
	for _, want := range []string{"You are &lt;b&gt;Zoë &amp; co&lt;/b&gt;", "<td>alice</td>", "<td>ops,{rows}</td>"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q:\n%s", want, page.body)
		}
	}
	for _, hidden := range []string{"<b>", "opaque-delegated", "eyJ", "lk_", "in-authorization", "in-a-cookie", "in-a-key", "in-another"} {
		if strings.Contains(page.body, hidden) {
			t.Errorf("the page has %q:\n%s", hidden, page.body)
		}
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := page.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	nobody := b.get(client, url+"/").body
	for _, path := range []string{"/whoami.py", "/file/dynamic.yml", "/../README.md", "/%2e%2e/README.md", "/etc/passwd", "//etc/passwd", "/?q=<b>"} {
		if got := b.get(client, url+path); got.status != http.StatusOK || got.body != nobody || !strings.Contains(got.body, "Nobody is logged in") {
			t.Errorf("%s: status %d\n%s", path, got.status, got.body)
		}
	}
}

// It listens where only this machine reaches it.
func TestWhoamiIsLocal(t *testing.T) {
	t.Parallel()
	_, port := startWhoami(t)
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		n, isNetwork := a.(*net.IPNet)
		if !isNetwork || n.IP.IsLoopback() || n.IP.To4() == nil {
			continue
		}
		if c, err := net.DialTimeout("tcp", net.JoinHostPort(n.IP.String(), strconv.Itoa(port)), time.Second); err == nil {
			c.Close()
			t.Errorf("%s has port %d open", n.IP, port)
		}
	}
}
