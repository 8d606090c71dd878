package apitoken

import (
	"strings"
	"testing"
)

// The checksum and the hash were made with other programs: crc32 and sha256sum.
const (
	good     = "lk_0123456789abcdef_00112233445566778899aabbccddeeff"
	goodSum  = "11cf2e56"
	goodHash = "5947d7c33d783f94b3b4c1a96ebc8991ed28f1b069b71e03376cba8caa98a720"
)

func TestParse(t *testing.T) {
	whole := good + goodSum
	for _, c := range []struct {
		what, credential string
		want             bool
	}{
		{"a token", whole, true},
		{"nothing", "", false},
		{"the prefix", "lk_", false},
		{"without its checksum", good, false},
		{"with another's checksum", good + "00000000", false},
		{"one digit less", whole[:len(whole)-1], false},
		{"one digit more", whole + "0", false},
		{"a line end more", whole + "\n", false},
		{"a space before", " " + whole, false},
		{"a line end for a digit", whole[:len(whole)-1] + "\n", false},
		{"all upper case", strings.ToUpper(whole), false},
		{"the prefix in upper case", "LK_" + whole[3:], false},
		{"the checksum in upper case", good + strings.ToUpper(goodSum), false},
		{"another prefix", "gh_" + whole[3:], false},
		{"a letter beyond f", strings.Replace(whole, "aa", "gg", 1), false},
		{"another separator", strings.Replace(whole, "f_0", "f-0", 1), false},
		{"a JWT", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", false},
		{"very long", strings.Repeat(whole, 10000), false},
	} {
		id, hash, ok := Parse(c.credential)
		if ok != c.want {
			t.Errorf("%s: %v, want %v", c.what, ok, c.want)
		}
		if !ok && (id != "" || hash != "") {
			t.Errorf("%s: answers %q, %q", c.what, id, hash)
		}
	}
	id, hash, _ := Parse(whole)
	if id != "0123456789abcdef" || hash != goodHash {
		t.Errorf("got %s, %s", id, hash)
	}
}

// A typo anywhere is told without a look-up: CRC-32 tells each change of one
// digit.
func TestTypos(t *testing.T) {
	credential, _ := NewSecret(NewID())
	for i := range credential {
		for _, digit := range "0123456789abcdef" {
			typo := credential[:i] + string(digit) + credential[i+1:]
			if typo == credential {
				continue
			}
			if _, _, ok := Parse(typo); ok {
				t.Errorf("digit %d changed to %c, and still a token", i, digit)
			}
		}
	}
}

func TestNewSecret(t *testing.T) {
	seen := map[string]bool{}
	for n := 0; n < 100; n++ {
		made := NewID()
		credential, hash := NewSecret(made)
		id, parsed, ok := Parse(credential)
		if !ok || id != made || parsed != hash || len(hash) != 64 || len(credential) != 60 {
			t.Fatalf("got %s, %s, %v of a credential of %d characters", id, parsed, ok, len(credential))
		}
		secret := credential[20:52]
		if seen[id] || seen[secret] {
			t.Fatal("the same again")
		}
		seen[id] = true
		seen[secret] = true
		if strings.Contains(credential, hash[:16]) || hash != hashOf(secret) {
			t.Fatal("the hash is not of the secret alone")
		}
	}
}
