package latchkey

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

func TestSessionRecordRoundTrip(t *testing.T) {
	jwt := oidctest.New(t).AccessToken(nil)
	for name, token := range map[string]string{
		"none":                 "",
		"opaque":               "2YotnFZFEjr1zCsicMWpAA",
		"a JWT":                jwt,
		"two dots":             "a.b.c",
		"three dots":           jwt + ".x",
		"loose base64":         jwt[:len(jwt)-1] + "=",
		"a NUL in the claims":  "e30." + base64.RawURLEncoding.EncodeToString([]byte("a\x00b")) + ".c",
		"bytes in the claims":  "e30." + base64.RawURLEncoding.EncodeToString([]byte{0xff, 0xfe}) + ".c",
		"line ends":            "e3\n0.e30.c",
		"no claims":            "e30..c",
		"neither header":       "..",
		"spare bits in a part": "e31.e31.c",
	} {
		s := &session{ID: "id", Born: 1, Seen: 2, IDToken: token, AccessToken: token, AccessEnds: 3, AccessIsJWT: true,
			UserInfo: map[string]interface{}{"groups": []interface{}{"a"}}}
		encoded, err := s.encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := decodeSession(encoded)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.IDToken != token || got.AccessToken != token || got.ID != "id" || got.Born != 1 || got.Seen != 2 ||
			got.AccessEnds != 3 || !got.AccessIsJWT || len(got.UserInfo) != 1 {
			t.Errorf("%s: came back as %+v", name, got)
		}
	}
}

func TestSessionRecordIsSmall(t *testing.T) {
	p := oidctest.New(t)
	claims := map[string]interface{}{"groups": []string{"engineering", "engineering-platform", "engineering-oncall"}, "name": "Alice Liddell"}
	s := &session{ID: randomID(16), IDToken: p.AccessToken(claims), AccessToken: p.AccessToken(claims)}
	plain, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	if len(encoded)*10 > len(plain)*6 {
		t.Errorf("%d bytes of %d, want at most 6 in 10", len(encoded), len(plain))
	}
}

func TestDecodeSessionRefuses(t *testing.T) {
	for _, encoded := range []string{"", "garbage", "{}"} {
		if s, err := decodeSession([]byte(encoded)); err == nil {
			t.Errorf("%q was decoded to %+v", encoded, s)
		}
	}
	var bomb bytes.Buffer
	w, err := flate.NewWriter(&bomb, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(`{"t":"` + strings.Repeat("x", 2*maxRecord) + `"}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := decodeSession(bomb.Bytes()); err == nil {
		t.Error("more than the bound was decoded")
	}
}
