package latchkey

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// Somebody has so many tokens and no more, however many are asked for at once.
// Others are not held up by them, and what is revoked makes room.
func TestTokensPerOwner(t *testing.T) {
	for _, store := range []string{"file", "redis"} {
		made := tokenRig
		if store == "redis" {
			made = newRig
		}
		g := made(t, func(c *Config) {
			c.APITokens.MaxPerOwner = 3
			c.Admin = "Equals(`sub`, `root`)"
			if store == "redis" {
				c.Redis.Addresses = []string{redistest.Start(t).Addr()}
				c.Redis.Timeout = "10s"
			}
		})
		g.login("/app", nil)
		create := func() int {
			r := g.withJar(apiRequest(t, "POST", "/oauth2/api/tokens", "{}"))
			return g.doAlone(r)
		}
		statuses := make([]int, 12)
		var all sync.WaitGroup
		for i := range statuses {
			k := i
			all.Add(1)
			go func() {
				defer all.Done()
				statuses[k] = create()
			}()
		}
		all.Wait()
		for create() == http.StatusCreated {
			statuses = append(statuses, http.StatusCreated) // of two for whom there was one place neither may have got it
		}
		given := 0
		for _, status := range statuses {
			if status == http.StatusCreated {
				given++
			} else if status != http.StatusBadRequest {
				t.Errorf("%s: status %d", store, status)
			}
		}
		list, err := g.l.listTokens(context.Background(), "alice")
		if err != nil || len(list) != 3 || given != 3 {
			t.Fatalf("%s: %d tokens of %d that were made, %v", store, len(list), given, err)
		}
		text := body(t, g.call("POST", "/oauth2/api/tokens", "{}"))
		if !strings.Contains(text, "as many API tokens as you may have") {
			t.Errorf("%s: the answer says %s", store, text)
		}
		g.swap(nil)
		g.login("/app", map[string]interface{}{"sub": "bob"})
		if got := create(); got != http.StatusCreated {
			t.Errorf("%s: another person: status %d", store, got)
		}
		// An administrator is bound no more by this than by the rest.
		g.swap(nil)
		g.login("/app", map[string]interface{}{"sub": "root"})
		if got := g.call("POST", "/oauth2/api/tokens?user=alice", "{}").StatusCode; got != http.StatusCreated {
			t.Errorf("%s: an administrator: status %d", store, got)
		}
		g.swap(nil)
		g.login("/app", nil)
		for _, id := range []string{list[0].ID, list[1].ID} {
			if got := g.call("DELETE", "/oauth2/api/tokens/"+id, "").StatusCode; got != http.StatusNoContent {
				t.Errorf("%s: revoke: status %d", store, got)
			}
		}
		if first, second := create(), create(); first != http.StatusCreated || second != http.StatusBadRequest {
			t.Errorf("%s: with one place: status %d, then %d", store, first, second)
		}
	}
}

// With 0 there is no limit.
func TestTokensWithoutLimit(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.APITokens.MaxPerOwner = 0 })
	g.login("/app", nil)
	for i := 0; i < 110; i++ {
		if got := g.call("POST", "/oauth2/api/tokens", "{}").StatusCode; got != http.StatusCreated {
			t.Fatalf("token %d: status %d", i, got)
		}
	}
}

