package latchkey

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// storing is a rig whose sessions and API tokens are in Redis, which can be told to
// refuse a command. Nothing is remembered of a request.
type storing struct {
	*rig
	server     *redistest.Server
	change     func(*Config)
	owned      string // the id of alice's API token
	credential string
}

func newStoring(t *testing.T, change func(*Config)) *storing {
	t.Helper()
	server := redistest.Start(t)
	s := &storing{server: server, change: func(c *Config) {
		c.Redis.Addresses = []string{server.Addr()}
		c.Redis.Timeout = "10s"
		c.Admin = "Equals(`sub`, `alice`)"
		c.Cache.Tokens = 0
		if change != nil {
			change(c)
		}
	}}
	s.rig = newRig(t, s.change)
	s.provider.Set(func(b *oidctest.Behavior) { b.RefreshTokens = true })
	s.login("/app", nil)
	s.owned, s.credential = s.give(nil)
	return s
}

// fresh goes on in another process: what this one remembers in front of Redis, that
// one does not.
func (s *storing) fresh() { s.l = s.replica(s.change) }

// refusing has Redis refuse a command, whoever sends it, while f runs.
func (s *storing) refusing(command string, f func()) {
	s.t.Helper()
	s.server.Command("ACL", "SETUSER", "default", "-"+command)
	f()
	s.server.Command("ACL", "SETUSER", "default", "+"+command)
	for _, key := range strings.Fields(s.server.Command("KEYS", "*lease*")) {
		s.server.Command("DEL", key) // it would run out
	}
}

// status is that of one of the operations.
func (s *storing) status(operation string) int {
	s.t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	path = strings.NewReplacer("SESSION", s.sessionID(), "TOKEN", s.owned).Replace(path)
	switch method {
	case "session":
		return s.do(fetch(s.t, "/app")).StatusCode
	case "key":
		return s.doAlone(withKey(s.t, "/app", s.credential))
	case "login":
		jar := s.swap(nil)
		defer s.swap(jar)
		return s.do(navigate(s.t, s.begin("/app", nil))).StatusCode
	}
	return s.do(apiRequest(s.t, method, "/oauth2/"+path, "{}")).StatusCode
}

func (s *storing) sessionID() string { return sessionID(s.jar[s.l.set.cookie.Name]) }

// heard is a log to read, which several goroutines write.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// saying has the middleware's log heard, from level INFO on.
func (g *rig) saying() *heard {
	h := &heard{}
	var to io.Writer = h
	logger := slog.New(slog.NewTextHandler(to, nil))
	g.l.log = &logs{out: logger, err: logger}
	return h
}

// Whoever asks for something that Redis does not let be done is told so: it is
// neither silence nor success. Afterwards it can be done, and what was asked about
// is as it was.
func TestWhatRedisRefuses(t *testing.T) {
	for _, c := range []struct {
		command, operation string
		refused, allowed   int
	}{
		{"zadd", "login", 503, 302},
		{"zadd", "POST api/tokens", 503, 201},
		{"zrange", "login", 503, 302},
		{"zremrangebyscore", "login", 503, 302},
		{"set", "login", 503, 302},
		{"set", "POST api/tokens", 503, 201},
		{"set", "POST api/tokens/TOKEN/rotate", 503, 200},
		{"get", "session", 503, 200},
		{"get", "key", 503, 200},
		{"get", "GET api/tokens", 503, 200},
		{"get", "GET api/sessions", 503, 200},
		{"get", "DELETE api/tokens/TOKEN", 503, 204},
		{"get", "GET account", 503, 200},
		{"get", "GET userinfo", 503, 200},
		{"zrangebyscore", "GET account", 503, 200},
		{"zscan", "GET account", 503, 200},
		{"zrangebyscore", "GET api/sessions", 503, 200},
		{"zrangebyscore", "DELETE api/sessions/SESSION", 503, 204},
		{"zrangebyscore", "DELETE api/sessions", 503, 200},
		{"zrangebyscore", "DELETE api/user?user=bob", 503, 200},
		{"zscan", "GET api/tokens", 503, 200},
		{"zscan", "DELETE api/user?user=bob", 503, 200},
		{"xadd", "DELETE api/sessions/SESSION", 503, 204},
		{"xadd", "DELETE api/user?user=bob", 503, 200},
	} {
		s := newStoring(t, nil)
		if c.command == "get" {
			s.fresh()
		}
		what := c.operation + " without " + strings.ToUpper(c.command)
		said := s.saying()
		s.refusing(c.command, func() {
			if got := s.status(c.operation); got != c.refused {
				t.Errorf("%s: status %d, want %d", what, got, c.refused)
			}
		})
		if text := said.String(); !strings.Contains(text, "reason=store_unavailable status=503") || !strings.Contains(text, "NOPERM") {
			t.Errorf("%s: the log says %q", what, text)
		}
		if c.command == "xadd" {
			continue // it counts here at once, and the rest is written behind the requests
		}
		for _, known := range []string{"session", "key"} {
			if got := s.status(known); got != http.StatusOK {
				t.Errorf("%s: afterwards the %s gets %d", what, known, got)
			}
		}
		if got := s.status(c.operation); got != c.allowed {
			t.Errorf("%s: afterwards it is %d, want %d", what, got, c.allowed)
		}
	}
}

