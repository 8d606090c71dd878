package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey"
	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

var wholeToken = regexp.MustCompile(`^lk_[0-9a-f]{16}_[0-9a-f]{40}\n$`)

// idOf is the id in a credential that was printed alone on a line.
func idOf(t *testing.T, r result) string {
	t.Helper()
	id, _, ok := apitoken.Parse(strings.TrimSuffix(r.stdout, "\n"))
	if r.code != exitOK || !ok || !wholeToken.MatchString(r.stdout) {
		t.Fatalf("%+v, want a token alone on standard output", r)
	}
	return id
}

func listed(t *testing.T, args ...string) []latchkey.TokenInfo {
	t.Helper()
	r := command(t, append([]string{"token", "list", "--json"}, args...)...)
	var tokens []latchkey.TokenInfo
	if err := json.Unmarshal([]byte(r.stdout), &tokens); err != nil || r.code != exitOK {
		t.Fatalf("%+v: %v", r, err)
	}
	return tokens
}

func expect(t *testing.T, r result, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code || r.stdout != stdout || r.stderr != stderr {
		t.Errorf("got %+v, want code %d, stdout %q, stderr %q", r, code, stdout, stderr)
	}
}

// A token's life, in a shadow file and in Redis.
func TestTokens(t *testing.T) {
	for name, store := range map[string]func(t *testing.T) (flags []string, noticed string){
		"shadow file": func(t *testing.T) ([]string, string) {
			return []string{"--file", filepath.Join(t.TempDir(), "tokens.json")}, "a running Traefik knows within apiTokens.checkEvery, 60s if not set"
		},
		"Redis": func(t *testing.T) ([]string, string) {
			return []string{"--config", write(t, "d.yml", redisYAML(redistest.Start(t).Addr()))}, "every replica knows now"
		},
	} {
		t.Run(name, func(t *testing.T) {
			flags, noticed := store(t)
			in := func(args ...string) []string { return append(args, flags...) }

			if r := command(t, in("token", "list")...); r.code != exitOK || strings.Join(strings.Fields(r.stdout), " ") != "ID OWNER SCOPES NOTE CREATED EXPIRES LAST USED" {
				t.Errorf("%+v, want the heading alone", r)
			}
			expect(t, command(t, in("token", "list", "--json")...), exitOK, "[]\n", "")

			created := command(t, in("token", "create", "--owner", "ci", "--scope", "read:data", "--scope", "write", "--note", "nightly build")...)
			id := idOf(t, created)
			other := idOf(t, command(t, in("token", "create", "--owner", "alice", "--expires", "never")...))
			tokens := listed(t, flags...)
			slices.SortFunc(tokens, func(a, b latchkey.TokenInfo) int { return strings.Compare(b.Owner, a.Owner) })
			if len(tokens) != 2 || tokens[0].ID != id || tokens[1].ID != other {
				t.Fatalf("listed %+v, want %s and %s", tokens, id, other)
			}
			got := tokens[0]
			if got.Note != "nightly build" || !slices.Equal(got.Scopes, []string{"read:data", "write"}) || got.Expires-got.Created != 90*24*3600 {
				t.Errorf("created %+v", got)
			}
			if tokens[1].Expires != 0 {
				t.Errorf("created %+v, want one without an end", tokens[1])
			}
			ends := time.Unix(got.Expires, 0).UTC().Format(time.RFC3339)
			if want := fmt.Sprintf("token %s of ci, expires: %s; it is not shown again\n", id, ends); created.stderr != want {
				t.Errorf("said %q, want %q", created.stderr, want)
			}
			if of := listed(t, in("--owner", "alice")...); len(of) != 1 || of[0].ID != other {
				t.Errorf("listed %+v of alice", of)
			}
			row := strings.Fields(strings.Split(command(t, in("token", "list", "--owner", "ci")...).stdout, "\n")[1])
			if want := []string{id, "ci", "read:data", "write", "nightly", "build", time.Unix(got.Created, 0).UTC().Format(time.RFC3339), ends, "never"}; !slices.Equal(row, want) {
				t.Errorf("row %q, want %q", row, want)
			}

			rotated := command(t, in("token", "rotate", id)...)
			if idOf(t, rotated) != id || rotated.stdout == created.stdout || !strings.HasSuffix(rotated.stderr, "the old secret has ended; "+noticed+"\n") {
				t.Errorf("rotated %+v", rotated)
			}
			var again createdToken
			r := command(t, in("token", "rotate", "--grace", "1h", "--json", id)...)
			if err := json.Unmarshal([]byte(r.stdout), &again); err != nil || again.ID != id || again.Rotated == 0 || !strings.Contains(r.stderr, "goes on for 1h") {
				t.Errorf("%+v: %v, %+v", again, err, r)
			}
			if got, _, ok := apitoken.Parse(again.Token); !ok || got != id {
				t.Errorf("rotated to %+v", again)
			}

			r = command(t, in("token", "revoke", "0123456789abcdef", id)...)
			expect(t, r, exitFailed, "revoked "+id+"; "+noticed+"\n", r.stderr)
			if !strings.HasPrefix(r.stderr, "latchkey: 0123456789abcdef: ") || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("said %q", r.stderr)
			}
			expect(t, command(t, in("token", "revoke", "--json", other)...), exitOK, "{\n  \"revoked\": [\n    \""+other+"\"\n  ]\n}\n", "")
			if left := listed(t, flags...); len(left) != 0 {
				t.Errorf("left %+v", left)
			}
			if r := command(t, in("token", "rotate", id)...); r.code != exitFailed || r.stdout != "" {
				t.Errorf("%+v, want a failure", r)
			}

			for _, owner := range []string{"alice", "bob"} {
				idOf(t, command(t, in("token", "create", "--owner", owner)...))
			}
			expect(t, command(t, in("user", "end", "alice")...), exitOK, "ended 0 sessions, revoked 1 API token\n", "")
			if left := listed(t, flags...); len(left) != 1 || left[0].Owner != "bob" {
				t.Errorf("left %+v", left)
			}
		})
	}
}

func redisYAML(address string) string {
	return `
http:
  middlewares:
    login:
      plugin:
        latchkey:
          provider: {issuer: https://id.example.com, clientID: portal}
          secret: ["0123456789abcdef0123456789abcdef"]
          bearer: {enabled: false}
          redis: {addresses: ["` + address + `"]}
`
}

// The end of a token, as it may be written.
func TestTokenExpires(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"90d":                       "2026-08-30T12:00:00Z",
		"1d":                        "2026-06-02T12:00:00Z",
		"12h30m":                    "2026-06-02T00:30:00Z",
		"2027-01-31":                "2027-01-31T00:00:00Z",
		"2027-01-31T12:00:00+02:00": "2027-01-31T10:00:00Z",
		"never":                     "0001-01-01T00:00:00Z",
		"":                          "",
		"d":                         "",
		"90":                        "",
		"-1d":                       "",
		"0d":                        "",
		"0s":                        "",
		"1.5d":                      "",
		"99999d":                    "",
		"2027-02-30":                "",
		"tomorrow":                  "",
	} {
		at, err := parseExpiry(text, now)
		got := ""
		if err == nil {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}
