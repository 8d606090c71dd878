package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey"
	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// browser has the cookies of one login.
type browser struct {
	t       *testing.T
	replica http.Handler
	cookies map[string]string
}

// open opens a page as somebody does who types the address.
func (b *browser) open(address string) *http.Response {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, u.RequestURI(), nil)
	r.Host = "app.example.com"
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Accept", "text/html")
	r.Header.Set("User-Agent", "Browser \x1b[2J 1")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.replica.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w.Result()
}

// becomes waits for an answer.
func (b *browser) becomes(status int) {
	b.t.Helper()
	got := 0
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		if got = b.open("/").StatusCode; got == status {
			return
		}
	}
	b.t.Errorf("status %d, want %d", got, status)
}

// A user's sessions, listed and ended by another process than the middleware's.
func TestSessions(t *testing.T) {
	provider := oidctest.New(t)
	content := strings.NewReplacer(
		"https://id.example.com", provider.Issuer(),
		"clientID: portal", fmt.Sprintf("clientID: %q, clientSecret: %q", oidctest.ClientID, oidctest.ClientSecret),
	).Replace(redisYAML(redistest.Start(t).Addr()))
	path := write(t, "d.yml", content)
	replica := middlewareOf(t, path)
	login := func(user string) *browser {
		b := &browser{t: t, replica: replica, cookies: map[string]string{}}
		back := provider.Authorize(t, b.open("/").Header.Get("Location"), map[string]any{"sub": user})
		if got := b.open(back).Header.Get("Location"); got != "/" {
			t.Fatalf("the login of %s ends at %q", user, got)
		}
		b.becomes(http.StatusOK)
		return b
	}
	sessions := func(user string) []latchkey.SessionInfo {
		r := execute(t, "session", "list", "--json", "--config", path, "--user", user)
		var list []latchkey.SessionInfo
		if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || r.code != exitOK {
			t.Fatalf("%+v: %v", r, err)
		}
		return list
	}
	has := func(user string, want int) []latchkey.SessionInfo {
		t.Helper()
		list := sessions(user)
		if len(list) != want {
			t.Fatalf("%s has %+v, want %d sessions", user, list, want)
		}
		return list
	}

	has("alice", 0)
	alice, again, bob := login("alice"), login("alice"), login("bob")
	list := has("alice", 2)
	if s := list[0]; s.Address != "192.0.2.7" || s.Agent != "Browser \x1b[2J 1" || time.Since(time.Unix(s.Since, 0)) > time.Minute || time.Until(time.Unix(s.Until, 0)) > 24*time.Hour {
		t.Errorf("listed %+v", s)
	}
	table := execute(t, "session", "list", "--config", path, "--user", "alice")
	if !strings.HasPrefix(table.stdout, "ID ") || !strings.Contains(table.stdout, `Browser \x1b[2J 1`) || strings.Contains(table.stdout, "\x1b") {
		t.Errorf("%+v", table)
	}

	// Nobody's but the user's own.
	other := has("bob", 1)[0].ID
	if r := execute(t, "session", "end", "--config", path, "--user", "alice", "--", other); r.code != exitFailed || !strings.HasPrefix(r.stderr, "latchkey: no session ") {
		t.Errorf("%+v", r)
	}
	expect(t, execute(t, "session", "end", "--config", path, "--user", "alice", "--", list[0].ID), exitOK, "ended 1 session\n", "")
	if left := has("alice", 1); left[0].ID != list[1].ID {
		t.Errorf("left %+v, want %+v", left, list[1])
	}
	expect(t, execute(t, "session", "end", "--json", "--config", path, "--user", "alice", "--all"), exitOK, "{\n  \"sessions\": 1\n}\n", "")
	has("alice", 0)
	alice.becomes(http.StatusFound)
	again.becomes(http.StatusFound)
	bob.becomes(http.StatusOK)

	idOf(t, execute(t, "token", "create", "--config", path, "--owner", "bob"))
	expect(t, execute(t, "user", "end", "--config", path, "--json", "bob"), exitOK, "{\n  \"sessions\": 1,\n  \"tokens\": 1\n}\n", "")
	has("bob", 0)
	bob.becomes(http.StatusFound)
}

// Sessions that are not in Redis are out of reach, and that is said.
func TestSessionsElsewhere(t *testing.T) {
	path := write(t, "d.yml", strings.Replace(redisYAML(""), `redis: {addresses: [""]}`, "apiTokens: {file: "+t.TempDir()+"/tokens.json}", 1))
	expect(t, command(t, "session", "list", "--user", "a", "--config", path), exitFailed, "", "latchkey: "+errNoSessions.Error()+"\n")
	idOf(t, command(t, "token", "create", "--owner", "a", "--config", path))
	expect(t, command(t, "user", "end", "a", "--config", path), exitFailed, "ended 0 sessions, revoked 1 API token\n", "latchkey: "+errNoSessions.Error()+"\n")
}
