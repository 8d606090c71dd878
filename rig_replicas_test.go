package latchkey

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
	"github.com/latchkey-auth/latchkey/internal/revocation"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// refreshing is a rig whose provider gives refresh tokens, and access tokens
// that live 300 seconds.
func refreshing(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	g := newRig(t, change)
	g.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })
	return g
}

// pair is a rig, which is one replica, and another that shares nothing with it
// but Redis.
type pair struct {
	*rig
	server *redistest.Server
	other  *Latchkey
}

func newPair(t *testing.T, change func(*Config)) *pair {
	t.Helper()
	server := redistest.Start(t)
	shared := func(c *Config) {
		c.Redis.Addresses = []string{server.Addr()}
		c.Redis.Timeout = "10s"
		if change != nil {
			change(c)
		}
	}
	p := &pair{rig: refreshing(t, shared), server: server}
	p.other = p.replica(shared)
	p.reading(p.l)
	p.reading(p.other)
	return p
}

// reading waits until the replica has read the log of revocations.
func (p *pair) reading(l *Latchkey) {
	p.t.Helper()
	eventually(p.t, "the log to be read", func() bool {
		_, err := l.revocations.Check(context.Background(), 1, nil)
		return err == nil
	})
}

// stop kills Redis, and waits until both replicas know.
func (p *pair) stop() {
	p.t.Helper()
	p.server.Stop()
	for _, l := range []*Latchkey{p.l, p.other} {
		known := l
		eventually(p.t, "an open breaker", func() bool { return known.redis.Health().Breaker == "open" })
	}
}

// restart brings an empty Redis back, and waits until both replicas use it. The
// clock goes on for as long as that takes.
func (p *pair) restart() {
	p.t.Helper()
	p.server.Restart()
	for _, l := range []*Latchkey{p.l, p.other} {
		known := l
		eventually(p.t, "a closed breaker", func() bool {
			p.clock.advance(time.Second)
			return known.redis.Health().Breaker == "closed" && known.revocations.Stats().Readable
		})
	}
}

// keys are those in Redis that begin like this, after the prefix.
func (p *pair) keys(prefix string) []string {
	p.t.Helper()
	list := p.server.Command("KEYS", "latchkey:"+prefix+"*")
	if list == "" {
		return nil
	}
	return strings.Split(list, "\n")
}

// record is the key of the only session in Redis.
func (p *pair) record() string {
	p.t.Helper()
	var found []string
	for _, key := range p.keys("") {
		if strings.Contains(key, ":session:") {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		p.t.Fatalf("%d sessions in Redis, want one", len(found))
	}
	return found[0]
}

// at serves a request with the jar's cookies, and keeps those of the answer.
func (p *pair) at(l *Latchkey, what string, r *http.Request, status int) *http.Response {
	p.t.Helper()
	response := p.doAt(l, r)
	p.expectStatus(what, response, status)
	return response
}

// swap puts other cookies into the jar and returns those that were there.
func (g *rig) swap(jar map[string]string) map[string]string {
	was := g.jar
	g.jar = map[string]string{}
	for name, value := range jar {
		g.jar[name] = value
	}
	return was
}

// quiet has the upstream of l take no notes, so that many requests can be under
// way at once.
func quiet(l *Latchkey) {
	l.next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("app")) })
}

// statuses serves n requests at once with these cookies, and counts the answers.
func statuses(t *testing.T, l *Latchkey, n int, jar map[string]string) <-chan map[int]int {
	t.Helper()
	answers := make(chan int, n)
	for i := 0; i < n; i++ {
		r := fetch(t, "/app")
		for name, value := range jar {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		go func() {
			recorder := httptest.NewRecorder()
			l.ServeHTTP(recorder, r)
			answers <- recorder.Code
		}()
	}
	counted := make(chan map[int]int, 1)
	go func() {
		count := map[int]int{}
		for i := 0; i < n; i++ {
			count[<-answers]++
		}
		counted <- count
	}()
	return counted
}

// take waits for what a channel brings.
func take(t *testing.T, what string, from <-chan struct{}) {
	t.Helper()
	select {
	case <-from:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: not within 20 seconds", what)
	}
}

// replicas are what a coordinator shares in this Redis.
func replicas(t *testing.T, server *redistest.Server) *refreshReplicas {
	t.Helper()
	ring, err := seal.NewRing([]string{testSecret})
	if err != nil {
		t.Fatal(err)
	}
	client := redis.New(redis.Config{Addresses: []string{server.Addr()}, Timeout: 10 * time.Second})
	t.Cleanup(func() { client.Close() })
	return &refreshReplicas{client: client, prefix: "test:", shared: cache.NewRedis(client, "test:", func() *seal.Ring { return ring })}
}

// revokedBy revokes what the key stands for, up to now.
func (g *rig) revokedBy(l *Latchkey, key revocation.Key) {
	g.t.Helper()
	if err := l.revoke(context.Background(), key); err != nil {
		g.t.Fatal(err)
	}
}
