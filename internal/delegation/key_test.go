package delegation

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"testing"
)

const (
	newSecret   = "the secret of these tests, 32 bytes or more"
	oldSecret   = "the secret before it, as long as the other"
	wrongSecret = "a secret that nobody ever configured here"
)

// Computed apart, by other software: a key that changed would end every delegated
// token, and replicas of two versions would not verify each other's.
func TestKeysToTheLetter(t *testing.T) {
	for _, c := range []struct{ name, secret, x, y, kid string }{
		{"a key", newSecret, "H1o8pNhyOdU5QszXPBRo9_R2F1Bi8Qr3IE2RiyhJhps", "4Ybl4XSrkLhL_kY9O8uLo2iUVvfG6J_0OwTDJPlW0TE", "66o6Qg_6-vjW9C-keZy8ZnLVCpnHpvAxL2Cj9ddoB5c"},
		{"x begins with a zero byte", "a secret of these tests, number 24", "ACMLeplZ4a8-J2_M8AWO40rF-ixaiHr8mB8rr7qGKP8", "UzlnOtoSXM6NVAUtXgzHnNEDODzmuEt51Bc5gySWNec", "e5OqtG-8lFEGAvFSlmVfnRtsBrwup5lsvya3-fIpu1E"},
		{"y begins with a zero byte", "a secret of these tests, number 155", "Zo2QCaqvksO8iA8EB2smgsqtcujKh_F99Mhxy5wziR0", "AFpclI37a2SbjteTxlzdwrc0hgxTxnH02DLRhJ138kk", "pMZ8y6gH29l7O78hfz5WQtR3oHV3gQxymIicHYy4kBs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := newSigningKey(c.secret)
			if err != nil {
				t.Fatal(err)
			}
			if k.x != c.x || k.y != c.y || k.kid != c.kid {
				t.Errorf("found x %q, y %q, kid %q", k.x, k.y, k.kid)
			}
			for _, coordinate := range []string{k.x, k.y} {
				if b, err := base64.RawURLEncoding.DecodeString(coordinate); err != nil || len(b) != 32 {
					t.Errorf("found %d bytes in %q, %v", len(b), coordinate, err)
				}
			}
		})
	}
}

// d = c mod (n-1) + 1, and Q = dG.
func TestPrivateKey(t *testing.T) {
	k, err := newSigningKey(newSecret)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := new(big.Int).SetString("f8119415b0e1c34463da35b0d684fc80979a47aef6e762fe156ebba2bb22f09e", 16)
	if k.private.D.Cmp(d) != 0 {
		t.Errorf("found another private key")
	}
	if k.private.Curve != elliptic.P256() {
		t.Errorf("found another curve")
	}
	x, _ := base64.RawURLEncoding.DecodeString(k.x)
	y, _ := base64.RawURLEncoding.DecodeString(k.y)
	if !bytes.Equal(k.private.X.FillBytes(make([]byte, 32)), x) || !bytes.Equal(k.private.Y.FillBytes(make([]byte, 32)), y) {
		t.Errorf("the point published is not that of the key")
	}
}

// RFC 5869, A.3: no salt, no info, 42 bytes; the first 48 begin with them.
func TestDerive(t *testing.T) {
	found := derive(string(bytes.Repeat([]byte{0x0b}, 22)), "")
	want := "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
	if len(found) != 48 || hex.EncodeToString(found[:42]) != want {
		t.Errorf("found %x, wanted 48 bytes that begin with %s", found, want)
	}
}

// Example of RFC 7638's rules for EC, by the key of RFC 7517, A.1.
func TestThumbprint(t *testing.T) {
	found := thumbprint("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")
	if want := "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"; found != want {
		t.Errorf("found %q, wanted %q", found, want)
	}
}
