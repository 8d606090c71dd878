package latchkey

import (
	"net/http"
	"testing"
	"time"
)

func delegating(c *Config) {
	c.Bearer.Audiences = []string{"query"}
	c.Delegate.Kind, c.Delegate.Service = "internal", "query"
}

// However many requests come first, and to whichever replica, one token is made.
func TestOneDelegatedToken(t *testing.T) {
	p := newPair(t, delegating)
	p.login("/app", nil)
	p.at(p.l, "here", fetch(t, "/app"), http.StatusOK)
	token := p.upstream.Header.Get(delegatedHeader)
	p.at(p.other, "there", fetch(t, "/app"), http.StatusOK)
	if p.upstream.Header.Get(delegatedHeader) != token {
		t.Error("the other replica made another token")
	}
	p.clock.advance(30 * time.Minute)
	quiet(p.l)
	quiet(p.other)
	const each = 100
	here, there := statuses(t, p.l, each, p.jar), statuses(t, p.other, each, p.jar)
	for _, counted := range []map[int]int{<-here, <-there} {
		if counted[http.StatusOK] != each {
			t.Errorf("answers %v", counted)
		}
	}
	if n := p.l.delegations.grants.Load() + p.other.delegations.grants.Load(); n != 2 {
		t.Errorf("%d tokens were made, want 2: one before half of the first one's life, one after", n)
	}
}

// A logout on one replica ends what was made of the session on the other.
func TestDelegatedTokenDiesEverywhere(t *testing.T) {
	p := newPair(t, delegating)
	p.login("/app", nil)
	p.at(p.l, "the session", fetch(t, "/app"), http.StatusOK)
	token := p.upstream.Header.Get(delegatedHeader)
	for _, l := range []*Latchkey{p.l, p.other} {
		p.at(l, "before", bearer(t, "/q", token), http.StatusOK)
	}
	p.doAt(p.l, fetch(t, "/oauth2/logout"))
	p.swap(nil)
	p.at(p.l, "here", bearer(t, "/q", token), http.StatusUnauthorized)
	eventually(t, "the other replica to refuse", func() bool {
		return p.doAt(p.other, bearer(t, "/q", token)).StatusCode == http.StatusUnauthorized
	})
}

// With Redis away each replica signs for itself, for as long as the parent is let
// in at all.
func TestDelegationWithoutRedis(t *testing.T) {
	p := newPair(t, delegating)
	p.login("/app", nil)
	p.at(p.l, "before", fetch(t, "/app"), http.StatusOK)
	token := p.upstream.Header.Get(delegatedHeader)
	p.stop()
	p.at(p.l, "a token that serves", fetch(t, "/app"), http.StatusOK)
	if p.upstream.Header.Get(delegatedHeader) != token {
		t.Error("a token that serves was made anew")
	}
	p.swap(nil)
	p.at(p.l, "the token itself", bearer(t, "/q", token), http.StatusOK)
	if got := p.upstream.Header.Get(delegatedHeader); got == "" || got == token {
		t.Errorf("what was made of it without Redis is %q", got)
	}
}
