// Package seal encrypts and authenticates what Latchkey gives away to keep:
// session cookies, login flows, logout states.
//
// A Ring holds the keys of the secrets that are in force. One seals, all open:
// that is how a secret is changed. A sealed text is
//
//	base64url( version | key id | salt | nonce | ciphertext and tag )
//
// and is bound to a context (what it is for, the cookie's name, the provider),
// so that one sealed for one purpose does not open for another. The key id says
// which secret to open it with, and so tells a text of a secret that is not known
// here from one that was forged or spoilt.
//
// Each text has an AES-256-GCM key of its own, which HMAC-SHA256 derives from the
// secret's key, the salt and the context. Under one key for all, random nonces of
// 96 bits would be safe for 2^32 texts only (NIST SP 800-38D, 8.3); a busy site
// seals as many in weeks. Salt and nonce together are 192 bits, as in
// XAES-256-GCM, and no bound can be reached.
//
// Version 1 had one key for all texts of a secret, and no salt. It is read, and
// not written.
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

var (
	// ErrOpen says that a text was not sealed by any of the ring's secrets for
	// this context, or was changed since. The other two are kinds of it.
	ErrOpen = errors.New("not sealed with any of these secrets")
	// ErrUnknownKey says that it names a key that the ring does not have: of it
	// nobody knows here whether it is good.
	ErrUnknownKey = fmt.Errorf("%w: it names another key", ErrOpen)
	// ErrVersion says that it is of a version that this one does not know.
	ErrVersion = fmt.Errorf("%w: it is of another version", ErrOpen)
)

const (
	version   = 2
	firstOne  = 1 // the version before
	keyIDSize = 4
	saltSize  = 12
	nonceSize = 12
	tagSize   = 16
	head      = 1 + keyIDSize
	prefix    = head + saltSize + nonceSize
	headText  = (head*8 + 5) / 6 // letters that hold it
)

// key is that of one secret.
type key struct {
	id     string
	master []byte      // of the keys of texts
	aead   cipher.AEAD // of version 1
	lasts  bool        // what it sealed is worth sealing anew
}

// Ring seals with its first key and opens with any.
type Ring struct {
	keys []key
}

// NewRing derives a key from each secret. The secrets are long random texts:
// they are stretched by HKDF, not hardened against guessing. Those that are
// passing open too, and what they sealed is not Stale: it ends with them.
func NewRing(secrets []string, passing ...string) (*Ring, error) {
	if len(secrets) == 0 {
		return nil, errors.New("derive keys: no secret given")
	}
	ring := &Ring{}
	for i, secret := range append(append([]string{}, secrets...), passing...) {
		k, err := newKey(secret)
		if err != nil {
			return nil, err
		}
		k.lasts = i < len(secrets)
		ring.keys = append(ring.keys, k)
	}
	return ring, nil
}

func newKey(secret string) (key, error) {
	aead, err := gcm(derive(secret, "seal key"))
	if err != nil {
		return key{}, fmt.Errorf("derive keys: %w", err)
	}
	return key{id: string(derive(secret, "seal key id")[:keyIDSize]), master: derive(secret, "seal key of keys"), aead: aead}, nil
}

func gcm(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, err
}

// of is the key of one text.
func (k *key) of(salt []byte, context string) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, k.master)
	mac.Write(salt)
	mac.Write([]byte(context))
	aead, err := gcm(mac.Sum(nil))
	return aead, err
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
	if _, err := rand.Read(sealed[head:prefix]); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	aead, err := first.of(sealed[head:head+saltSize], context)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	sealed = aead.Seal(sealed, sealed[head+saltSize:prefix], plain, []byte(context))
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open decrypts a text sealed for the context, or returns ErrOpen.
func (r *Ring) Open(context, text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder skips line ends, even when strict.
	if err != nil || len(sealed) < head || strings.ContainsAny(text, "\r\n") {
		return nil, ErrOpen
	}
	if sealed[0] != version {
		plain, err := r.openFirst(context, sealed)
		return plain, err
	}
	k := r.named(sealed)
	if k == nil {
		return nil, ErrUnknownKey
	}
	if len(sealed) < prefix+tagSize {
		return nil, ErrOpen
	}
	aead, err := k.of(sealed[head:head+saltSize], context)
	if err != nil {
		return nil, ErrOpen
	}
	plain, err := aead.Open(nil, sealed[head+saltSize:prefix], sealed[prefix:], []byte(context))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// openFirst is Open for version 1, the only other one.
func (r *Ring) openFirst(context string, sealed []byte) ([]byte, error) {
	const begins = head + nonceSize
	if sealed[0] != firstOne {
		return nil, ErrVersion
	}
	k := r.named(sealed)
	if k == nil {
		return nil, ErrUnknownKey
	}
	if len(sealed) < begins+tagSize {
		return nil, ErrOpen
	}
	plain, err := k.aead.Open(nil, sealed[head:begins], sealed[begins:], []byte(context))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// named is the key that a sealed text names, or nil.
func (r *Ring) named(sealed []byte) *key {
	id := string(sealed[1:head])
	for i := range r.keys {
		if r.keys[i].id == id {
			return &r.keys[i]
		}
	}
	return nil
}

// Stale says whether a text names a key of the ring that does not seal any more:
// it is to be sealed anew before that key goes.
func (r *Ring) Stale(text string) bool {
	if len(r.keys) == 1 || len(text) < headText {
		return false
	}
	begin, err := base64.RawURLEncoding.DecodeString(text[:headText])
	if err != nil || (begin[0] != version && begin[0] != firstOne) {
		return false
	}
	k := r.named(begin)
	return k != nil && k.lasts && k.id != r.keys[0].id
}

// Only says whether there is but one key, so that nothing can be Stale.
func (r *Ring) Only() bool { return len(r.keys) == 1 }
