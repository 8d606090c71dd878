package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// With another secret than the running middlewares have, the command says so, and
// changes nothing: what it cannot read, they can.
func TestAnotherSecret(t *testing.T) {
	provider := oidctest.New(t)
	server := redistest.Start(t)
	content := strings.NewReplacer(
		"https://id.example.com", provider.Issuer(),
		"clientID: portal", fmt.Sprintf("clientID: %q, clientSecret: %q", oidctest.ClientID, oidctest.ClientSecret),
	).Replace(redisYAML(server.Addr()))
	file := func(secrets string) []string {
		return []string{"--config", write(t, "d.yml", strings.Replace(content, "0123456789abcdef0123456789abcdef", secrets, 1))}
	}
	const ours, other = "Zr3sXk8QmVb1TnYw6LpC0aHd5GuJ2eRf", "qW7nB4xKc9VtZ1mYs0PdL6hGj3RfUa8E"
	right, wrong, both := file(ours), file(other), file(other+`", "`+ours)
	for i := 0; i < 3; i++ {
		command(t, append([]string{"token", "create", "--owner", "alice"}, right...)...)
	}
	alice := &browser{t: t, replica: middlewareOf(t, right[1]), cookies: map[string]string{}}
	alice.open(provider.Authorize(t, alice.open("/").Header.Get("Location"), map[string]any{"sub": "alice"}))
	alice.becomes(http.StatusOK)

	id := listed(t, right...)[0].ID
	before := everything(server)
	for what, args := range map[string][]string{
		"token list":         {"token", "list"},
		"token list, JSON":   {"token", "list", "--json"},
		"token list, hers":   {"token", "list", "--owner", "alice"},
		"session list":       {"session", "list", "--user", "alice"},
		"session list, JSON": {"session", "list", "--user", "alice", "--json"},
		"token revoke":       {"token", "revoke", id},
		"token rotate":       {"token", "rotate", id},
	} {
		got := command(t, append(args, wrong...)...)
		if got.code != exitFailed || !strings.Contains(got.stderr, "sealed with a key that is not in `secret`") {
			t.Errorf("%s: exit code %d, %q", what, got.code, got.stderr)
		}
		if after := everything(server); after != before {
			t.Errorf("%s: Redis is not as it was:\n%s\nbefore:\n%s", what, after, before)
		}
	}
	if got := command(t, append([]string{"token", "list"}, wrong...)...); !strings.Contains(got.stderr, "3 of 3 records") {
		t.Errorf("got %q", got.stderr)
	}
	// What can be read is listed beside the error.
	command(t, append([]string{"token", "create", "--owner", "bob"}, wrong...)...)
	got := command(t, append([]string{"token", "list"}, wrong...)...)
	if got.code != exitFailed || !strings.Contains(got.stdout, "bob") || !strings.Contains(got.stderr, "3 of 4 records") {
		t.Errorf("exit code %d, %q, %q", got.code, got.stdout, got.stderr)
	}
	// With both secrets all are there, and the session goes on.
	alice.becomes(http.StatusOK)
	if tokens := listed(t, both...); len(tokens) != 4 {
		t.Errorf("with both secrets: %d tokens, want 4", len(tokens))
	}
}

// everything is all that Redis has, in the order of its keys.
func everything(server *redistest.Server) string {
	script := `local all = redis.call('keys', '*') table.sort(all) local out = {}
for _, k in ipairs(all) do
	local v = ''
	if redis.call('type', k).ok == 'string' then v = redis.call('get', k) end
	if redis.call('type', k).ok == 'zset' then v = table.concat(redis.call('zrange', k, 0, -1, 'withscores'), ' ') end
	table.insert(out, k .. '=' .. v)
end
return table.concat(out, '\n')`
	return server.Command("EVAL", script, "0")
}
