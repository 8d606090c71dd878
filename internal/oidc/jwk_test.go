package oidc

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// jwks are the good keys that the tables change: RSA, P-256, P-384, P-521, Ed25519.
func jwks(t *testing.T) []object {
	return oidctest.New(t).PublicKeys()
}

func with(jwk, changes object) object {
	out := object{}
	for name, v := range jwk {
		out[name] = v
	}
	for name, v := range changes {
		out[name] = v
		if v == nil {
			delete(out, name)
		}
	}
	return out
}

func base64Of(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func TestParseJWK(t *testing.T) {
	keys := jwks(t)
	rsa, ec, ed := keys[0], keys[1], keys[4]
	n, _ := base64.RawURLEncoding.DecodeString(rsa["n"].(string))
	even := append([]byte{}, n...)
	even[len(even)-1] &= 0xfe
	for _, c := range []struct {
		name string
		jwk  object
		says string // "": taken
	}{
		{"RSA", rsa, ""},
		{"P-256", ec, ""},
		{"P-384", keys[2], ""},
		{"P-521", keys[3], ""},
		{"Ed25519", ed, ""},
		{"use: none", with(rsa, object{"use": nil}), ""},
		{"use: enc", with(rsa, object{"use": "enc"}), "use"},
		{"use: not a string", with(rsa, object{"use": 1.0}), "use"},
		{"key_ops: verify among others", with(rsa, object{"key_ops": []interface{}{"sign", "verify"}}), ""},
		{"key_ops: encrypt", with(rsa, object{"key_ops": []interface{}{"encrypt"}}), "key_ops"},
		{"key_ops: empty", with(rsa, object{"key_ops": []interface{}{}}), "key_ops"},
		{"key_ops: not a list", with(rsa, object{"key_ops": "verify"}), "key_ops"},
		{"kid: not a string", with(rsa, object{"kid": 7.0}), "kid"},
		{"alg: not a string", with(rsa, object{"alg": 256.0}), "alg"},
		{"kty: oct", object{"kty": "oct", "k": "AAAA"}, "kty"},
		{"kty: none", object{}, "kty"},
		{"kty: case", with(rsa, object{"kty": "rsa"}), "kty"},
		{"RSA of 1024 bits", with(rsa, object{"n": base64Of(append([]byte{0x80}, n[129:]...))}), "1024 bits"},
		{"RSA of 2047 bits", with(rsa, object{"n": base64Of(append([]byte{0x7f}, n[1:]...))}), "2047 bits"},
		{"RSA too long", with(rsa, object{"n": base64Of(append(make([]byte, 0), append([]byte{1}, append(make([]byte, 2047), 1)...)...))}), "16385 bits"},
		{"RSA even", with(rsa, object{"n": base64Of(even)}), "odd"},
		{"RSA without n", with(rsa, object{"n": nil}), "n is not base64url"},
		{"RSA without e", with(rsa, object{"e": nil}), "e is not base64url"},
		{"RSA e 1", with(rsa, object{"e": "AQ"}), "e is not"},
		{"RSA e even", with(rsa, object{"e": "AQAA"}), "e is not"},
		{"RSA e beyond 31 bits", with(rsa, object{"e": "AQAAAAE"}), "e is not"},
		{"RSA n in another base64", with(rsa, object{"n": rsa["n"].(string) + "="}), "n is not"},
		{"EC of another curve", with(ec, object{"crv": "P-384"}), "x, y: found 32 and 32 bytes, wanted 48"},
		{"EC of no curve", with(ec, object{"crv": nil}), "crv"},
		{"EC secp256k1", with(ec, object{"crv": "secp256k1"}), "crv"},
		{"EC off the curve", with(ec, object{"x": ec["y"]}), "not a point"},
		{"EC at infinity", with(ec, object{"x": base64Of(make([]byte, 32)), "y": base64Of(make([]byte, 32))}), "not a point"},
		{"EC with a short x", with(ec, object{"x": "AQ"}), "x, y: found 1 and 32 bytes, wanted 32"},
		{"EC with a short y", with(ec, object{"y": "AQ"}), "x, y: found 32 and 1 bytes, wanted 32"},
		{"EC without x", with(ec, object{"x": nil}), "x is not base64url"},
		{"EC without y", with(ec, object{"y": nil}), "y is not base64url"},
		{"OKP X25519", with(ed, object{"crv": "X25519"}), "crv"},
		{"OKP without x", with(ed, object{"x": nil}), "x is not base64url"},
		{"OKP short", with(ed, object{"x": "AQ"}), "1 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseJWK(c.jwk)
			if c.says == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("found error %v, wanted one with %q", err, c.says)
			}
		})
	}
}

func TestKeyFits(t *testing.T) {
	keys := jwks(t)
	for _, c := range []struct {
		name string
		jwk  object
		fits string
	}{
		{"RSA", keys[0], "RS256 RS384 RS512 PS256 PS384 PS512"},
		{"RSA with a stray crv", with(keys[0], object{"crv": "P-256"}), "RS256 RS384 RS512 PS256 PS384 PS512"},
		{"RSA for PS384", with(keys[0], object{"alg": "PS384"}), "PS384"},
		{"RSA for encryption", with(keys[0], object{"alg": "RSA-OAEP"}), ""},
		{"RSA for HS256", with(keys[0], object{"alg": "HS256"}), ""},
		{"P-256", keys[1], "ES256"},
		{"P-256 for ES384", with(keys[1], object{"alg": "ES384"}), ""},
		{"P-384", keys[2], "ES384"},
		{"P-521", keys[3], "ES512"},
		{"Ed25519", keys[4], "EdDSA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := parseJWK(c.jwk)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, alg := range append([]string{"none", "HS256", ""}, algorithmNames...) {
				if k.fits(alg) {
					found = append(found, alg)
				}
			}
			if got := strings.Join(found, " "); got != c.fits {
				t.Errorf("fits %q, wanted %q", got, c.fits)
			}
		})
	}
}

func TestParseKeySet(t *testing.T) {
	keys := jwks(t)
	list := func(keys ...interface{}) object { return object{"keys": keys} }
	many := make([]interface{}, 0, 150)
	for len(many) < 150 {
		many = append(many, keys[4])
	}
	for _, c := range []struct {
		name string
		set  object
		keys int
		says string
	}{
		{"five kinds", list(keys[0], keys[1], keys[2], keys[3], keys[4]), 5, ""},
		{"bad ones among them", list(object{"kty": "oct"}, keys[0], "a string", nil, keys[1], object{}), 2, ""},
		{"more than a hundred", object{"keys": many}, 100, ""},
		{"only a secret", list(object{"kty": "oct", "kid": "s"}), 0, "no usable key among 1; the last: kty"},
		{"only a string", list("a string"), 0, "not an object"},
		{"empty", list(), 0, "no usable key among 0"},
		{"keys is no list", object{"keys": "x"}, 0, "not a list"},
		{"no keys", object{}, 0, "not a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := parseKeySet(c.set)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("found error %v, wanted one with %q", err, c.says)
				}
				return
			}
			if err != nil || len(s.keys) != c.keys {
				t.Errorf("found %v, %v, wanted %d keys", s, err, c.keys)
			}
		})
	}
}
