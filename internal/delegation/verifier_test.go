package delegation

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// A delegated token is a bearer token at other routers: the verifier of those
// takes what a Signer signs, by the keys that it publishes.
func TestBearerTokenOfOurOwn(t *testing.T) {
	const issuer = "https://app.example.com/oauth2"
	now := time.Unix(1700000000, 0)
	s := signer(t, newSecret)
	p := oidc.NewProvider(oidc.Config{
		Issuer: issuer,
		Now:    func() time.Time { return now },
		Keys: func() (map[string]interface{}, error) {
			set := s.JWKS()
			return set, nil
		},
	})
	want := oidc.AccessToken{Audiences: []string{"tap"}, Algorithms: []string{"ES256"}, Types: []string{"at+jwt"}}
	claims := func(changes object) object {
		claims := object{"iss": issuer, "sub": "alice", "aud": "tap", "iat": now.Unix(), "exp": now.Unix() + 300, "jti": "1", "scope": "read:tap"}
		for name, v := range changes {
			claims[name] = v
		}
		return claims
	}
	raw := sign(t, s, claims(nil))
	found, err := p.VerifyAccessToken(context.Background(), raw, want)
	if err != nil {
		t.Fatal(err)
	}
	if found["sub"] != "alice" || found["scope"] != "read:tap" || found["exp"] != 1700000300.0 {
		t.Errorf("found claims %v", found)
	}

	for _, c := range []struct{ name, raw, says string }{
		{"another service's", sign(t, s, claims(object{"aud": "portal"})), "aud"},
		{"another issuer's", sign(t, s, claims(object{"iss": issuer + "2"})), "iss"},
		{"run out", sign(t, s, claims(object{"exp": now.Unix() - 60})), "exp"},
		{"another secret's", sign(t, signer(t, wrongSecret), claims(nil)), "kid"},
		{"our header over another's signature", raw[:strings.Index(raw, ".")] + "." + strings.SplitN(sign(t, signer(t, wrongSecret), claims(nil)), ".", 2)[1], "signature"},
	} {
		t.Run("deny "+c.name, func(t *testing.T) {
			_, err := p.VerifyAccessToken(context.Background(), c.raw, want)
			if !errors.Is(err, oidc.ErrToken) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("found error %v, wanted an ErrToken with %q", err, c.says)
			}
		})
	}

	// The secret is rotated: the new one's token shows it, both are good.
	s = signer(t, wrongSecret, newSecret)
	now = now.Add(10 * time.Second)
	for _, raw := range []string{sign(t, s, claims(nil)), raw} {
		if _, err := p.VerifyAccessToken(context.Background(), raw, want); err != nil {
			t.Error(err)
		}
	}
}
