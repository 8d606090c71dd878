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

	// "plain", sealed by newSecret for "session": what version 1 and version 2 wrote.
	ofVersion1 = "AWN2-D5xIcazoXB1CNo2pIk-DCBKpacD-T9v3nNsqflKFznE4UQ"
	ofVersion2 = "AmN2-D7g8EGb4FV-4XJsaLK4YOKEMFFFpWsYUXSYdP11V1qw7tATOd-GK2iPV9PujGk"
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
		"a head without a text":    {"session", base64.RawURLEncoding.EncodeToString(raw[:head])},
		"version 1, cut":           {"session", ofVersion1[:len(ofVersion1)-10]},
		"version 1, its head":      {"session", base64.RawURLEncoding.EncodeToString(append([]byte{firstOne}, raw[1:head]...))},
		"version 1, for another":   {"flow", ofVersion1},
		"version 1 as version 2":   {"session", "Ag" + ofVersion1[2:]},
		"version 2 as version 1":   {"session", "AQ" + text[2:]},
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

// What a ring cannot open is told apart: a text of a secret that it does not have,
// or of a version that it does not know, may be good all the same.
func TestOpenTellsWhy(t *testing.T) {
	r := ring(t, newSecret)
	text := sealed(t, r, "session", "plain")
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"another secret":            {sealed(t, ring(t, oldSecret), "session", "x"), ErrUnknownKey},
		"another secret, cut":       {sealed(t, ring(t, oldSecret), "session", "x")[:headText+1], ErrUnknownKey},
		"version 1, another secret": {"AQ" + sealed(t, ring(t, oldSecret), "session", "x")[2:], ErrUnknownKey},
		"version 3":                 {"Aw" + text[2:], ErrVersion},
		"version 0":                 {"AA" + text[2:], ErrVersion},
	} {
		if _, err := r.Open("session", c.text); !errors.Is(err, c.want) || !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, text := range map[string]string{"cut": text[:len(text)-4], "its head": text[:headText], "nothing": "", "no text of ours": "!!"} {
		if _, err := r.Open("session", text); !errors.Is(err, ErrOpen) || errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What earlier versions wrote is read.
func TestOpenEarlierVersions(t *testing.T) {
	r := ring(t, oldSecret, newSecret)
	for name, text := range map[string]string{"1": ofVersion1, "2": ofVersion2} {
		if plain, err := r.Open("session", text); err != nil || string(plain) != "plain" {
			t.Errorf("version %s: %q, %v", name, plain, err)
		}
	}
}

func TestStale(t *testing.T) {
	byOld := sealed(t, ring(t, oldSecret), "session", "x")
	byNew := sealed(t, ring(t, newSecret), "session", "x")
	changing := ring(t, newSecret, oldSecret)
	passing, err := NewRing([]string{newSecret}, oldSecret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := passing.Open("session", byOld); err != nil {
		t.Errorf("a secret that is passing does not open: %v", err)
	}
	for name, c := range map[string]struct {
		ring *Ring
		text string
		want bool
	}{
		"by the one that seals":      {changing, byNew, false},
		"by another":                 {changing, byOld, true},
		"by another, in version 1":   {ring(t, oldSecret, newSecret), ofVersion1, true},
		"by one that is passing":     {passing, byOld, false},
		"by one that is not known":   {changing, sealed(t, ring(t, "a third secret of at least 32 bytes!"), "session", "x"), false},
		"where there is but one":     {ring(t, newSecret), byOld, false},
		"nothing":                    {changing, "", false},
		"too short for a key's name": {changing, byOld[:headText-1], false},
		"of another version":         {changing, "Aw" + byOld[2:], false},
		"not base64":                 {changing, "!" + byOld[1:], false},
	} {
		if got := c.ring.Stale(c.text); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if ring(t, newSecret).Only() != true || changing.Only() || passing.Only() {
		t.Error("the number of keys is another")
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
