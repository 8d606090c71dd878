package latchkey

import (
	"context"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// Another replica's result may come so late that our try is refused before we
// see it. Then it counts, and the session goes on.
func TestLateResult(t *testing.T) {
	server := redistest.Start(t)
	a, _ := coordinators(t, server)
	other := replicas(t, server)
	result, err := a.CoordinateRefresh(context.Background(), "key", func(_ context.Context) (*granted, error) {
		if err := other.share("key", &granted{AccessToken: "of the other"}, time.Minute); err != nil {
			t.Error(err)
		}
		return nil, errGrantRefused
	})
	if err != nil || result.AccessToken != "of the other" {
		t.Errorf("got %v, %v", result, err)
	}
	if a.refused.Load() != 0 {
		t.Error("it counts as refused")
	}
}

// A result that cannot be shared at once is shared as soon as Redis is back.
func TestResultIsSharedForSure(t *testing.T) {
	server := redistest.Start(t)
	clk := newClock()
	p := replicas(t, server)
	c := NewRefreshCoordinator(20*time.Second, 30*time.Second, clk.now, p)
	result, err := c.CoordinateRefresh(context.Background(), "key", func(_ context.Context) (*granted, error) {
		server.Stop()
		return &granted{AccessToken: "mine"}, nil
	})
	if err != nil || result.AccessToken != "mine" {
		t.Fatalf("got %v, %v: who was granted has the result, whatever Redis does", result, err)
	}
	server.Restart()
	eventually(t, "the result in Redis", func() bool { return server.Command("EXISTS", "test:refresh:key") == "1" })
}

// A replica that starts long after a logout knows of it.
func TestLateReplicaKnows(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.Store = "cookie"; c.Session.Lifetime = "24h" })
	p.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = false }) // a logout gives them back
	p.login("/app", nil)
	jar := p.swap(p.jar)
	p.do(navigate(t, "/oauth2/logout"))
	p.clock.advance(23 * time.Hour)
	late := p.fresh(func(c *Config) { c.Session.Store = "cookie"; c.Refresh.MaxTokenAge = "0" })
	if got := p.statusOf(late, jar); got != 401 {
		t.Errorf("got status %d, want 401", got)
	}
}

// Routers may let one session live for different times. What the one with the
// shorter time revokes stays revoked for the longer.
func TestRevocationOutlastsEveryLifetime(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.Store = "cookie"; c.Session.Lifetime = "24h" })
	p.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = false }) // a logout gives them back
	p.login("/app", nil)
	jar := p.swap(p.jar)
	short := p.router(func(c *Config) {
		c.Redis.Addresses = []string{p.server.Addr()}
		c.Redis.Timeout = "10s"
		c.Session.Store = "cookie"
		c.Session.Lifetime = "1h"
	})
	p.doAt(short, navigate(t, "/oauth2/logout"))
	p.clock.advance(2 * time.Hour)
	late := p.fresh(func(c *Config) { c.Session.Store = "cookie"; c.Session.Lifetime = "24h" })
	if got := p.statusOf(late, jar); got != 401 {
		t.Errorf("got status %d, want 401", got)
	}
}

// A session whose record cannot be read is logged out by its id.
func TestLogoutOfAnUnreadableSession(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	jar := p.swap(p.jar)
	p.stop()
	p.do(navigate(t, "/oauth2/logout")) // at a replica that knows it
	p.swap(jar)
	before := p.other.revocations.Index().Size()
	p.doAt(p.other, navigate(t, "/oauth2/logout"))
	if after := p.other.revocations.Index().Size(); after != before+1 {
		t.Errorf("%d revocations more, want 1", after-before)
	}
	if len(p.jar) != 0 {
		t.Errorf("%d cookies are left", len(p.jar))
	}
}