// The person is logged out here and in the browser whatever Redis says, and the
// log says what the others do not know yet. Nobody is kept from a logout by that.
func TestLogoutThatRedisRefuses(t *testing.T) {
	for _, store := range []string{"cookie", "redis"} {
		for _, command := range []string{"xadd", "del", "zrem"} {
			s := newStoring(t, func(c *Config) { c.Session.Store = store })
			jar := s.swap(s.jar)
			said := s.saying()
			s.refusing(command, func() {
				if got := s.do(navigate(t, "/oauth2/logout")).StatusCode; got != http.StatusFound {
					t.Errorf("%s without %s: status %d, want 302", store, command, got)
				}
			})
			if len(s.sessionCookies()) != 0 {
				t.Errorf("%s without %s: the browser keeps %v", store, command, s.sessionCookies())
			}
			s.swap(jar)
			s.expectStatus(store+" without "+command, s.do(fetch(t, "/app")), http.StatusUnauthorized)
			text := said.String()
			if told := strings.Contains(text, "the other replicas learn of a logout when Redis is back"); told != (command == "xadd") || !strings.Contains(text, "logged out") {
				t.Errorf("%s without %s: the log says %q", store, command, text)
			}
		}
	}
}

// A refresh token that the provider does not take back is no reason to stay logged
// in, and is told of.
func TestRefreshTokenNotTakenBack(t *testing.T) {
	g := refreshing(t, nil)
	g.login("/app", nil)
	said := g.saying()
	g.provider.Handle(oidctest.Revocation, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
	if got := g.do(navigate(t, "/oauth2/logout")).StatusCode; got != http.StatusFound {
		t.Errorf("status %d, want 302", got)
	}
	eventually(t, "the log", func() bool { return strings.Contains(said.String(), "the provider did not take a refresh token back") })
}

// It is the refresh token of the session that goes back, and nothing else.
func TestWhichRefreshTokenIsTakenBack(t *testing.T) {
	g := refreshing(t, nil)
	var mu sync.Mutex
	var taken []string
	g.provider.Handle(oidctest.Revocation, func(_ http.ResponseWriter, r *http.Request) {
		token, hint := r.PostFormValue("token"), r.PostFormValue("token_type_hint")
		mu.Lock()
		defer mu.Unlock()
		taken = append(taken, hint+" "+token)
	})
	g.login("/app", nil)
	others := g.swap(nil)
	g.login("/app", nil)
	g.clock.advance(301 * time.Second)
	g.expectStatus("refreshed", g.do(fetch(t, "/app")), http.StatusOK)
	s, err := g.l.openSession(testContext(t), g.l.cookieValue(g.withJar(navigate(t, "/"))))
	if err != nil {
		t.Fatal(err)
	}
	g.do(navigate(t, "/oauth2/logout"))
	eventually(t, "the revocation", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(taken) > 0
	})
	mu.Lock()
	if len(taken) != 1 || taken[0] != "refresh_token "+s.RefreshToken || s.RefreshToken == "" {
		t.Errorf("taken back: %q, want that of the session", taken)
	}
	mu.Unlock()
	g.swap(others)
	g.expectStatus("another session", g.do(fetch(t, "/app")), http.StatusOK)
	if n := g.provider.Grants(); n != 2 {
		t.Errorf("%d grants, want one of each session", n)
	}
}

// Nobody grants who cannot have the lease: it is a refusal of Redis, and not
// another replica that holds it, which would be waited for.
func TestGrantThatRedisRefuses(t *testing.T) {
	for _, command := range []string{"set", "get"} {
		s := newStoring(t, func(c *Config) { c.Session.Store = "cookie" })
		s.clock.advance(301 * time.Second)
		said := s.saying()
		s.refusing(command, func() {
			s.expectStatus("without "+command, s.do(fetch(t, "/app")), http.StatusServiceUnavailable)
		})
		if n := s.provider.Grants(); n != 0 {
			t.Errorf("without %s: %d grants, want none", command, n)
		}
		if text := said.String(); !strings.Contains(text, "NOPERM") {
			t.Errorf("without %s: the log says %q", command, text)
		}
		s.clock.advance(time.Second) // failures are left alone for that long
		s.expectStatus("with "+command, s.do(fetch(t, "/app")), http.StatusOK)
		if n := s.provider.Grants(); n != 1 {
			t.Errorf("with %s: %d grants, want one", command, n)
		}
	}
}

// A session that is not stored is not given.
func TestSessionThatIsNotStored(t *testing.T) {
	s := newStoring(t, nil)
	known, err := s.l.openSession(context.Background(), s.l.cookieValue(s.withJar(fetch(t, "/app"))))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.refusing("set", func() { err = s.l.beginSession(w, navigate(t, "/app"), known) })
	if !errors.Is(err, errStoreAway) || len(w.Result().Cookies()) != 0 {
		t.Errorf("got %v and %v", err, w.Result().Cookies())
	}
}
