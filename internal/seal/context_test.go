package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"
)

// Lists of parts that are made to look like others: no two read alike.
func TestContextOfForgedLengths(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"a", "b"}, {"a1:b"}, {"1:a1:b"}, {"a", "b2:c"}, {"a2:b", "c"}, {"ab"}, {"a", "", "b"}, {"", "ab"}, {}, {""}, {"", ""}, {"0:"}, {"0:0:"},
	} {
		joined := Context(parts...)
		if earlier, ok := seen[joined]; ok {
			t.Errorf("%q and %q both read %q", parts, earlier, joined)
		}
		seen[joined] = parts
	}
}

// The layout, by hand: what names the key tells nothing of it, and each text has a
// key of its own, of its salt and its context.
func TestSealedLayout(t *testing.T) {
	text := sealed(t, ring(t, newSecret), "session", "plain")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, derive(newSecret, "seal key of keys"))
	mac.Write(raw[5:17])
	mac.Write([]byte("session"))
	if plain, err := openBy(t, mac.Sum(nil), raw[17:29], raw[29:]); err != nil || plain != "plain" {
		t.Errorf("found %q, %v", plain, err)
	}
	if raw[0] != 2 || string(raw[1:5]) != string(derive(newSecret, "seal key id")[:4]) {
		t.Errorf("found version %d, key id %x", raw[0], raw[1:5])
	}
}

// The layout of version 1.
func TestSealedLayoutOfVersion1(t *testing.T) {
	raw, err := base64.RawURLEncoding.DecodeString(ofVersion1)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := openBy(t, derive(newSecret, "seal key"), raw[5:17], raw[17:]); err != nil || plain != "plain" || raw[0] != 1 {
		t.Errorf("found %q, %v", plain, err)
	}
}

// openBy opens what was sealed for "session".
func openBy(t *testing.T, secret, nonce, text []byte) (string, error) {
	t.Helper()
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := aead.Open(nil, nonce, text, []byte("session"))
	return string(plain), err
}
