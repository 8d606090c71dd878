package latchkey

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

// redisOf starts the plugin with these settings of Redis, and says what comes of
// a command: "", or why there is no answer.
func redisOf(t *testing.T, address string, change func(c *RedisConfig)) (*rig, string) {
	t.Helper()
	g := newRig(t, func(c *Config) {
		c.Redis.Addresses = []string{address}
		c.Redis.Timeout = "10s"
		change(&c.Redis)
	})
	return g, g.askRedis()
}

func (g *rig) askRedis() string {
	g.t.Helper()
	if _, err := g.l.redis.Do(context.Background(), "GET", "k"); err != nil {
		return g.l.redis.Health().LastError
	}
	return ""
}

// Each setting of redis.tls, and who we are there, reaches the connection.
func TestRedisSecuritySettings(t *testing.T) {
	server, other := redistest.StartSecure(t), redistest.StartSecure(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(server.CA()), 0o600); err != nil {
		t.Fatal(err)
	}
	good := func(c *RedisConfig) {
		c.Username = redistest.User
		c.Password = redistest.Password
		c.TLS.Enabled = true
		c.TLS.CACert = server.CA()
	}
	localhost := strings.Replace(server.Addr(), "127.0.0.1", "localhost", 1)
	for _, test := range []struct {
		name, address string
		change        func(c *RedisConfig)
		want          string // why not; "": it works
	}{
		{"all as it is to be", server.Addr(), func(_ *RedisConfig) {}, ""},
		{"by name", localhost, func(_ *RedisConfig) {}, ""},
		{"the authority in a file", server.Addr(), func(c *RedisConfig) { c.TLS.CACert = "file:" + file }, ""},
		{"no authority", server.Addr(), func(c *RedisConfig) { c.TLS.CACert = "" }, "tls"},
		{"another authority", server.Addr(), func(c *RedisConfig) { c.TLS.CACert = other.CA() }, "tls"},
		{"the server's name", server.Addr(), func(c *RedisConfig) { c.TLS.ServerName = "localhost" }, ""},
		{"another name", server.Addr(), func(c *RedisConfig) { c.TLS.ServerName = "redis.example.com" }, "tls"},
		{"any certificate, as asked for", server.Addr(), func(c *RedisConfig) { c.TLS.CACert = ""; c.TLS.InsecureSkipVerify = true }, ""},
		{"another password", server.Addr(), func(c *RedisConfig) { c.Password = "guess" }, "WRONGPASS"},
		{"another user", server.Addr(), func(c *RedisConfig) { c.Username = "root" }, "WRONGPASS"},
		{"the default user", server.Addr(), func(c *RedisConfig) { c.Username = "" }, "WRONGPASS"},
		{"nobody", server.Addr(), func(c *RedisConfig) { c.Username = ""; c.Password = "" }, "NOAUTH"},
	} {
		_, got := redisOf(t, test.address, func(c *RedisConfig) {
			good(c)
			test.change(c)
		})
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if _, got := redisOf(t, server.Addr(), func(c *RedisConfig) { c.Username = redistest.User; c.Password = redistest.Password }); got == "" {
		t.Error("without TLS: an answer")
	}
}

// A server that speaks nothing newer than TLS 1.1 is not spoken to.
func TestRedisOldTLS(t *testing.T) {
	server := redistest.StartSecure(t)
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		settings := &tls.Config{Certificates: []tls.Certificate{server.Certificate()}, MinVersion: tls.VersionTLS10, MaxVersion: version}
		listener, err := tls.Listen("tcp", "127.0.0.1:0", settings)
		if err != nil {
			t.Fatal(err)
		}
		spoken := make(chan bool, 1)
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				spoken <- false
				return
			}
			spoken <- conn.(*tls.Conn).Handshake() == nil
			conn.Close()
		}()
		_, got := redisOf(t, listener.Addr().String(), func(c *RedisConfig) {
			c.TLS.Enabled = true
			c.TLS.CACert = server.CA()
		})
		if got == "" {
			t.Errorf("version %x: an answer of a server that has none", version)
		}
		if <-spoken != want {
			t.Errorf("version %x: spoken is %v", version, !want)
		}
		listener.Close()
	}
}

