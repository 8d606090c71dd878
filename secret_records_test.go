package latchkey

import (
	"context"
	"errors"
	"net/http"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

const wrongSecret = "4fJ8sZq1Wc7Yb2Nx5Kt9Rv3Mh6Ld0Pg8"

// texts are all that Redis has under the prefix, but for what a process writes for
// itself.
func (p *pair) texts() string {
	p.t.Helper()
	all := ""
	keys := p.keys("")
	sort.Strings(keys)
	for _, key := range keys {
		if p.server.Command("TYPE", key) == "string" {
			all += key + "=" + p.server.Command("GET", key) + "\n"
		}
	}
	return all
}

// A replica whose secret is another serves nobody, changes nothing, and the others
// go on.
func TestReplicaWithAnotherSecret(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	info, credential, err := p.l.createToken(context.Background(), NewToken{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.l.otherReplicas().share("grant", &granted{AccessToken: "a", RefreshToken: "r"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	before := p.texts()
	wrong := p.fresh(func(c *Config) { c.Secret = []string{wrongSecret} })
	for i := 0; i < 2; i++ {
		p.at(wrong, "a session", fetch(t, "/app"), http.StatusUnauthorized)
		p.at(wrong, "an API token", bearer(t, "/app", credential), http.StatusUnauthorized)
	}
	if _, err := wrong.otherReplicas().result(context.Background(), "grant"); !errors.Is(err, errGrantFailed) {
		t.Errorf("a grant's result: %v: another grant would spend the token again", err)
	}
	if tokens, err := wrong.listTokens(context.Background(), ""); len(tokens) != 0 || !errors.Is(err, cache.ErrUnreadable) || !errors.Is(err, errStoreAway) {
		t.Errorf("the tokens: %+v, %v", tokens, err)
	}
	sessions, err := wrong.listSessions(context.Background(), "alice")
	if len(sessions) != 1 || !errors.Is(err, cache.ErrUnreadable) || !errors.Is(err, errStoreAway) {
		t.Errorf("the sessions: %+v, %v", sessions, err)
	}
	if _, _, err := wrong.rotateToken(context.Background(), "", info.ID, 0); !errors.Is(err, errStoreAway) {
		t.Errorf("rotated: %v", err)
	}
	if err := wrong.revokeToken(context.Background(), "", info.ID); !errors.Is(err, errStoreAway) {
		t.Errorf("revoked: %v", err)
	}
	if after := p.texts(); after != before {
		t.Errorf("Redis is not as it was:\n%s\nbefore:\n%s", after, before)
	}
	for _, l := range []*Latchkey{p.l, p.other} {
		p.at(l, "a session", fetch(t, "/app"), http.StatusOK)
		p.at(l, "an API token", bearer(t, "/app", credential), http.StatusOK)
	}
	// With the right secret behind the wrong one, at once.
	mended := p.fresh(func(c *Config) { c.Secret = []string{wrongSecret, testSecret} })
	p.at(mended, "a session", fetch(t, "/app"), http.StatusOK)
	p.at(mended, "an API token", bearer(t, "/app", credential), http.StatusOK)
}

// What is refused for its secret is not known to be bad: once the secret is there,
// the token is good at once.
func TestUnknownSecretIsNotRemembered(t *testing.T) {
	p := newPair(t, nil)
	_, credential, err := p.l.createToken(context.Background(), NewToken{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	wrong := p.fresh(func(c *Config) { c.Secret = []string{wrongSecret} })
	p.at(wrong, "before", bearer(t, "/app", credential), http.StatusUnauthorized)
	key := wrong.keyOf(wrong.credential(bearer(t, "/app", credential)))
	if _, bad, _ := wrong.negatives.Get(context.Background(), string(key[:])); bad {
		t.Error("the token is known to be bad")
	}
}

// The page shows what can be read, and everything can be ended.
func TestAccountBesideUnreadable(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	if _, _, err := p.l.createToken(context.Background(), NewToken{Owner: "alice", Note: "theirs"}); err != nil {
		t.Fatal(err)
	}
	wrong := p.fresh(func(c *Config) { c.Secret = []string{wrongSecret} })
	was := p.l
	p.l = wrong
	p.swap(nil)
	p.login("/app", nil)
	if _, _, err := wrong.createToken(context.Background(), NewToken{Owner: "alice", Note: "ours"}); err != nil {
		t.Fatal(err)
	}
	page := body(t, p.doAt(wrong, navigate(t, "/oauth2/account")))
	if !strings.Contains(page, "ours") || strings.Contains(page, "theirs") {
		t.Errorf("the page: %s", page)
	}
	if ended, err := wrong.endSessionsOf(context.Background(), "alice", ""); ended != 2 || err != nil {
		t.Errorf("ended %d, %v", ended, err)
	}
	if _, tokens, err := wrong.endUser(context.Background(), "alice"); tokens != 1 || !errors.Is(err, cache.ErrUnreadable) {
		t.Errorf("ended %d tokens, %v", tokens, err)
	}
	p.l = was
}

// A session that another replica has refreshed, with a secret that is not known
// here, is not refreshed with the copy that is in memory: its token is spent.
func TestNoRefreshBesideUnreadable(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	p.at(p.l, "here", fetch(t, "/app"), http.StatusOK)
	record := p.record()
	wrong := p.fresh(func(c *Config) { c.Secret = []string{wrongSecret} })
	foreign := cache.NewRedis(p.l.redis, "", func() *seal.Ring { return wrong.ring() })
	if err := foreign.Set(context.Background(), record, []byte("theirs"), time.Hour); err != nil {
		t.Fatal(err)
	}
	grants := p.provider.Grants()
	p.clock.advance(295 * time.Second)
	p.do(fetch(t, "/app"))
	if got := p.provider.Grants(); got != grants {
		t.Errorf("%d grants, want none", got-grants)
	}
}
