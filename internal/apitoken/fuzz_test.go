package apitoken

import "testing"

// What is taken for a token is spelled in one way only, and its id opens one.
func FuzzCredential(f *testing.F) {
	f.Add(good + goodSum)
	f.Add(good)
	f.Add("lk_")
	f.Add("lk_0123456789ABCDEF_00112233445566778899aabbccddeeff00000000")
	f.Add("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.")
	f.Fuzz(func(t *testing.T, credential string) {
		id, hash, ok := Parse(credential)
		if !ok {
			if id != "" || hash != "" {
				t.Fatalf("%q is none, and has an id or a hash", credential)
			}
			return
		}
		body := Prefix + id + "_" + credential[secretAt:sumAt]
		if credential != body+checksum(body) || hash != hashOf(credential[secretAt:sumAt]) {
			t.Fatalf("%q is another spelling of %q", credential, body)
		}
		one := Token{ID: id, Hash: hash, Owner: "a"}
		if err := one.Validate(); err != nil {
			t.Fatalf("%q makes no token: %v", credential, err)
		}
		if _, opens := one.Accepts(hash, 1); !opens {
			t.Fatalf("%q does not open its token", credential)
		}
	})
}
