package oauth2

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// NewVerifier returns a code_verifier of 256 random bits (RFC 7636, 4.1).
func NewVerifier() string {
	b := make([]byte, 32)
	// A verifier that can be guessed would be worse than none.
	if _, err := rand.Read(b); err != nil {
		panic("oauth2: no randomness: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Challenge is the code_challenge of a verifier by S256 (RFC 7636, 4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
