package apitoken

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"regexp"
)

// Prefix begins every token, so that people and secret scanners know one when
// they see it. The checksum behind the secret tells a typo, and text that only
// looks like a token, without a look-up.
const Prefix = "lk_"

const (
	idBytes     = 8
	secretBytes = 16

	secretAt = len(Prefix) + 2*idBytes + 1
	sumAt    = secretAt + 2*secretBytes
	length   = sumAt + 8
)

var (
	shape   = regexp.MustCompile(`^` + Prefix + `[0-9a-f]{16}_[0-9a-f]{40}$`)
	idShape = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// NewID returns a new token's id: 64 random bits as lower-case hex. It is no
// secret.
func NewID() string { return randomHex(idBytes) }

// NewSecret returns a credential with a new random secret for the token of that
// id, and the hash by which the secret is known: lower-case hex of its SHA-256.
func NewSecret(id string) (credential, hash string) {
	secret := randomHex(secretBytes)
	body := Prefix + id + "_" + secret
	return body + checksum(body), hashOf(secret)
}

// Parse takes a credential apart. It is ok=false when it is no token's, or was
// mistyped; whether there is such a token is another question.
func Parse(credential string) (id, hash string, ok bool) {
	if len(credential) != length || !shape.MatchString(credential) {
		return "", "", false
	}
	if checksum(credential[:sumAt]) != credential[sumAt:] {
		return "", "", false
	}
	return credential[len(Prefix) : secretAt-1], hashOf(credential[secretAt:sumAt]), true
}

func checksum(body string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) }

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// randomHex panics where the system has no randomness: nothing may be made then.
func randomHex(size int) string {
	b := make([]byte, size)
	if _, err := rand.Read(b); err != nil {
		panic("no randomness: " + err.Error())
	}
	return hex.EncodeToString(b)
}
