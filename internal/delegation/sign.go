package delegation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Signer signs delegated tokens: RFC 9068 access tokens by ES256. Its methods may
// be called at the same time.
type Signer struct {
	keys    []*signingKey
	headers []string // of a token of each key, as they are encoded, with the dot
}

// NewSigner derives a key from each secret. The first signs; all are published,
// so that what was signed before a rotation is good until it ends.
func NewSigner(secrets []string) (*Signer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("derive signing keys: no secret given")
	}
	s := &Signer{}
	for _, secret := range secrets {
		if err := s.add(secret); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Signer) add(secret string) error {
	// Everybody could derive its key.
	if secret == "" {
		return errors.New("derive signing keys: found an empty secret")
	}
	k, err := newSigningKey(secret)
	if err != nil {
		return err
	}
	// Twice in the set, a kid would no longer name one key.
	for _, known := range s.keys {
		if known.kid == k.kid {
			return nil
		}
	}
	text, err := k.token(nil).SigningString()
	if err != nil {
		return fmt.Errorf("derive signing keys: header: %w", err)
	}
	s.keys = append(s.keys, k)
	s.headers = append(s.headers, text[:strings.Index(text, ".")+1])
	return nil
}

// token is one not yet signed. Its header is the same for all of the key.
func (k *signingKey) token(claims map[string]interface{}) *jwt.Token {
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims(claims))
	t.Header["typ"] = "at+jwt" // RFC 9068, 2.1
	t.Header["kid"] = k.kid
	return t
}

// Sign returns a token with exactly these claims.
func (s *Signer) Sign(claims map[string]interface{}) (string, error) {
	first := s.keys[0]
	signed, err := first.token(claims).SignedString(first.private)
	if err != nil {
		return "", fmt.Errorf("sign delegated token: %w", err)
	}
	return signed, nil
}

// JWKS returns the public keys as a JWK Set (RFC 7517, 5), in the types that
// encoding/json decodes to. It is the caller's.
func (s *Signer) JWKS() map[string]interface{} {
	var keys []interface{}
	for _, k := range s.keys {
		keys = append(keys, k.jwk())
	}
	return map[string]interface{}{"keys": keys}
}

// Signed says whether a token has the header of one of our keys, to the letter.
// Anybody can write one: it says whose verifier to ask, and nothing of the answer.
func (s *Signer) Signed(token string) bool {
	for _, header := range s.headers {
		if strings.HasPrefix(token, header) {
			return true
		}
	}
	return false
}
