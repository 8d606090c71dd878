package soak

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// A replica is killed three times while people log in at both. Whoever got a session keeps it, everywhere.
func TestKillsInLogins(t *testing.T) {
	needed(t)
	const kills, attempts = 3, 240
	d := startDrill(t, drillPlan{})
	var mu sync.Mutex
	var people []*known
	failed, next := 0, 0
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= attempts {
					return
				}
				k, err := d.login(i%2, fmt.Sprintf("user-%d", i))
				mu.Lock()
				if err != nil {
					failed++
				} else {
					people = append(people, k)
				}
				mu.Unlock()
				if err != nil {
					_ = sleep(t.Context(), time.Second/2) // the replica is dead
				}
			}
		})
	}
	for range kills {
		mu.Lock()
		begun := next
		mu.Unlock()
		d.within(time.Minute, "more logins", func() error {
			mu.Lock()
			defer mu.Unlock()
			if next < begun+attempts/(2*kills) && next < attempts {
				return errStill
			}
			return nil
		})
		d.Traefiks[1].Kill()
		if err := d.Traefiks[1].Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	running.Wait()
	good := 0
	for _, k := range people {
		if d.everywhere(k, http.StatusOK) == nil {
			good++
		}
	}
	t.Log(table("kills|logins|begun at a dead replica|good afterwards", fmt.Sprintf("%d|%d|%d|%d", kills, len(people), failed, good)))
	if good != len(people) || len(people) == 0 {
		t.Errorf("%d of %d sessions are good", good, len(people))
	}
}

// Reloads beside 20 WebSockets and load: no socket ends, and no answer is wrong.
func TestReloadsBesideWebSockets(t *testing.T) {
	needed(t)
	const sockets, times = 20, 30
	d := startDrill(t, drillPlan{replicas: 1})
	// The app of the drill knows no WebSockets, that of the site does.
	settings := d.Settings().With("provider", "scopes", []string{"openid", "offline_access"}).With("session", "store", "redis").
		With("session", "cookie", "secure", false).With("redis", "addresses", []string{d.relay.Address}).With("redis", "timeout", "500ms")
	configuration := func(n int) harness.Dynamic {
		dynamic := d.Dynamic(settings.With("cache", "tokens", 10_000+n))
		dynamic.Services["told"] = d.app.server.URL
		dynamic.Routers["page"] = harness.Router{Rule: "PathPrefix(`/page`)", Middlewares: []string{"login"}, Service: "told"}
		return dynamic
	}
	if err := d.Traefik.Reload(t.Context(), configuration(0)); err != nil {
		t.Fatal(err)
	}
	people := d.logins(4)
	var open []*websocket.Conn
	for i := range sockets {
		header := http.Header{"Cookie": {people[i%len(people)].cookie}, "Origin": {d.Traefik.URL}}
		c, _, err := websocket.Dial(t.Context(), d.Traefik.URL+"/live/ws", &websocket.DialOptions{HTTPHeader: header})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		open = append(open, c)
	}
	s := &score{}
	stop := make(chan struct{})
	running := d.load(people, s, stop)
	began := time.Now()
	for n := range times {
		if err := d.Traefik.Reload(t.Context(), configuration(n+1)); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	close(stop)
	running.Wait()
	echoes := 0
	for i, c := range open {
		if err := echo(t.Context(), c, fmt.Sprint(i)); err != nil {
			t.Errorf("socket %d: %v", i, err)
			continue
		}
		echoes++
	}
	t.Log(table("reloads|seconds|sockets|alive|"+scoreColumns, fmt.Sprintf("%d|%.0f|%d|%d|%s", times, took.Seconds(), sockets, echoes, s)))
	s.good(t, "reloads")
}

func echo(ctx context.Context, c *websocket.Conn, text string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return err
	}
	_, got, err := c.Read(ctx)
	if err == nil && string(got) != text {
		err = errors.New("another's echo: " + string(got))
	}
	return err
}
