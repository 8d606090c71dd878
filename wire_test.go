package latchkey

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// wireV1 is what testdata/wire_v1.json holds: what browsers, services and Redis
// may still have of the first version of each format.
type wireV1 struct {
	SessionCookie  string            `json:"sessionCookie"`
	SessionID      string            `json:"sessionID"`
	FlowState      string            `json:"flowState"`
	FlowCookie     string            `json:"flowCookie"`
	APIToken       string            `json:"apiToken"`
	DelegatedToken string            `json:"delegatedToken"`
	Redis          map[string]string `json:"redis"`
}

func readWireV1(t *testing.T) wireV1 {
	t.Helper()
	content, err := os.ReadFile("testdata/wire_v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var w wireV1
	if err := json.Unmarshal(content, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// ofWireV1 is a replica with the settings that the file was written with, on a
// Redis that has its records.
func ofWireV1(t *testing.T, w wireV1, store string) *Latchkey {
	t.Helper()
	own := resources
	resources = &registry{after: func(_ time.Duration, f func()) { f() }}
	t.Cleanup(func() { resources = own })
	server := redistest.Start(t)
	for key, text := range w.Redis {
		server.Command("SET", key, text)
	}
	c := validConfig()
	c.Provider.ClientID = "portal"
	c.Redis.Addresses = []string{server.Addr()}
	c.Redis.Timeout = "10s"
	c.Session.Store = store
	c.Session.Lifetime = "876000h"
	l, err := newLatchkey(testContext(t), http.NotFoundHandler(), c, "test", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log to be read", func() bool {
		_, err := l.revocations.Check(context.Background(), 1, nil)
		return err == nil
	})
	return l
}

// What the first version wrote is read: nobody is logged out by an upgrade.
func TestWireV1(t *testing.T) {
	w := readWireV1(t)
	l := ofWireV1(t, w, "redis")
	ctx := context.Background()
	s, err := l.openSession(ctx, w.SessionID)
	if err != nil || s.RefreshToken != "refresh" || !strings.HasPrefix(s.IDToken, "eyJhbGciOiJSUzI1NiJ9.") {
		t.Errorf("a session's record: %+v, %v", s, err)
	}
	about, found, err := l.about.Get(ctx, aboutKey(sessionID(w.SessionID)))
	if err != nil || !found || !strings.Contains(string(about), "192.0.2.1") {
		t.Errorf("what is told of a session: %s, %v, %v", about, found, err)
	}
	if v, err := l.verifyAPIToken(ctx, w.APIToken); err != nil || !strings.Contains(v.identity.Claims, "alice") {
		t.Errorf("an API token: %v", err)
	}
	if v, err := l.verifyDelegated(ctx, w.DelegatedToken); err != nil || !strings.Contains(v.identity.Claims, "alice") || !l.isDelegated(w.DelegatedToken) {
		t.Errorf("a delegated token: %v", err)
	}
	if result, err := l.otherReplicas().result(ctx, "golden"); err != nil || result == nil || result.RefreshToken != "next" {
		t.Errorf("a grant's result: %+v, %v", result, err)
	}
	r := navigate(t, "/oauth2/callback")
	r.AddCookie(&http.Cookie{Name: l.flowPrefix() + w.FlowState, Value: w.FlowCookie})
	if f, err := l.takeFlow(httptest.NewRecorder(), r, w.FlowState); err != nil || f.Verifier != "verifier" || f.Return != "https://app.example.com/app" {
		t.Errorf("a login under way: %+v, %v", f, err)
	}
	cookies := ofWireV1(t, w, "cookie")
	r = navigate(t, "/app")
	r.AddCookie(&http.Cookie{Name: cookies.set.cookie.Name, Value: w.SessionCookie})
	s, err = cookies.openSession(ctx, cookies.cookieValue(r))
	if err != nil || s.RefreshToken != "refresh" || s.ID != sessionID(w.SessionID) {
		t.Errorf("a session's cookie: %+v, %v", s, err)
	}
}
