package oidctest

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/oidc"
)

func newClient(p *Provider) *oauth2.Client {
	return &oauth2.Client{ID: ClientID, Secret: func() (string, error) { return ClientSecret, nil }, HTTPClient: p.Client()}
}

func refresh(p *Provider, refreshToken string) (*oauth2.Tokens, error) {
	tokens, err := newClient(p).Refresh(context.Background(), oauth2.Endpoint{URL: p.Issuer() + Token}, refreshToken)
	if err != nil {
		return nil, err
	}
	return tokens, nil
}

func mustRefresh(t *testing.T, p *Provider, refreshToken string) *oauth2.Tokens {
	t.Helper()
	tokens, err := refresh(p, refreshToken)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func wantDead(t *testing.T, p *Provider, refreshToken string) {
	t.Helper()
	if _, err := refresh(p, refreshToken); !errors.Is(err, oauth2.ErrInvalidGrant) {
		t.Errorf("found error %v, wanted %v", err, oauth2.ErrInvalidGrant)
	}
}

func TestRefreshTokensOnlyWhenTold(t *testing.T) {
	p := New(t)
	if tokens, _ := login(t, p); tokens.RefreshToken != "" {
		t.Errorf("found %+v", tokens)
	}
	wantDead(t, p, "")
	wantDead(t, p, "made-up")
	if n := p.Grants(); n != 0 {
		t.Errorf("found %d grants", n)
	}
}

func TestRotation(t *testing.T) {
	p := New(t)
	p.Set(func(b *Behavior) { b.RefreshTokens = true })
	first, _ := login(t, p)
	other, _ := login(t, p)
	second := mustRefresh(t, p, first.RefreshToken)
	third := mustRefresh(t, p, second.RefreshToken)
	if n := p.Grants(); n != 2 {
		t.Errorf("found %d grants, wanted 2", n)
	}
	wantDead(t, p, first.RefreshToken)
	wantDead(t, p, third.RefreshToken)
	mustRefresh(t, p, other.RefreshToken)
	if n := p.Grants(); n != 3 {
		t.Errorf("found %d grants, wanted 3", n)
	}
}

func TestKeepRefreshToken(t *testing.T) {
	p := New(t)
	p.Set(func(b *Behavior) {
		b.RefreshTokens = true
		b.KeepRefreshToken = true
	})
	first, _ := login(t, p)
	for i := 0; i < 2; i++ {
		if tokens := mustRefresh(t, p, first.RefreshToken); tokens.RefreshToken != "" {
			t.Errorf("found %+v", tokens)
		}
	}
}

// A refreshed ID token is good for a caller that compares sub, and has what the
// login's had but the nonce (OIDC Core, 12.2).
func TestRefreshedIDToken(t *testing.T) {
	p := New(t)
	now := time.Unix(1700000000, 0)
	p.Set(func(b *Behavior) {
		b.Now = func() time.Time { return now }
		b.RefreshTokens = true
		b.SessionIDs = true
	})
	verifier := oidc.NewProvider(oidc.Config{Issuer: p.Issuer(), HTTPClient: p.Client(), Now: func() time.Time { return now }})
	verify := func(tokens *oauth2.Tokens, nonce string) map[string]interface{} {
		t.Helper()
		claims, err := verifier.VerifyIDToken(context.Background(), tokens.IDToken,
			oidc.IDToken{ClientID: ClientID, Nonce: nonce, AccessToken: tokens.AccessToken})
		if err != nil {
			t.Fatal(err)
		}
		return claims
	}
	first, _ := login(t, p)
	old := verify(first, longEnough)
	other, _ := login(t, p)
	if sid := verify(other, longEnough)["sid"]; old["sid"] == nil || sid == old["sid"] {
		t.Errorf("found sid %v and %v", old["sid"], sid)
	}

	now = now.Add(time.Hour)
	second := mustRefresh(t, p, first.RefreshToken)
	claims := verify(second, "")
	if claims["sub"] != Subject || claims["sid"] != old["sid"] || claims["groups"] == nil || claims["iat"] == old["iat"] {
		t.Errorf("found %v after %v", claims, old)
	}
	if _, present := claims["nonce"]; present || claims["at_hash"] == old["at_hash"] {
		t.Errorf("found %v after %v", claims, old)
	}

	p.Set(func(b *Behavior) {
		b.IDTokenClaims = object{"sub": "bob", "email": "bob@example.com"}
		b.RefreshClaims = object{"sub": "mallory", "groups": nil}
		b.SessionIDs = false
	})
	third := mustRefresh(t, p, second.RefreshToken)
	claims = verify(third, "")
	if claims["sub"] != "mallory" || claims["email"] != "bob@example.com" || claims["groups"] != nil || claims["sid"] != nil {
		t.Errorf("found %v", claims)
	}
	p.Set(func(b *Behavior) { b.OmitRefreshedIDToken = true })
	if fourth := mustRefresh(t, p, third.RefreshToken); fourth.IDToken != "" {
		t.Errorf("found %+v", fourth)
	}
}

func TestExpiresIn(t *testing.T) {
	p := New(t)
	now := time.Unix(1700000000, 0)
	p.Set(func(b *Behavior) {
		b.Now = func() time.Time { return now }
		b.RefreshTokens = true
		b.ExpiresIn = 60
	})
	first, _ := login(t, p)
	for _, tokens := range []*oauth2.Tokens{first, mustRefresh(t, p, first.RefreshToken)} {
		claims, err := oidc.Unverified(tokens.AccessToken)
		if err != nil || tokens.ExpiresIn != 60 || claims["exp"] != 1700000060.0 {
			t.Errorf("found %d, %v, %v", tokens.ExpiresIn, claims, err)
		}
	}
}

func TestRevocation(t *testing.T) {
	p := New(t)
	p.Set(func(b *Behavior) { b.RefreshTokens = true })
	revoke := func(token string) error {
		return newClient(p).Revoke(context.Background(), oauth2.Endpoint{URL: p.Issuer() + Revocation}, token, "refresh_token")
	}
	first, _ := login(t, p)
	other, _ := login(t, p)
	second := mustRefresh(t, p, first.RefreshToken)
	if err := revoke("made-up"); err != nil {
		t.Error(err)
	}
	if err := revoke(""); !errors.Is(err, oauth2.ErrRejected) {
		t.Errorf("no token: found error %v", err)
	}
	resp, err := p.Client().PostForm(p.Issuer()+Revocation, url.Values{"token": {second.RefreshToken}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("without the client's secret: found status %d, wanted 401", resp.StatusCode)
	}
	second = mustRefresh(t, p, second.RefreshToken)
	if err = revoke(first.RefreshToken); err != nil {
		t.Error(err)
	}
	wantDead(t, p, second.RefreshToken)
	mustRefresh(t, p, other.RefreshToken)
}

// A client that gives up waiting does not take the grant back: the provider has
// rotated, and the new token is lost.
func TestHeldRefresh(t *testing.T) {
	p := New(t)
	p.Set(func(b *Behavior) { b.RefreshTokens = true })
	first, _ := login(t, p)
	arrived, release := p.Hold(Token)
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() {
		_, err := newClient(p).Refresh(ctx, oauth2.Endpoint{URL: p.Issuer() + Token}, first.RefreshToken)
		left <- err
	}()
	<-arrived
	if n := p.Grants(); n != 0 {
		t.Errorf("held, with %d grants", n)
	}
	cancel()
	if err := <-left; !errors.Is(err, oauth2.ErrUnavailable) {
		t.Errorf("found error %v", err)
	}
	release()
	deadline := time.Now().Add(10 * time.Second)
	for p.Grants() != 1 {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for the grant")
		}
		time.Sleep(time.Millisecond)
	}
	wantDead(t, p, first.RefreshToken)
}

func TestLogoutToken(t *testing.T) {
	p := New(t)
	verifier := oidc.NewProvider(oidc.Config{Issuer: p.Issuer(), HTTPClient: p.Client()})
	seen := map[string]bool{}
	for i := 0; i < 2; i++ {
		token, err := verifier.VerifyLogoutToken(context.Background(), p.LogoutToken(object{"sid": "s"}), ClientID)
		if err != nil {
			t.Fatal(err)
		}
		if token.Subject != Subject || token.SessionID != "s" || seen[token.ID] {
			t.Errorf("found %+v", token)
		}
		seen[token.ID] = true
	}
	if _, err := verifier.VerifyLogoutToken(context.Background(), p.LogoutToken(object{"events": nil}), ClientID); !errors.Is(err, oidc.ErrToken) {
		t.Errorf("without events: found error %v", err)
	}
}
