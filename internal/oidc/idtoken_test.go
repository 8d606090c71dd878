package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// group "claims" (OIDC Core 3.1.3.7)
func TestVerifyIDToken(t *testing.T) {
	op, p, _ := start(t)
	const client = oidctest.ClientID
	plain, login := IDToken{ClientID: client}, IDToken{ClientID: client, Nonce: "n-0S6"}
	recent := IDToken{ClientID: client, AuthenticatedAfter: 1699999900}
	strong := IDToken{ClientID: client, Contexts: []string{"mfa", "gold"}}
	for _, c := range []struct {
		name   string
		header object
		claims object
		want   IDToken
		says   string // "": allowed
	}{
		{"allow", nil, nil, plain, ""},
		{"allow no typ", object{"typ": nil}, nil, plain, ""},
		{"allow an empty typ", object{"typ": ""}, nil, plain, ""},
		{"allow application/jwt", object{"typ": "application/jwt"}, nil, plain, ""},
		{"deny at+jwt", object{"typ": "at+jwt"}, nil, plain, "typ"},
		{"deny application/at+jwt", object{"typ": "application/at+jwt"}, nil, plain, "typ"},
		{"deny logout+jwt", object{"typ": "logout+jwt"}, nil, plain, "typ"},
		{"deny a typ that is a list", object{"typ": []string{"JWT"}}, nil, plain, "typ"},
		{"deny a logout token without typ", nil, object{"events": object{}}, plain, "events"},
		{"deny HS256", object{"alg": "HS256"}, nil, plain, "alg"},
		{"deny an alg that is not advertised", object{"alg": "RS512"}, nil, plain, "alg"},

		{"allow a list of one audience", nil, object{"aud": []string{client}}, plain, ""},
		{"allow several with our azp", nil, object{"aud": []string{client, "b"}, "azp": client}, plain, ""},
		{"deny several without azp", nil, object{"aud": []string{client, "b"}}, plain, "azp"},
		{"deny several with another's azp", nil, object{"aud": []string{client, "b"}, "azp": "b"}, plain, "azp"},
		{"allow one with our azp", nil, object{"azp": client}, plain, ""},
		{"deny one with another's azp", nil, object{"azp": "b"}, plain, "azp"},
		{"deny an azp that is a list", nil, object{"azp": []string{client}}, plain, "azp"},
		{"deny another's audience", nil, object{"aud": "b"}, plain, "aud"},
		{"deny a substring", nil, object{"aud": client + "2"}, plain, "aud"},
		{"deny no audience", nil, object{"aud": nil}, plain, "aud"},
		{"deny an audience that is a number", nil, object{"aud": 1}, plain, "a string or a list"},
		{"deny where no client is wanted", nil, object{"aud": ""}, IDToken{}, "aud"},

		{"deny no iat", nil, object{"iat": nil}, plain, "iat"},
		{"deny an iat that is a text", nil, object{"iat": "1700000000"}, plain, "iat"},
		{"deny an iat in the future", nil, object{"iat": 1700000061}, plain, "iat"},

		{"allow an auth_time nobody wants", nil, object{"auth_time": 1}, plain, ""},
		{"allow an auth_time after", nil, object{"auth_time": 1699999900}, recent, ""},
		{"allow an auth_time before, by less than the clocks' leeway", nil, object{"auth_time": 1699999840}, recent, ""},
		{"deny an auth_time before", nil, object{"auth_time": 1699999839}, recent, "auth_time"},
		{"deny an auth_time in the future", nil, object{"auth_time": 1700000061}, recent, "auth_time"},
		{"deny an auth_time that is a text", nil, object{"auth_time": "1700000000"}, recent, "auth_time"},
		{"deny an auth_time that is null", nil, object{"auth_time": nil}, recent, "auth_time"},
		{"deny no auth_time", nil, nil, recent, "auth_time"},
		{"allow an acr nobody wants", nil, object{"acr": "0"}, plain, ""},
		{"allow one acr of several", nil, object{"acr": "gold"}, strong, ""},
		{"deny another acr", nil, object{"acr": "0"}, strong, "acr"},
		{"deny an acr that begins alike", nil, object{"acr": "golden"}, strong, "acr"},
		{"deny an empty acr", nil, object{"acr": ""}, IDToken{ClientID: client, Contexts: []string{""}}, "acr"},
		{"deny an acr that is a list", nil, object{"acr": []string{"gold"}}, strong, "acr"},
		{"deny no acr", nil, nil, strong, "acr"},

		{"allow the nonce", nil, object{"nonce": "n-0S6"}, login, ""},
		{"allow a nonce nobody wants", nil, object{"nonce": "x"}, plain, ""},
		{"deny another nonce", nil, object{"nonce": "n-0S7"}, login, "nonce"},
		{"deny no nonce", nil, nil, login, "nonce"},
		{"deny a nonce that is a list", nil, object{"nonce": []string{"n-0S6"}}, login, "nonce"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := op.Sign(c.header, op.Claims(c.claims))
			claims, err := p.VerifyIDToken(context.Background(), raw, c.want)
			wantToken(t, err, c.says, raw)
			if c.says == "" && claims["sub"] != oidctest.Subject {
				t.Errorf("found claims %v", claims)
			}
			if c.says != "" && claims != nil {
				t.Errorf("refused, with claims %v", claims)
			}
		})
	}
}

