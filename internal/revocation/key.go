package revocation

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// Key stands for what is revoked. It is a hash, so that neither logs nor Redis
// hold what it stands for. The zero Key is nothing.
type Key [16]byte

// Session is a session by its own id.
func Session(id string) Key { return keyOf("session", id) }

// ProviderSession are the sessions that a provider knows by that sid (OpenID
// Connect Back-Channel Logout, section 2.1).
func ProviderSession(issuer, sid string) Key { return keyOf("provider session", issuer, sid) }

// User is everything of the provider's subject.
func User(issuer, subject string) Key { return keyOf("user", issuer, subject) }

// Token is an API token with the secret of that hash: one that is rotated has
// another key. Credentials of this kind are Undated.
func Token(id, hash string) Key { return keyOf("token", id, hash) }

func keyOf(parts ...string) Key {
	joined := ""
	for _, part := range parts {
		joined += strconv.Itoa(len(part)) + ":" + part
	}
	sum := sha256.Sum256([]byte(joined))
	var key Key
	copy(key[:], sum[:])
	return key
}

// Text is the key in letters, for a log or a token.
func (k Key) Text() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// ParseKey reads what Text wrote.
func ParseKey(text string) (Key, bool) {
	var key Key
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(decoded) != len(key) {
		return key, false
	}
	copy(key[:], decoded)
	return key, true
}
