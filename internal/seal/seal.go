// Package seal encrypts and authenticates what Latchkey gives away to keep:
// session cookies, login flows, logout states.
//
// A Ring holds one AES-256-GCM key for each secret of the setting `secret`.
// The first seals, all open: that is how a secret is rotated. A sealed text is
//
//	base64url( version | key id | nonce | ciphertext and tag )
//
// and is bound to a context (what it is for, the cookie's name, the provider),
// so that one sealed for one purpose does not open for another.
//
// Texts longer than a cookie are split by Chunks and put together by Join.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrOpen says that a text was not sealed by any of the ring's secrets for
// this context, or was changed since.
var ErrOpen = errors.New("not sealed with any of these secrets")

const (
	version   = 1
	keyIDSize = 4
	nonceSize = 12
	tagSize   = 16
	prefix    = 1 + keyIDSize + nonceSize
)

type key struct {
	id   string
	aead cipher.AEAD
}

// Ring seals with its first key and opens with any.
type Ring struct {
	keys []key
}

// NewRing derives a key from each secret. The secrets are long random texts:
// they are stretched by HKDF, not hardened against guessing.
func NewRing(secrets []string) (*Ring, error) {
	if len(secrets) == 0 {
		return nil, errors.New("derive keys: no secret given")
	}
	ring := &Ring{}
	for _, secret := range secrets {
		block, err := aes.NewCipher(derive(secret, "seal key"))
		if err != nil {
			return nil, fmt.Errorf("derive keys: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("derive keys: %w", err)
		}
		ring.keys = append(ring.keys, key{id: string(derive(secret, "seal key id")[:keyIDSize]), aead: aead})
	}
	return ring, nil
}

// derive is HKDF-SHA256 (RFC 5869) with an empty salt, for one block of 32
// bytes; crypto/hkdf is newer than the interpreter.
func derive(secret, info string) []byte {
	extract := hmac.New(sha256.New, make([]byte, sha256.Size))
	extract.Write([]byte(secret))
	expand := hmac.New(sha256.New, extract.Sum(nil))
	expand.Write([]byte(info))
	expand.Write([]byte{1})
	return expand.Sum(nil)
}

// Context joins the parts that a sealed text is bound to, each prefixed by its
// length, so that no two lists of parts read alike.
func Context(parts ...string) string {
	joined := ""
	for _, part := range parts {
		joined += strconv.Itoa(len(part)) + ":" + part
	}
	return joined
}

// Seal encrypts plain for the context.
func (r *Ring) Seal(context string, plain []byte) (string, error) {
	first := r.keys[0]
	sealed := make([]byte, prefix, prefix+len(plain)+tagSize)
	sealed[0] = version
	copy(sealed[1:], first.id)
	nonce := sealed[1+keyIDSize : prefix]
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	sealed = first.aead.Seal(sealed, nonce, plain, []byte(context))
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open decrypts a text sealed for the context, or returns ErrOpen.
func (r *Ring) Open(context, text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder skips line ends, even when strict.
	if err != nil || len(sealed) < prefix+tagSize || strings.ContainsAny(text, "\r\n") {
		return nil, ErrOpen
	}
	if sealed[0] != version {
		return nil, ErrOpen
	}
	id := string(sealed[1 : 1+keyIDSize])
	for _, k := range r.keys {
		if k.id != id {
			continue
		}
		plain, err := k.aead.Open(nil, sealed[1+keyIDSize:prefix], sealed[prefix:], []byte(context))
		if err == nil {
			return plain, nil
		}
	}
	return nil, ErrOpen
}