// The password's file may change while we run.
func TestRedisPasswordChanges(t *testing.T) {
	server := redistest.Start(t)
	server.Command("ACL", "SETUSER", "u", "on", ">first", "~*", "+@all")
	file := filepath.Join(t.TempDir(), "password")
	write := func(password string) {
		if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	g, got := redisOf(t, server.Addr(), func(c *RedisConfig) { c.Username = "u"; c.Password = "file:" + file })
	if got != "" {
		t.Fatalf("the first: %s", got)
	}
	server.Command("ACL", "SETUSER", "u", "resetpass", ">the second")
	server.Command("CLIENT", "KILL", "USER", "u")
	write("the second")
	// A connection that was being made with the first may be what is given at first.
	eventually(t, "the second", func() bool {
		g.clock.advance(secretCheck)
		return g.askRedis() == ""
	})
}

func TestRedisDatabaseAndPrefix(t *testing.T) {
	server := redistest.Start(t)
	g := refreshing(t, func(c *Config) {
		c.Redis.Addresses = []string{server.Addr()}
		c.Redis.Timeout = "10s"
		c.Redis.Database = 3
		c.Redis.Prefix = "ours:"
	})
	g.login("/app", nil)
	g.expectStatus("a session", g.do(fetch(t, "/app")), http.StatusOK)
	if keys := server.Command("INFO", "keyspace"); !strings.Contains(keys, "db3:keys=") || strings.Contains(keys, "db0:") {
		t.Errorf("keys are in %q, want database 3 only", keys)
	}
	server.Command("SWAPDB", "0", "3")
	for _, key := range strings.Split(server.Command("KEYS", "*"), "\n") {
		if !strings.HasPrefix(key, "ours:") {
			t.Errorf("a key %q without the prefix", key)
		}
	}
}

// Redis takes longer than it has by default, and not as long as it is given.
func TestRedisTimeout(t *testing.T) {
	server := redistest.Start(t)
	for timeout, want := range map[string]string{"20s": "", "50ms": "timeout"} {
		g, got := redisOf(t, server.Addr(), func(c *RedisConfig) { c.Timeout = timeout })
		if got != "" && want == "" {
			t.Fatalf("%s, before: %s", timeout, got)
		}
		server.Pause()
		answered := make(chan string, 1)
		go func() { answered <- g.askRedis() }()
		if want != "" {
			if got := <-answered; got != want {
				t.Errorf("%s: got %q, want %q", timeout, got, want)
			}
			server.Resume()
			continue
		}
		_ = wait.Pause(context.Background(), 700*time.Millisecond)
		server.Resume()
		if got := <-answered; got != "" {
			t.Errorf("%s: got %q, want an answer", timeout, got)
		}
	}
}

func TestRedisModes(t *testing.T) {
	sentinels := redistest.StartSentinel(t)
	cluster := redistest.StartCluster(t)
	for name, test := range map[string]struct {
		address, mode, master, want string
	}{
		"sentinel":            {sentinels.Sentinels[0].Addr(), "sentinel", redistest.MasterName, ""},
		"another master":      {sentinels.Sentinels[0].Addr(), "sentinel", "other", "unknown master"},
		"cluster":             {cluster.Nodes[0].Addr(), "cluster", "", ""},
		"a node of a cluster": {cluster.Nodes[0].Addr(), "single", "", "MOVED"},
	} {
		g, _ := redisOf(t, test.address, func(c *RedisConfig) {
			c.Mode = test.mode
			c.MasterName = test.master
		})
		var problem error
		for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
			if _, err := g.l.redis.Do(context.Background(), "SET", key, "v"); err != nil && problem == nil {
				problem = err
			}
		}
		if test.want == "" && problem != nil {
			t.Errorf("%s: %v", name, problem)
		}
		if test.want != "" && (!errors.Is(problem, redis.ErrUnavailable) || !strings.Contains(problem.Error(), test.want)) {
			t.Errorf("%s: got %v, want %s", name, problem, test.want)
		}
	}
}

// Without Redis known identities go on for staleFor, or not at all.
func TestRedisWhenDown(t *testing.T) {
	for _, test := range []struct {
		whenDown, staleFor string
		goes               time.Duration // for so long
	}{{"deny", "2m", 0}, {"stale", "2m", 2 * time.Minute}, {"stale", "40s", 40 * time.Second}} {
		p := newPair(t, func(c *Config) {
			c.Session.Store = "cookie"
			c.Redis.WhenDown = test.whenDown
			c.Redis.StaleFor = test.staleFor
		})
		p.login("/app", nil)
		jar := p.swap(p.jar)
		p.stop()
		if test.goes > 0 {
			p.clock.advance(test.goes - time.Second)
			if status := p.statusOf(p.l, jar); status != http.StatusOK {
				t.Errorf("%s for %s: status %d before", test.whenDown, test.staleFor, status)
			}
			p.clock.advance(time.Second)
		}
		eventually(t, "503 "+test.whenDown+" "+test.staleFor, func() bool { return p.statusOf(p.l, jar) == http.StatusServiceUnavailable })
	}
}

// A Redis that is full is there, and cannot do its work: status and metrics say
// so, with Redis' own code, until it can.
func TestStatusOfAFullRedis(t *testing.T) {
	server := redistest.Start(t)
	g, _ := redisOf(t, server.Addr(), func(_ *RedisConfig) {})
	page := func(path string) string { return body(t, g.do(fetch(t, "/oauth2/"+path))) }
	eventually(t, "all to be well", func() bool {
		_, _ = g.l.revocations.Check(context.Background(), 1, nil)
		return strings.Contains(page("status"), `"status":"ok"`)
	})
	before := g.begin("/app", nil)
	server.Command("CONFIG", "SET", "maxmemory", "1")
	if status := g.do(navigate(t, before)).StatusCode; status != http.StatusServiceUnavailable {
		t.Errorf("a login: status %d, want 503", status)
	}
	if text := page("status"); !strings.Contains(text, `"status":"degraded"`) || !strings.Contains(text, `"redis":"closed","redisRefuses":"OOM"`) {
		t.Errorf("full: %s", text)
	}
	if text := page("metrics"); !strings.Contains(text, `latchkey_redis_refusals_total{code="OOM"}`) {
		t.Error("the metrics do not count what was refused")
	}
	server.Command("CONFIG", "SET", "maxmemory", "0")
	g.login("/app", nil)
	if text := page("status"); strings.Contains(text, "redisRefuses") {
		t.Errorf("no longer full: %s", text)
	}
}
