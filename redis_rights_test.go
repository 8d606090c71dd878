package latchkey

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// The rights that docs/settings.md names are enough for all that is done: Redis
// refuses nothing.
func TestRightsInRedis(t *testing.T) {
	text, err := os.ReadFile("docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(text), "The ACL user needs the commands")
	list, _, _ = strings.Cut(list, "on keys that begin")
	names := regexp.MustCompile("`[A-Z]+`").FindAllString(list, -1)
	if !found || len(names) < 15 {
		t.Fatalf("docs/settings.md names %d commands", len(names))
	}
	server := redistest.Start(t)
	user := []string{"ACL", "SETUSER", "latchkey", "on", ">secret", "resetkeys", "~latchkey:*", "-@all"}
	for _, name := range names {
		user = append(user, "+"+strings.ToLower(strings.Trim(name, "`")))
	}
	server.Command(user...)
	g := refreshing(t, func(c *Config) {
		c.Redis.Addresses = []string{server.Addr()}
		c.Redis.Username = "latchkey"
		c.Redis.Password = "secret"
		c.Redis.Timeout = "10s"
		c.Session.Store = "redis"
		c.Session.OnLogin = "endOthers"
		c.Session.IdleTimeout = "1h"
	})
	eventually(t, "the log to be read", func() bool {
		_, err := g.l.revocations.Check(context.Background(), 1, nil)
		return err == nil
	})
	g.logins(2, nil)
	g.login("/app", nil)
	g.clock.advance(5 * time.Minute)
	g.expectStatus("a refresh", g.do(fetch(t, "/app")), http.StatusOK)
	made, _, err := g.l.createToken(context.Background(), NewToken{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.l.rotateToken(context.Background(), "alice", made.ID, 0); err != nil {
		t.Error(err)
	}
	if _, _, err := g.l.endUser(context.Background(), "alice"); err != nil {
		t.Error(err)
	}
	g.do(navigate(t, "/oauth2/logout"))
	eventually(t, "Redis' clock to be measured", func() bool { return g.l.revocations.Stats().Gap != 0 })
	for _, command := range regexp.MustCompile(`object\n(\S+)`).FindAllStringSubmatch(server.Command("ACL", "LOG"), -1) {
		if command[1] != "info" { // which is asked for a warning, and done without
			t.Errorf("Redis refused %s", command[1])
		}
	}
}
