package seal

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

const (
	oldSecret = "an old secret of at least 32 bytes!!"
	newSecret = "a new secret of at least 32 bytes!!!"
)

func ring(t *testing.T, secrets ...string) *Ring {
	t.Helper()
	r, err := NewRing(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sealed(t *testing.T, r *Ring, context, plain string) string {
	t.Helper()
	text, err := r.Seal(context, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// RFC 5869, appendix A.3: SHA-256 with empty salt and info. The first 32 bytes
// of its output are our one block.
func TestDeriveIsHKDF(t *testing.T) {
	want := "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	got := hex.EncodeToString(derive(strings.Repeat("\x0b", 22), ""))
	if got != want {
		t.Errorf("derive = %s, want %s", got, want)
	}
}

func TestSealRoundTrip(t *testing.T) {
	r := ring(t, newSecret)
	for _, plain := range []string{"", "x", strings.Repeat("claims ", 2000)} {
		text := sealed(t, r, "session", plain)
		if len(plain) > 4 && strings.Contains(text, plain[:8]) {
			t.Error("the plain text shows in the sealed one")
		}
		got, err := r.Open("session", text)
		if err != nil || string(got) != plain {
			t.Errorf("open %d bytes: %v", len(plain), err)
		}
	}
	first, second := sealed(t, r, "session", "x"), sealed(t, r, "session", "x")
	if first == second {
		t.Error("two seals of one text are alike: the nonce is not random")
	}
}

func TestRotation(t *testing.T) {
	byOld := sealed(t, ring(t, oldSecret), "session", "x")
	if _, err := ring(t, newSecret, oldSecret).Open("session", byOld); err != nil {
		t.Errorf("a listed old secret does not open: %v", err)
	}
	if _, err := ring(t, newSecret).Open("session", byOld); !errors.Is(err, ErrOpen) {
		t.Errorf("a removed secret still opens: %v", err)
	}
	byNew := sealed(t, ring(t, newSecret, oldSecret), "session", "x")
	if _, err := ring(t, newSecret).Open("session", byNew); err != nil {
		t.Errorf("the first secret does not seal: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	r := ring(t, newSecret)
	text := sealed(t, r, "session", "plain")
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	otherVersion := append([]byte{version + 1}, raw[1:]...)
	flipped := append([]byte(nil), raw...)
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct{ context, text string }{
		"another context":          {"flow", text},
		"empty":                    {"session", ""},
		"too short":                {"session", text[:20]},
		"truncated":                {"session", text[:len(text)-4]},
		"a bit flipped":            {"session", base64.RawURLEncoding.EncodeToString(flipped)},
		"another version":          {"session", base64.RawURLEncoding.EncodeToString(otherVersion)},
		"not base64url":            {"session", "!" + text[1:]},
		"line end inside":          {"session", text[:8] + "\n" + text[8:]},
		"loose last base64 letter": {"session", loosen(text)},
	} {
		if got, err := r.Open(c.context, c.text); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: opened %q, %v", name, got, err)
		}
	}
}

// loosen spells the unused bits of the last letter in another way, where there
// are any.
func loosen(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(text)%4 == 0 {
		return "no unused bits" + text
	}
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last|1])
}

func TestContextKeepsPartsApart(t *testing.T) {
	if Context("a", "bc") == Context("ab", "c") || Context("a", "") == Context("a") {
		t.Error("two lists of parts read alike")
	}
}

func TestNewRingWithoutSecret(t *testing.T) {
	if _, err := NewRing(nil); err == nil {
		t.Error("a ring without secrets was made")
	}
}
