package delegation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

type object = map[string]interface{}

func signer(t *testing.T, secrets ...string) *Signer {
	t.Helper()
	s, err := NewSigner(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t *testing.T, s *Signer, claims object) string {
	t.Helper()
	raw, err := s.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// published is the JWK Set as somebody else reads it.
func published(t *testing.T, s *Signer) []object {
	t.Helper()
	text, err := json.Marshal(s.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []object }
	if err = json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	return set.Keys
}

func coordinate(t *testing.T, jwk object, name string) *big.Int {
	t.Helper()
	text, _ := jwk[name].(string)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 32 {
		t.Fatalf("%s: found %d bytes, %v", name, len(b), err)
	}
	return new(big.Int).SetBytes(b)
}

// verify checks a token with golang-jwt as a service behind would, against the
// keys that s publishes.
func verify(t *testing.T, s *Signer, raw string) (*jwt.Token, error) {
	t.Helper()
	keys := map[string]*ecdsa.PublicKey{}
	for _, jwk := range published(t, s) {
		kid, _ := jwk["kid"].(string)
		keys[kid] = &ecdsa.PublicKey{Curve: elliptic.P256(), X: coordinate(t, jwk, "x"), Y: coordinate(t, jwk, "y")}
	}
	return jwt.Parse(raw, func(token *jwt.Token) (interface{}, error) {
		kid, _ := token.Header["kid"].(string)
		key := keys[kid]
		if key == nil {
			return nil, errors.New("no such kid")
		}
		return key, nil
	}, jwt.WithValidMethods([]string{"ES256"}), jwt.WithoutClaimsValidation())
}

func TestSign(t *testing.T) {
	s := signer(t, newSecret)
	claims := object{
		"iss": "https://app.example.com/oauth2", "sub": "alice", "aud": "tap", "exp": int64(1700000300),
		"scope": "read:tap", "act": object{"sub": "portal"},
	}
	raw := sign(t, s, claims)
	token, err := verify(t, s, raw)
	if err != nil {
		t.Fatal(err)
	}
	if want := (object{"alg": "ES256", "typ": "at+jwt", "kid": s.keys[0].kid}); !reflect.DeepEqual(token.Header, want) {
		t.Errorf("found header %v, wanted %v", token.Header, want)
	}
	// What comes out, and no more than went in.
	found, _ := json.Marshal(token.Claims)
	want, _ := json.Marshal(claims)
	if string(found) != string(want) {
		t.Errorf("found claims %s, wanted %s", found, want)
	}
	header := raw[:strings.Index(raw, ".")]
	if again := sign(t, s, object{"sub": "bob"}); !strings.HasPrefix(again, header+".") {
		t.Errorf("found the headers %q and %q of one key", header, again)
	}
}

func TestSignatures(t *testing.T) {
	both := signer(t, newSecret, oldSecret)
	byNew := sign(t, both, object{"sub": "alice"})
	byOld := sign(t, signer(t, oldSecret), object{"sub": "alice"})
	byWrong := sign(t, signer(t, wrongSecret), object{"sub": "alice"})
	parts := strings.Split(byNew, ".")
	other := strings.Split(sign(t, both, object{"sub": "mallory"}), ".")
	for _, c := range []struct {
		name string
		s    *Signer
		raw  string
		good bool
	}{
		{"allow the first secret's", both, byNew, true},
		{"allow what was signed before the rotation", both, byOld, true},
		{"allow where there is only the secret that signs", signer(t, newSecret), byNew, true},
		{"allow where the secret has come to stand second", signer(t, wrongSecret, newSecret), byNew, true},
		{"deny the first secret's where it is not known", signer(t, oldSecret), byNew, false},
		{"deny the old one's once it has gone", signer(t, newSecret), byOld, false},
		{"deny another secret's", both, byWrong, false},
		{"deny other claims under the signature", both, parts[0] + "." + other[1] + "." + parts[2], false},
		{"deny our header over another's signature", both, parts[0] + "." + strings.SplitN(byWrong, ".", 2)[1], false},
		{"deny no signature", both, parts[0] + "." + parts[1] + ".", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := verify(t, c.s, c.raw); (err == nil) != c.good {
				t.Errorf("found error %v, wanted good = %v", err, c.good)
			}
		})
	}
}

func TestReplicasAgree(t *testing.T) {
	one, two := signer(t, newSecret, oldSecret), signer(t, newSecret, oldSecret)
	if !reflect.DeepEqual(one.JWKS(), two.JWKS()) {
		t.Errorf("found %v and %v", one.JWKS(), two.JWKS())
	}
	if _, err := verify(t, two, sign(t, one, object{"sub": "alice"})); err != nil {
		t.Error(err)
	}
	other := signer(t, wrongSecret)
	if other.keys[0].kid == one.keys[0].kid || one.keys[0].kid == one.keys[1].kid {
		t.Errorf("two secrets share a kid")
	}
}

// Public parts alone, and in the types that encoding/json decodes to.
func TestJWKS(t *testing.T) {
	s := signer(t, newSecret, oldSecret)
	set := s.JWKS()
	keys, ok := set["keys"].([]interface{})
	if !ok || len(keys) != 2 || len(set) != 1 {
		t.Fatalf("found %v", set)
	}
	for i, e := range keys {
		jwk, ok := e.(map[string]interface{})
		if !ok {
			t.Fatalf("found a %T", e)
		}
		k := s.keys[i]
		want := object{"kty": "EC", "crv": "P-256", "x": k.x, "y": k.y, "kid": k.kid, "alg": "ES256", "use": "sig"}
		if !reflect.DeepEqual(jwk, want) {
			t.Errorf("found %v, wanted %v", jwk, want)
		}
	}
	// Whoever changes what was handed out changes their own.
	keys[0].(map[string]interface{})["kid"] = "mine"
	if again := published(t, s); again[0]["kid"] != s.keys[0].kid {
		t.Errorf("found kid %v", again[0]["kid"])
	}
}

func TestSigned(t *testing.T) {
	s := signer(t, newSecret, oldSecret)
	raw := sign(t, s, object{"sub": "alice"})
	header := raw[:strings.Index(raw, ".")]
	encode := base64.RawURLEncoding.EncodeToString
	kid := s.keys[0].kid
	for _, c := range []struct {
		name  string
		token string
		want  bool
	}{
		{"ours", raw, true},
		{"ours by the old secret", sign(t, signer(t, oldSecret), object{"sub": "alice"}), true},
		{"our header, whatever follows", header + ".e30.AAAA", true},
		{"another secret's", sign(t, signer(t, wrongSecret), object{"sub": "alice"}), false},
		{"the header alone", header, false},
		{"the header and more of it", header + "A.e30.AAAA", false},
		{"the header cut short", header[:len(header)-1] + ".e30.AAAA", false},
		{"the members in another order", encode([]byte(`{"typ":"at+jwt","kid":"`+kid+`","alg":"ES256"}`)) + ".e30.AAAA", false},
		{"another alg", encode([]byte(`{"alg":"none","kid":"`+kid+`","typ":"at+jwt"}`)) + ".e30.AAAA", false},
		{"another typ", encode([]byte(`{"alg":"ES256","kid":"`+kid+`","typ":"JWT"}`)) + ".e30.AAAA", false},
		{"a dot in front", "." + raw, false},
		{"a dot", ".", false},
		{"an API token", "lk_0123456789", false},
		{"nothing", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s.Signed(c.token) != c.want {
				t.Errorf("found %v, wanted %v", !c.want, c.want)
			}
		})
	}
}

