package harness

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
)

// A refresh token is good for one grant, and of many at once one succeeds. What the tests about refresh show rests on it.
func TestRefreshTokensRotate(t *testing.T) {
	p, first := loggedIn(t, ProviderOptions{AccessTokenLifetime: 7 * time.Second})
	if first.ExpiresIn < 5 || first.ExpiresIn > 7 {
		t.Errorf("expires_in is %d, want about 7", first.ExpiresIn)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { _, _ = p.Refresh(t.Context(), first.RefreshToken) })
	}
	all.Wait()
	if g := p.Grants(); g.Succeeded != 1 || g.Refused != 19 {
		t.Errorf("%d grants of one refresh token succeeded, and %d were refused, want 1 and 19", g.Succeeded, g.Refused)
	}

	_, second := loggedInAt(t, p)
	third, err := p.Refresh(t.Context(), second.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if third.RefreshToken == second.RefreshToken || third.AccessToken == "" || third.IDToken == "" {
		t.Errorf("the grant gave %+v, want three new tokens", third)
	}
	sid := claim(t, second.IDToken, "sid")
	if got := claim(t, third.IDToken, "sid"); got != sid || sid == "" || sid == claim(t, first.IDToken, "sid") {
		t.Errorf("sid is %q after the refresh and %q before, want the same, and another for each login", got, sid)
	}
	p.Forget(sid)
	if _, err := p.Refresh(t.Context(), third.RefreshToken); err == nil {
		t.Error("a forgotten refresh token was accepted")
	}
}

// A client that does not wait for a slow answer has used up its refresh token.
func TestSlowTokens(t *testing.T) {
	p, tokens := loggedIn(t, ProviderOptions{})
	p.SlowTokens(500 * time.Millisecond)
	began := time.Now()
	if _, err := p.Refresh(t.Context(), tokens.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("the answer came after %v, want 500 ms at least", took)
	}
	for _, trouble := range []func(){func() { p.FailTokens(500) }, p.Stop} {
		trouble()
		if _, err := p.Refresh(t.Context(), tokens.RefreshToken); err == nil {
			t.Error("a grant succeeded, want an error")
		}
	}
	if g := p.Grants(); g.Succeeded != 1 || g.Refused != 0 || g.MostInFlight != 1 {
		t.Errorf("grants are %+v, want 1 that succeeded and none that the provider refused", g)
	}
}

func loggedIn(t *testing.T, options ProviderOptions) (*Provider, Tokens) {
	t.Helper()
	p, err := NewProvider(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return loggedInAt(t, p)
}

func loggedInAt(t *testing.T, p *Provider) (*Provider, Tokens) {
	t.Helper()
	tokens, err := p.Tokens(t.Context(), "user-1")
	if err != nil {
		t.Fatal(err)
	}
	return p, tokens
}

func claim(t *testing.T, token, name string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	value, _ := claims[name].(string)
	return value
}
