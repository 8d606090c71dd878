package latchkey

import (
	"context"
	"errors"
	"testing"
)

// What an operator asks for with the command is done, or they are told why not.
func TestAdminIsTold(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		command string // that Redis refuses
		do      func(a *Admin, s *storing) error
	}{
		"tokens":       {"zscan", func(a *Admin, s *storing) error { _, err := a.Tokens(ctx, "alice"); return err }},
		"all tokens":   {"zscan", func(a *Admin, s *storing) error { _, err := a.Tokens(ctx, ""); return err }},
		"create":       {"zadd", func(a *Admin, s *storing) error { _, _, err := a.CreateToken(ctx, NewToken{Owner: "bob"}); return err }},
		"rotate":       {"set", func(a *Admin, s *storing) error { _, _, err := a.RotateToken(ctx, s.owned, 0); return err }},
		"revoke":       {"del", func(a *Admin, s *storing) error { return a.RevokeToken(ctx, s.owned) }},
		"sessions":     {"zrangebyscore", func(a *Admin, s *storing) error { _, err := a.Sessions(ctx, "alice"); return err }},
		"end one":      {"zrangebyscore", func(a *Admin, s *storing) error { return a.EndSession(ctx, "alice", s.sessionID()) }},
		"end one, log": {"xadd", func(a *Admin, s *storing) error { return a.EndSession(ctx, "alice", s.sessionID()) }},
		"end many":     {"zrangebyscore", func(a *Admin, s *storing) error { _, err := a.EndSessions(ctx, "alice", ""); return err }},
		"end user":     {"zrangebyscore", func(a *Admin, s *storing) error { _, _, err := a.EndUser(ctx, "alice"); return err }},
		"end user, log": {"xadd", func(a *Admin, s *storing) error {
			_, _, err := a.EndUser(ctx, "alice")
			return err
		}},
		"end user, tokens": {"zscan", func(a *Admin, s *storing) error { _, _, err := a.EndUser(ctx, "alice"); return err }},
	} {
		s := newStoring(t, nil)
		a := &Admin{l: s.l}
		s.refusing(c.command, func() {
			if err := c.do(a, s); !errors.Is(err, ErrStoreAway) {
				t.Errorf("%s without %s: %v, want ErrStoreAway", name, c.command, err)
			}
		})
		if err := c.do(a, s); err != nil && c.command != "xadd" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is not there cannot be changed or ended.
func TestAdminFindsNothing(t *testing.T) {
	s := newStoring(t, nil)
	a := &Admin{l: s.l}
	ctx := context.Background()
	none := "0123456789abcdef"
	if _, _, err := a.RotateToken(ctx, none, 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("rotate: %v", err)
	}
	if err := a.RevokeToken(ctx, none); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoke: %v", err)
	}
	if err := a.EndSession(ctx, "bob", s.sessionID()); !errors.Is(err, ErrNotFound) {
		t.Errorf("end a session of somebody else: %v", err)
	}
	if n, err := a.EndSessions(ctx, "bob", ""); n != 0 || err != nil {
		t.Errorf("end the sessions of somebody without: %d, %v", n, err)
	}
	sessions, tokens, err := a.EndUser(ctx, "bob")
	if sessions != 0 || tokens != 0 || err != nil {
		t.Errorf("end somebody without anything: %d, %d, %v", sessions, tokens, err)
	}
	if got := s.status("session"); got != 200 {
		t.Errorf("alice's session: status %d", got)
	}
	sessions, tokens, err = a.EndUser(ctx, "alice")
	if sessions != 1 || tokens != 1 || err != nil {
		t.Errorf("end alice: %d sessions, %d tokens, %v, want one of each", sessions, tokens, err)
	}
	if session, key := s.status("session"), s.status("key"); session != 401 || key != 401 {
		t.Errorf("alice ended: her session gets %d, her token %d", session, key)
	}
}

func TestNewAdminChecksTheSettings(t *testing.T) {
	c := validConfig()
	c.Secret = nil
	if a, err := NewAdmin(testContext(t), c, "test"); err == nil || a != nil {
		t.Errorf("without a secret: %v, %v", a, err)
	}
	if a, err := NewAdmin(testContext(t), validConfig(), "test"); err != nil || a == nil {
		t.Errorf("as it should be: %v, %v", a, err)
	}
}