func TestSecretsThatSignNothing(t *testing.T) {
	for _, secrets := range [][]string{nil, {""}, {newSecret, ""}} {
		if s, err := NewSigner(secrets); err == nil || s != nil {
			t.Errorf("%d secrets: found %v, %v, wanted an error", len(secrets), s, err)
		}
	}
}

// A kid names one key, however often a secret is given.
func TestSecretGivenTwice(t *testing.T) {
	s := signer(t, newSecret, oldSecret, newSecret)
	if keys := published(t, s); len(keys) != 2 {
		t.Errorf("found %d keys, wanted 2", len(keys))
	}
}

func TestClaimsThatAreNoJSON(t *testing.T) {
	const private = "not-to-be-told"
	raw, err := signer(t, newSecret).Sign(object{"sub": private, "bad": make(chan int)})
	if err == nil || raw != "" || !strings.HasPrefix(err.Error(), "sign delegated token: ") || strings.Contains(err.Error(), private) {
		t.Errorf("found %q, %v", raw, err)
	}
}

func TestSignManyAtOnce(t *testing.T) {
	s := signer(t, newSecret, oldSecret)
	tokens := make(chan string, 8)
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			raw, _ := s.Sign(object{"sub": "alice"})
			_ = s.JWKS()
			if !s.Signed(raw) {
				raw = ""
			}
			tokens <- raw
		}()
	}
	wg.Wait()
	for i := 0; i < 8; i++ {
		if _, err := verify(t, s, <-tokens); err != nil {
			t.Error(err)
		}
	}
}
