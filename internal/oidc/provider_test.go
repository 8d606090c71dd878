package oidc

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

func TestNoConnectionUntilAsked(t *testing.T) {
	op, p, _ := start(t)
	if h := p.Health(); h.Discovered || h.Keys != 0 || h.FetchedAt != "" || h.LastError != "" {
		t.Errorf("found %+v", h)
	}
	if n := op.Hits(oidctest.Discovery) + op.Hits(oidctest.JWKS); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestHealthAsJSON(t *testing.T) {
	op, p, c := start(t)
	raw := op.AccessToken(nil)
	wantToken(t, access(p, raw), "", raw)
	health := func() string {
		b, err := json.Marshal(p.Health())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := `{"issuer":"` + op.Issuer() + `","discovered":true,"keys":5,"fetchedAt":"2023-11-14T22:13:20Z"}`
	if got := health(); got != want {
		t.Errorf("found %s, wanted %s", got, want)
	}

	c.move(unknownKidPause)
	wantToken(t, access(p, op.Sign(at(object{"kid": "new"}), accessClaims(op, nil))), "new", "")
	if h := p.Health(); h.FetchedAt != "2023-11-14T22:13:30Z" {
		t.Errorf("found %+v, wanted the later fetch", h)
	}
	op.Down(true)
	c.move(unknownKidPause)
	wantUnavailable(t, access(p, op.Sign(at(object{"kid": "new"}), accessClaims(op, nil))), "503")
	if h := p.Health(); h.LastError != "unreachable" || h.FetchedAt != "2023-11-14T22:13:30Z" {
		t.Errorf("found %+v", h)
	}
	op.Down(false)

	op.Handle(oidctest.Discovery, oidctest.Endless)
	c.move(retry)
	_, err := p.Reach(background)
	wantUnavailable(t, err, "more than")
	if h := p.Health(); h.LastError != "invalid_document" {
		t.Errorf("found %+v", h)
	}
}

func TestLogsChangesOnly(t *testing.T) {
	op, _, c := start(t)
	var lines bytes.Buffer
	p := NewProvider(Config{Issuer: op.Issuer(), HTTPClient: op.Client(), Now: c.now, Log: slog.New(slog.NewTextHandler(&lines, nil))})
	for _, down := range []bool{false, false, true, true, true, false, false} {
		op.Down(down)
		c.move(reachAge)
		_, _ = p.Reach(background)
	}
	failed, again := strings.Count(lines.String(), "fetch failed"), strings.Count(lines.String(), "answers again")
	if failed != 1 || again != 1 || strings.Count(lines.String(), "\n") != 2 {
		t.Errorf("found %s", lines.String())
	}
}

func TestManyAtOnce(t *testing.T) {
	op, p, c := start(t)
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for round := 0; round < 10; round++ {
				_ = access(p, op.AccessToken(nil))
				_ = access(p, op.Sign(at(object{"kid": "new"}), accessClaims(op, nil)))
				_, _ = p.Reach(background)
				_ = p.Health()
				if i == 0 {
					c.move(time.Minute)
				}
			}
		}(i)
	}
	wg.Wait()
	raw := op.AccessToken(nil)
	wantToken(t, access(p, raw), "", raw)
}
