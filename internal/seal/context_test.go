package seal

import (
	"crypto/aes"
	"crypto/cipher"
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

// The layout, by hand: the key is derived for sealing alone, and the id that
// stands in every text for naming it, so that the id tells nothing of the key.
func TestSealedLayout(t *testing.T) {
	text := sealed(t, ring(t, newSecret), "session", "plain")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(derive(newSecret, "seal key"))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := aead.Open(nil, raw[5:17], raw[17:], []byte("session"))
	if err != nil || string(plain) != "plain" {
		t.Errorf("found %q, %v", plain, err)
	}
	if raw[0] != 1 || string(raw[1:5]) != string(derive(newSecret, "seal key id")[:4]) {
		t.Errorf("found version %d, key id %x", raw[0], raw[1:5])
	}
}
