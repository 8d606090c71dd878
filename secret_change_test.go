package latchkey

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/delegation"
)

// changing is a replica with these secrets, whose records are sealed anew.
func (p *pair) changing(secrets ...string) *Latchkey {
	p.t.Helper()
	l := p.fresh(func(c *Config) { c.Secret = secrets })
	l.openResealer(testContext(p.t))
	return l
}

// resealed waits until no record is left that one secret seals and another does
// not open.
func (p *pair) resealed(l *Latchkey) {
	p.t.Helper()
	eventually(p.t, "all records to be sealed anew", func() bool {
		ring := l.ring()
		for _, key := range p.keys("") {
			if p.server.Command("TYPE", key) == "string" && ring.Stale(p.server.Command("GET", key)) {
				return false
			}
		}
		return true
	})
}

// The whole change of the secret, with records of all kinds that nobody asks for
// meanwhile: nothing is lost.
func TestSecretChangeLosesNothing(t *testing.T) {
	p := newPair(t, nil)
	var jars []map[string]string
	var credentials []string
	for i := 0; i < 20; i++ {
		p.swap(nil)
		p.login("/app", map[string]interface{}{"sub": "user " + strconv.Itoa(i)})
		jars = append(jars, p.swap(nil))
		_, credential, err := p.l.createToken(context.Background(), NewToken{Owner: "user " + strconv.Itoa(i)})
		if err != nil {
			t.Fatal(err)
		}
		credentials = append(credentials, credential)
	}
	if err := p.l.otherReplicas().share("grant", &granted{AccessToken: "a", RefreshToken: "next"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	p.changing(testSecret, secretB)
	both := p.changing(secretB, testSecret)
	p.resealed(both)
	alone := p.fresh(func(c *Config) { c.Secret = []string{secretB} })
	for i := range jars {
		p.swap(jars[i])
		p.at(alone, "session "+strconv.Itoa(i), fetch(t, "/app"), http.StatusOK)
		p.swap(nil)
		p.at(alone, "API token "+strconv.Itoa(i), bearer(t, "/app", credentials[i]), http.StatusOK)
	}
	if result, err := alone.otherReplicas().result(context.Background(), "grant"); err != nil || result == nil || result.RefreshToken != "next" {
		t.Errorf("a grant's result: %+v, %v", result, err)
	}
	sessions, err := alone.listSessions(context.Background(), "user 7")
	if err != nil || len(sessions) != 1 || sessions[0].Address == "" {
		t.Errorf("what is told of a session: %+v, %v", sessions, err)
	}
}

// What a replica that is behind wrote later is sealed anew when it is read.
func TestStaleRecordHasAllSealedAnew(t *testing.T) {
	p := newPair(t, nil)
	both := p.changing(secretB, testSecret)
	eventually(t, "the first walk", func() bool { return both.set.keys.notes.stale.Load() == 0 })
	p.login("/app", nil)
	p.at(both, "read", fetch(t, "/app"), http.StatusOK)
	eventually(t, "another walk", func() bool {
		p.clock.advance(resealAgain)
		return !both.ring().Stale(p.server.Command("GET", p.record()))
	})
}

// The command reads, and seals nothing anew.
func TestAdminSealsNothingAnew(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	before := p.texts()
	c := *validConfig()
	c.Provider.Issuer = p.provider.Issuer()
	c.Provider.ClientID = p.l.set.clientID
	c.Redis.Addresses = []string{p.server.Addr()}
	c.Redis.Timeout = "10s"
	c.Secret = []string{secretB, testSecret}
	admin, err := NewAdmin(testContext(t), &c, "latchkey")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 3; i++ {
		if list, err := admin.Sessions(context.Background(), "alice"); err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	if after := p.texts(); after != before {
		t.Error("Redis is not as it was")
	}
}

// The log tells of records of an unknown secret, once a minute.
func TestStrangersAreTold(t *testing.T) {
	p := newPair(t, nil)
	wrong := p.fresh(func(c *Config) { c.Secret = []string{wrongSecret} })
	w := &resealer{l: wrong}
	now := p.clock.now()
	w.tell(now)
	if !w.told.IsZero() {
		t.Error("told of nothing")
	}
	p.login("/app", nil)
	p.at(wrong, "read", fetch(t, "/app"), http.StatusUnauthorized)
	for after, want := range map[time.Duration]time.Time{0: now} {
		if w.tell(now.Add(after)); !w.told.Equal(want) {
			t.Errorf("told at %v, want %v", w.told, want)
		}
	}
	wrong.set.keys.notes.strangers.Add(1)
	if w.tell(now.Add(toldEvery - 1)); !w.told.Equal(now) {
		t.Error("told twice within a minute")
	}
	if w.tell(now.Add(toldEvery)); !w.told.Equal(now.Add(toldEvery)) || wrong.set.keys.notes.strangers.Load() != 0 {
		t.Error("not told again")
	}
}

// A file may be replaced without a reload: what this process knows outlives one.
func TestReplacedSecretFileAndReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	write := func(value string) {
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(testSecret)
	g := newRig(t, func(c *Config) { c.Secret = []string{"file:" + path} })
	g.login("/app", nil)
	first := g.l.set.keys
	write(secretB)
	after := g.router(func(c *Config) { c.Secret = []string{"file:" + path} })
	if after.set.keys != first {
		t.Error("a reload begins anew with the secret")
	}
	g.expectStatus("just replaced", g.doAt(after, fetch(t, "/app")), http.StatusOK)
	g.clock.advance(12 * time.Second)
	g.expectStatus("the new one seals", g.doAt(after, fetch(t, "/app")), http.StatusOK)
	g.clock.advance(passingFor + 61*time.Second)
	g.expectStatus("the old one is gone", g.doAt(after, fetch(t, "/app")), http.StatusUnauthorized)
}

// In memory too a session is of one secret and one cookie, and outlives the change
// of the secret.
func TestMemorySessionsOfOthers(t *testing.T) {
	inMemory := func(change func(*Config)) func(*Config) {
		return func(c *Config) {
			c.Session.Store = "memory"
			if change != nil {
				change(c)
			}
		}
	}
	g := newRig(t, inMemory(nil))
	g.login("/app", nil)
	id := g.jar[g.l.set.cookie.Name]
	for what, c := range map[string]struct {
		change func(*Config)
		want   int
	}{
		"the same":           {nil, http.StatusOK},
		"another secret":     {func(c *Config) { c.Secret = []string{secretB} }, http.StatusUnauthorized},
		"another one first":  {func(c *Config) { c.Secret = []string{secretB, testSecret} }, http.StatusOK},
		"another one behind": {func(c *Config) { c.Secret = []string{testSecret, secretB} }, http.StatusOK},
		"another cookie":     {func(c *Config) { c.Session.Cookie.Name = "other" }, http.StatusUnauthorized},
		"another client":     {func(c *Config) { c.Provider.ClientID = "other" }, http.StatusUnauthorized},
	} {
		l := g.router(inMemory(c.change))
		g.jar = map[string]string{l.set.cookie.Name: id}
		g.expectStatus(what, g.doAt(l, fetch(t, "/app")), c.want)
	}
}

// In Redis too a session is of one cookie.
func TestRedisSessionsOfAnotherCookie(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	id := p.jar[p.l.set.cookie.Name]
	other := p.fresh(func(c *Config) { c.Session.Cookie.Name = "other" })
	p.swap(map[string]string{other.set.cookie.Name: id})
	p.at(other, "another cookie", fetch(t, "/app"), http.StatusUnauthorized)
}

// Once another secret signs, tokens are made anew: those of before end with theirs.
func TestDelegatedTokensOfTheNextSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	write := func(value string) {
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(testSecret)
	h := newChain(t, func(c *Config) { c.Secret = []string{"file:" + path} })
	h.login("/app", nil)
	first := h.at(h.portal, "before", fetch(t, "/app"), http.StatusOK)
	parent := delegation.Parent{ID: "a"}
	shared := h.portal.delegationKey(parent)
	h.clock.advance(time.Hour / 10)
	write(secretB)
	for _, l := range []*Latchkey{h.portal, h.query} {
		l.set.keys.secrets[0].look()
	}
	kid := strings.SplitN(first, ".", 2)[0]
	same := h.at(h.portal, "at once", fetch(t, "/app"), http.StatusOK)
	if strings.SplitN(same, ".", 2)[0] != kid {
		t.Error("the new secret signs at once")
	}
	h.at(h.query, "of the secret before", bearer(t, "/q", same), http.StatusOK)
	h.portal.set.keys.at(h.clock.now())
	h.clock.advance(15 * time.Second)
	h.portal.set.keys.at(h.clock.now())
	v := h.portal
	next := ""
	eventually(t, "a token of the next secret", func() bool {
		h.clock.advance(10 * time.Second)
		next = h.at(v, "later", withSession(h, t), http.StatusOK)
		return strings.SplitN(next, ".", 2)[0] != kid
	})
	h.at(h.query, "of the next secret", bearer(t, "/q", next), http.StatusOK)
	if h.portal.delegationKey(parent) == shared {
		t.Error("what was made with the secret before may be shared with who asks now")
	}
}

func withSession(h *chain, t *testing.T) *http.Request {
	h.swap(nil)
	h.login("/app", nil)
	return fetch(t, "/app")
}