// What happens before and after the claims are looked at.
func TestVerifyIDTokenSteps(t *testing.T) {
	op, p, _ := start(t)
	verify := func(raw string) error {
		_, err := p.VerifyIDToken(context.Background(), raw, IDToken{ClientID: oidctest.ClientID})
		return err
	}
	good := op.Sign(nil, op.Claims(nil))
	op.Down(true)
	wantToken(t, verify("opaque"), "1 parts", "")
	wantUnavailable(t, verify(good), "discovery")
	op.Down(false)

	op, p, _ = start(t)
	good = op.Sign(nil, op.Claims(nil))
	wantToken(t, verify(good), "", good)
	published := op.PublicKeys()
	op.Set(func(b *oidctest.Behavior) { b.Keys = published })
	op.Rotate()
	forged := op.Sign(object{"kid": "rsa-1"}, op.Claims(nil))
	wantToken(t, verify(forged), "signature", forged)
}

func half(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]) }

// OIDC Core 3.1.3.6
func TestHashes(t *testing.T) {
	op, p, _ := start(t)
	const value = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
	s256, s384, s512 := sha256.Sum256([]byte(value)), sha512.Sum384([]byte(value)), sha512.Sum512([]byte(value))
	for _, c := range []struct {
		alg  string
		hash interface{}
		says string
	}{
		{"RS256", half(s256[:]), ""},
		{"PS256", half(s256[:]), ""},
		{"ES256", half(s256[:]), ""},
		{"ES384", half(s384[:]), ""},
		{"ES512", half(s512[:]), ""},
		{"EdDSA", half(s512[:]), ""},
		{"RS256", half(s512[:]), "_hash"},
		{"EdDSA", half(s256[:]), "_hash"},
		{"RS256", "", "_hash"},
		{"RS256", 1, "_hash"},
		{"RS256", base64.RawURLEncoding.EncodeToString(s256[:]), "_hash"},
	} {
		for _, name := range []string{"at_hash", "c_hash"} {
			t.Run(c.alg+" "+name, func(t *testing.T) {
				raw := op.Sign(object{"alg": c.alg}, op.Claims(object{name: c.hash}))
				want := IDToken{ClientID: oidctest.ClientID, AccessToken: value}
				if name == "c_hash" {
					want = IDToken{ClientID: oidctest.ClientID, Code: value}
				}
				_, err := p.VerifyIDToken(context.Background(), raw, want)
				wantToken(t, err, c.says, raw)

				_, err = p.VerifyIDToken(context.Background(), raw, IDToken{ClientID: oidctest.ClientID})
				wantToken(t, err, "", raw)
			})
		}
	}
	raw := op.Sign(nil, op.Claims(nil))
	_, err := p.VerifyIDToken(context.Background(), raw, IDToken{ClientID: oidctest.ClientID, AccessToken: value, Code: value})
	wantToken(t, err, "", raw)
}

func TestIDTokenAlgorithmsAsAdvertised(t *testing.T) {
	for _, c := range []struct {
		name       string
		advertised interface{}
		alg        string
		says       string
	}{
		{"allow RS256 where none is advertised", nil, "RS256", ""},
		{"deny ES256 there", nil, "ES256", "alg"},
		{"allow ES256 where advertised", []string{"none", "ES256"}, "ES256", ""},
		{"deny RS256 where it is not", []string{"none", "ES256"}, "RS256", "alg"},
		{"deny HS256, though advertised", []string{"HS256", "RS256"}, "HS256", "alg"},
		{"deny HS256, the only one advertised", []string{"HS256"}, "HS256", "alg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op, p, _ := start(t)
			op.Set(func(b *oidctest.Behavior) {
				b.Discovery = object{"id_token_signing_alg_values_supported": c.advertised}
			})
			raw := op.Sign(object{"alg": c.alg}, op.Claims(nil))
			_, err := p.VerifyIDToken(context.Background(), raw, IDToken{ClientID: oidctest.ClientID})
			wantToken(t, err, c.says, raw)
		})
	}
}

func TestUnverified(t *testing.T) {
	op, _, _ := start(t)
	claims, err := Unverified(op.Sign(object{"alg": "HS256", "typ": "JWT"}, op.Claims(nil)))
	if err != nil || claims["sub"] != oidctest.Subject {
		t.Errorf("found %v, %v", claims, err)
	}
}