// A file that cannot be used takes nothing but API tokens away: 503 until it can.
func TestBrokenTokenFileAtTheStart(t *testing.T) {
	for what, spoil := range map[string]func(path, good string) error{
		"no JSON":      func(path, _ string) error { return os.WriteFile(path, []byte(`{"version":1,`), 0o600) },
		"another form": func(path, _ string) error { return os.WriteFile(path, []byte(`{"version":9,"tokens":{}}`), 0o600) },
		"open to all":  func(path, good string) error { return writeMode(path, good, 0o644) },
		"a folder":     func(path, _ string) error { return os.Mkdir(path, 0o700) },
		"empty":        func(path, _ string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		g := tokenRig(t, nil)
		_, credential := g.give(nil)
		good, err := os.ReadFile(g.l.set.apiTokens.file)
		if err != nil {
			t.Fatal(err)
		}
		path := t.TempDir() + "/tokens.json"
		if err := spoil(path, string(good)); err != nil {
			t.Fatal(err)
		}
		l := g.router(func(c *Config) { c.APITokens.File = path; c.APITokens.CheckEvery = "10s"; c.Log.Level = "error" })
		g.login("/app", nil)
		for i := 0; i < 3; i++ {
			g.expectStatus(what+": a session", g.doAt(l, fetch(t, "/app")), http.StatusOK)
			jar := g.swap(nil)
			g.expectStatus(what+": an API token", g.doAt(l, bearer(t, "/app", credential)), http.StatusServiceUnavailable)
			g.swap(jar)
			g.clock.advance(10 * time.Second)
		}
		for path, want := range map[string]int{"/oauth2/api/tokens": 503, "/oauth2/api/sessions": 200} {
			if got := g.doAt(l, apiRequest(t, "GET", path, "")).StatusCode; got != want {
				t.Errorf("%s: %s: status %d, want %d", what, path, got, want)
			}
		}
		shown := g.doAt(l, navigate(t, "/oauth2/account"))
		if text := body(t, shown); shown.StatusCode != 503 || !strings.Contains(text, "API tokens can&#39;t be shown") || !strings.Contains(text, "end-session") && !strings.Contains(text, "This") {
			t.Errorf("%s: the page: status %d", what, shown.StatusCode)
		}
		if got := g.doAt(l, apiRequest(t, "POST", "/oauth2/api/tokens", "{}")).StatusCode; got != http.StatusServiceUnavailable {
			t.Errorf("%s: a token made meanwhile: status %d", what, got)
		}
		_ = os.Remove(path)
		g.clock.advance(10 * time.Second)
		jar := g.swap(nil)
		g.expectStatus(what+": gone", g.doAt(l, bearer(t, "/app", credential)), http.StatusServiceUnavailable)
		if err := writeMode(path, string(good), 0o600); err != nil {
			t.Fatal(err)
		}
		g.clock.advance(10 * time.Second)
		good200 := false
		for i := 0; i < 100 && !good200; i++ { // it is read behind the requests
			good200 = g.doAt(l, bearer(t, "/app", credential)).StatusCode == http.StatusOK
		}
		if !good200 {
			t.Errorf("%s: put right, and not read", what)
		}
		g.swap(jar)
	}
}

func writeMode(path, content string, mode os.FileMode) error {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// A token that cannot be deleted is refused all the same, and whoever revokes it is
// told how things stand.
func TestRevokedThoughNotDeleted(t *testing.T) {
	g := tokenRig(t, nil)
	g.login("/app", nil)
	id, credential := g.give(nil)
	other, _ := g.give(nil)
	g.expectStatus("before", g.do(bearer(t, "/app", credential)), http.StatusOK)
	store := g.l.apiTokens
	g.l.apiTokens = &full{Store: store}
	response := g.call("DELETE", "/oauth2/api/tokens/"+id, "")
	var p problem
	g.document(response, http.StatusServiceUnavailable, &p)
	if p.Reason != "revoked_not_deleted" || !strings.Contains(p.Detail, "refused from now on") {
		t.Errorf("the answer is %+v", p)
	}
	g.l.apiTokens = store
	for i := 0; i < 3; i++ {
		g.expectStatus("after", g.do(bearer(t, "/app", credential)), http.StatusUnauthorized)
		g.clock.advance(2 * time.Hour)
	}
	list, err := g.l.listTokens(context.Background(), "alice")
	if err != nil || len(list) != 2 {
		t.Errorf("%d tokens, %v, want both still stored: %s", len(list), err, other)
	}
	if got := g.call("DELETE", "/oauth2/api/tokens/"+id, "").StatusCode; got != http.StatusNoContent {
		t.Errorf("again: status %d", got)
	}
}

// A token is refused before its store is asked to delete it: that may take its time.
func TestRevokedBeforeItIsDeleted(t *testing.T) {
	g := tokenRig(t, nil)
	id, credential := g.give(nil)
	meanwhile := 0
	store := g.l.apiTokens
	g.l.apiTokens = &slow{Store: store, meanwhile: func() { meanwhile = g.do(bearer(t, "/app", credential)).StatusCode }}
	if err := g.l.revokeToken(context.Background(), "", id); err != nil {
		t.Fatal(err)
	}
	if meanwhile != http.StatusUnauthorized {
		t.Errorf("while it is being deleted: status %d", meanwhile)
	}
}

// Thousands are listed in a few round trips.
func TestThousandsAreListedAtOnce(t *testing.T) {
	server := redistest.Start(t)
	g := newRig(t, func(c *Config) {
		c.Redis.Addresses = []string{server.Addr()}
		c.Redis.Timeout = "20s"
	})
	const n = 550
	for i := 0; i < n; i++ {
		g.give(func(n *NewToken) { n.Note = fmt.Sprint(i) })
	}
	before := g.l.redis.Health().Commands
	list, err := g.l.listTokens(context.Background(), "alice")
	if err != nil || len(list) != n {
		t.Fatalf("%d tokens, %v", len(list), err)
	}
	// For each its record, its last use, and what was made of it: sent together.
	if asked := g.l.redis.Health().Commands - before; asked > 3*n+100 {
		t.Errorf("%d commands for %d tokens", asked, n)
	}
}

// full is a store that nothing can be written to any more.
type full struct{ apitoken.Store }

func (s *full) Delete(_ context.Context, _ string) (apitoken.Token, error) {
	return apitoken.Token{}, fmt.Errorf("delete token: %w: no space left on device", apitoken.ErrUnavailable)
}

// slow is a store in which a deletion takes so long that something happens meanwhile.
type slow struct {
	apitoken.Store
	meanwhile func()
}

func (s *slow) Delete(ctx context.Context, id string) (apitoken.Token, error) {
	s.meanwhile()
	t, err := s.Store.Delete(ctx, id)
	return t, err
}
