package oidc

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// at is a header that proves an access token (RFC 9068); Sign takes a nil for
// "leave it out".
func at(changes object) object {
	header := object{"typ": "at+jwt"}
	for name, v := range changes {
		header[name] = v
	}
	return header
}

// group "JWT keys" (RFC 8725)
func TestHeaderPolicy(t *testing.T) {
	op, p, _ := start(t)
	rogue := object{"kty": "RSA", "n": "AQAB", "e": "AQAB"}
	for _, c := range []struct {
		name   string
		header object
		says   string // "": allowed
	}{
		{"allow RS256", at(object{"alg": "RS256"}), ""},
		{"allow RS384", at(object{"alg": "RS384"}), ""},
		{"allow RS512", at(object{"alg": "RS512"}), ""},
		{"allow PS256", at(object{"alg": "PS256"}), ""},
		{"allow PS384", at(object{"alg": "PS384"}), ""},
		{"allow PS512", at(object{"alg": "PS512"}), ""},
		{"allow ES256", at(object{"alg": "ES256"}), ""},
		{"allow ES384", at(object{"alg": "ES384"}), ""},
		{"allow ES512", at(object{"alg": "ES512"}), ""},
		{"allow EdDSA", at(object{"alg": "EdDSA"}), ""},
		{"allow no kid where one key fits", at(object{"kid": nil}), ""},
		{"allow x5c, unread", at(object{"x5c": []string{"MIIB"}, "x5t": "AA"}), ""},
		{"deny HS256 keyed with the public key", at(object{"alg": "HS256"}), "alg"},
		{"deny HS512 keyed with the public key", at(object{"alg": "HS512"}), "alg"},
		{"deny crit", at(object{"crit": []string{"exp"}}), "crit"},
		{"deny b64 false", at(object{"b64": false}), "b64"},
		{"deny b64 true", at(object{"b64": true}), "b64"},
		{"deny jku", at(object{"jku": op.Issuer() + "/rogue"}), "jku"},
		{"deny x5u", at(object{"x5u": op.Issuer() + "/rogue"}), "x5u"},
		{"deny jwk", at(object{"jwk": rogue}), "jwk"},
		{"deny an unknown kid", at(object{"kid": "rsa-9"}), `"rsa-9"`},
		{"deny kid as a path", at(object{"kid": "../../../dev/null"}), "kid"},
		{"deny kid as SQL", at(object{"kid": "x' UNION SELECT 'a"}), "kid"},
		{"deny kid that is a number", at(object{"kid": 1}), "kid"},
		{"deny kid of another kind of key", at(object{"kid": "ec-P-256"}), "kid"},
		{"deny kid of another curve", at(object{"alg": "ES256", "kid": "ec-P-384"}), "kid"},
		{"deny typ that is a number", at(object{"typ": 1}), "typ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := op.Sign(c.header, accessClaims(op, nil))
			wantToken(t, access(p, raw), c.says, raw)
		})
	}
	if n := op.Hits("/rogue"); n != 0 {
		t.Errorf("the token's own key address was asked %d times", n)
	}
}

func TestErrorsAreShort(t *testing.T) {
	op, p, _ := start(t)
	long := strings.Repeat("k", 8000)
	for _, raw := range []string{
		op.Sign(at(object{"kid": long}), accessClaims(op, nil)),
		op.Sign(at(nil), accessClaims(op, object{"iss": long})),
		op.Sign(at(nil), accessClaims(op, object{"aud": []string{long}})),
	} {
		err := access(p, raw)
		wantToken(t, err, "kkk", raw)
		if n := len(err.Error()); n > 400 {
			t.Errorf("found an error of %d bytes: %.100s", n, err)
		}
	}
}

func TestAlgNone(t *testing.T) {
	op, p, _ := start(t)
	claims := `{"iss":"` + op.Issuer() + `","sub":"a","aud":"` + oidctest.Audience + `","exp":1700000300}`
	signature := strings.Split(op.SignText("RS256", `{}`, claims), ".")[2]
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "rs256", "HS256"} {
		t.Run("deny "+alg, func(t *testing.T) {
			unsigned := op.SignText("none", `{"typ":"at+jwt","alg":"`+alg+`","kid":"rsa-1"}`, claims)
			wantToken(t, access(p, unsigned), "signature", unsigned)
			wantToken(t, access(p, unsigned+signature), "alg", unsigned)
			_, err := p.VerifyAccessToken(context.Background(), unsigned+signature,
				AccessToken{Audiences: []string{oidctest.Audience}, Algorithms: []string{alg}})
			wantToken(t, err, "alg", unsigned)
		})
	}
	for _, header := range []string{`{"typ":"at+jwt"}`, `{"typ":"at+jwt","alg":1}`, `{"typ":"at+jwt","alg":["RS256"]}`} {
		raw := op.SignText("RS256", header, claims)
		wantToken(t, access(p, raw), "alg", raw)
	}
}

func TestSignature(t *testing.T) {
	op, p, _ := start(t)
	good := op.Sign(at(nil), accessClaims(op, nil))
	ec := op.Sign(at(object{"alg": "ES256"}), accessClaims(op, nil))
	old := op.PublicKeys()
	op.Set(func(b *oidctest.Behavior) { b.Keys = old })
	op.Rotate()
	alien := op.Sign(at(object{"kid": "rsa-1"}), accessClaims(op, nil))

	cut := func(raw string) string { return raw[:strings.LastIndex(raw, ".")+1] }
	zeros := base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	otherClaims := strings.Split(op.Sign(at(nil), accessClaims(op, object{"sub": "bob"})), ".")[1]
	parts := strings.Split(good, ".")
	for _, c := range []struct{ name, raw, says string }{
		{"allow", good, ""},
		{"allow ES256", ec, ""},
		{"deny another key of that kid", alien, "signature"},
		{"deny other claims", parts[0] + "." + otherClaims + "." + parts[2], "signature"},
		{"deny none", cut(good), "signature"},
		{"deny a short one", good[:len(good)-8], "signature"},
		{"deny ES256 with r = s = 0", cut(ec) + zeros, "signature"},
		{"deny ES256 in DER size", cut(ec) + zeros[:80], "signature"},
		{"deny RS256 of another size", cut(good) + zeros, "signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantToken(t, access(p, c.raw), c.says, c.raw)
		})
	}
}

func TestKeyChoice(t *testing.T) {
	keys := oidctest.New(t).PublicKeys()
	rsa := keys[0]
	for _, c := range []struct {
		name string
		keys []object
		kid  interface{}
		says string
	}{
		{"allow the one of that kid", keys, "rsa-1", ""},
		{"allow no kid, one key", []object{rsa}, nil, ""},
		{"allow an empty kid, one key", []object{rsa}, "", ""},
		{"allow one kid, two kinds of key", []object{rsa, with(keys[1], object{"kid": "rsa-1"})}, "rsa-1", ""},
		{"deny two keys of one kid", []object{rsa, rsa}, "rsa-1", "2 keys fit"},
		{"deny no kid, two keys", []object{rsa, with(rsa, object{"kid": "b"})}, nil, "2 keys fit"},
		{"deny no kid, no key that fits", []object{keys[1]}, nil, "found nothing, which 0 keys fit"},
		{"deny use enc", []object{with(rsa, object{"use": "enc"}), keys[1]}, "rsa-1", "0 keys fit"},
		{"deny key_ops sign", []object{with(rsa, object{"key_ops": []string{"sign"}}), keys[1]}, "rsa-1", "0 keys fit"},
		{"deny the key of another alg", []object{with(rsa, object{"alg": "PS256"})}, "rsa-1", "0 keys fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op, p, _ := start(t)
			op.Set(func(b *oidctest.Behavior) { b.Keys = c.keys })
			raw := op.Sign(at(object{"kid": c.kid}), accessClaims(op, nil))
			wantToken(t, access(p, raw), c.says, raw)
		})
	}
}

// group "parsing": each of these is refused before a key is asked for.
func TestShape(t *testing.T) {
	op, p, _ := start(t)
	good := op.Sign(at(nil), accessClaims(op, nil))
	parts := strings.Split(good, ".")
	text := func(header, claims string) string { return op.SignText("RS256", header, claims) }
	const header = `{"alg":"RS256","typ":"at+jwt"}`
	members := make([]string, 300)
	for i := range members {
		members[i] = fmt.Sprintf(`"m%d":0`, i)
	}
	for _, c := range []struct{ name, raw, says string }{
		{"empty", "", "1 parts"},
		{"opaque", "2YotnFZFEjr1zCsicMWpAA", "1 parts"},
		{"two parts", parts[0] + "." + parts[1], "2 parts"},
		{"a JWE", good + ".AAAA.AAAA", "5 parts"},
		{"dots by the thousand", strings.Repeat(".", 10000), "10001 parts"},
		{"over 16 KiB", good + strings.Repeat("A", 16<<10), "at most 16384"},
		{"LF inside", parts[0] + "." + parts[1][:8] + "\n" + parts[1][8:] + "." + parts[2], "line break"},
		{"CR at the end", good + "\r", "line break"},
		{"space at the start", " " + good, "header"},
		{"space at the end", good + " ", "signature"},
		{"padding", parts[0] + "." + parts[1] + "." + parts[2] + "==", "signature"},
		{"standard base64", strings.ReplaceAll(op.SignText("RS256", header, `{"a":"???>>>"}`), "_", "/"), "found"},
		{"another spelling of the last character", good[:len(good)-1] + respell(good[len(good)-1]), "signature"},
		{"header: not base64", "{}." + parts[1] + "." + parts[2], "header: found another encoding"},
		{"header: not JSON", text(`x`, `{}`), "header: is not one JSON object"},
		{"header: a list", text(`[]`, `{}`), "header: is not one JSON object"},
		{"header: null", text(`null`, `{}`), "header: is not one JSON object"},
		{"header: deep lists", text(`{"a":`+strings.Repeat("[", 6000)+strings.Repeat("]", 6000)+`}`, `{}`), "header: has 6001 objects and lists"},
		{"claims: 1,025 lists", text(header, `{"a":[`+strings.Repeat("[],", 1022)+`[]]}`), "claims: has 1025 objects and lists"},
		{"header: deep objects", text(strings.Repeat(`{"a":`, 1000)+"1"+strings.Repeat("}", 1000), `{}`), "deeper"},
		{"claims: not base64", parts[0] + ".*." + parts[2], "claims: found another encoding"},
		{"claims: not JSON", text(header, `{"sub"`), "claims: is not one JSON object"},
		{"claims: a string", text(header, `"sub"`), "claims: is not one JSON object"},
		{"claims: null", text(header, `null`), "claims: is not one JSON object"},
		{"claims: trailing data", text(header, `{"sub":"a"}{}`), "claims: is not one JSON object"},
		{"claims: trailing bracket", text(header, `{"sub":"a"}]`), "claims: is not one JSON object"},
		{"claims: not UTF-8", text(header, "{\"sub\":\"a\xff\"}"), "UTF-8"},
		{"claims: a number beyond float64", text(header, `{"exp":1e400}`), "claims"},
		{"claims: 300 members", text(header, `{`+strings.Join(members, ",")+`}`), "at most 256"},
		{"claims: depth 33", text(header, `{"a":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+`}`), "deeper"},
		{"claims: depth 33, lists and objects", text(header, strings.Repeat(`{"a":[`, 16)+"[]"+strings.Repeat("]}", 16)), "deeper"},
		{"claims: brackets that do not match", text(header, `{"a":`+strings.Repeat("[", 40)+`}`), "not JSON"},
		{"claims: deep lists", text(header, `{"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`), "deeper"},
		{"claims: deep objects", text(header, strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)), "deeper"},
		{"claims: deep, covered", text(header, `{"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"a":1}`), "deeper"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantToken(t, access(p, c.raw), c.says, c.raw)
			if _, err := Unverified(c.raw); err == nil {
				t.Error("Unverified took it")
			}
		})
	}
	if n := op.Hits(oidctest.JWKS); n != 0 {
		t.Errorf("keys were fetched %d times", n)
	}
}

// respell returns another character whose first bits are the same.
func respell(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)^1])
}

func TestShapeAllowed(t *testing.T) {
	op, p, _ := start(t)
	for _, c := range []struct{ name, extra string }{
		{"a backslash", `"path":"a\/b"`},
		{"JSON in a string", `"j":"{\"a\":1,\"b\":{\"a\":2}}"`},
		{"a colon and quotes", `"x":":\"","y":":"`},
		{"one name at two depths", `"a":{"a":{"a":[{"a":1},{"a":2}]}}`},
		{"depth 32", `"a":` + strings.Repeat("[", 31) + "1" + strings.Repeat("]", 31)},
		{"depth 32, and brackets in strings", `"a":` + strings.Repeat("[", 31) + `"[{\"[{"` + strings.Repeat("]", 31)},
		{"1,024 lists and objects", `"a":[` + strings.Repeat("[],", 1021) + `{}]`},
		{"many brackets", `"a":[` + strings.Repeat("[],", 40) + `[]]`},
		{"white space", ` "a" : { "b" : [ 1 , 2 ] } `},
		{"markup", `"a":"<b>&"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := fmt.Sprintf(`{"iss":%q,"sub":"a","aud":%q,"exp":1700000300,%s}`, op.Issuer(), oidctest.Audience, c.extra)
			raw := op.SignText("RS256", `{"alg":"RS256","typ":"at+jwt"}`, claims)
			wantToken(t, access(p, raw), "", raw)
			found, err := Unverified(raw)
			if err != nil || found["sub"] != "a" {
				t.Errorf("Unverified: found %v, %v", found, err)
			}
		})
	}
}

// RFC 8725, 2.6: of two members of one name, nobody knows which one counts. It is
// refused with the issuer's own signature; without it, before anybody looks.
func TestMembersTwice(t *testing.T) {
	op, p, _ := start(t)
	claims := func(extra string) string {
		return fmt.Sprintf(`{"iss":%q,"sub":"a","aud":%q,"exp":1700000300%s}`, op.Issuer(), oidctest.Audience, extra)
	}
	const header = `{"alg":"RS256","typ":"at+jwt","kid":"rsa-1"}`
	for _, c := range []struct{ name, header, claims, says string }{
		{"none", header, claims(``), ""},
		{"twice", header, claims(`,"sub":"a"`), "claims: has a member twice"},
		{"white space", header, claims(`,"sub" :"b"`), "claims: has a member twice"},
		{"escaped", header, claims(`,"\u0073ub":"b"`), "claims: has a member twice"},
		{"quotes made up for", header, claims(`,"sub":"b","x":"\"\""`), "claims: has a member twice"},
		{"a backslash at the end", header, claims(`,"x":"\\","sub":"b","y":"\\\""`), "claims: has a member twice"},
		{"backslashes, once each", header, claims(`,"x":"\\","y":"\\\"","z":"\\\\"`), ""},
		{"a backslash in other spellings, once each", header, claims(`,"x":"\u005c","y":"\u005c"`), ""},
		{"a backslash in another spelling", header, claims(`,"x":"\u005c","sub":"b"`), "claims: has a member twice"},
		{"inside", header, claims(`,"realm":{"roles":[],"roles":[1]}`), "claims: has a member twice"},
		{"inside a list", header, claims(`,"l":[{"b":1,"b":2}]`), "claims: has a member twice"},
		{"in the header", `{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"rsa-1"}`, claims(``), "header: has a member twice"},
		{"in the header, what is not looked at", `{"x":1,"alg":"RS256","typ":"at+jwt","kid":"rsa-1","x":1}`, claims(``), "header: has a member twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := op.SignText("RS256", c.header, c.claims)
			wantToken(t, access(p, raw), c.says, raw)
			if _, err := Unverified(raw); (err == nil) != (c.says == "") {
				t.Errorf("Unverified: found error %v", err)
			}
			forged := raw[:strings.LastIndex(raw, ".")+1] + "AAAA"
			wantToken(t, access(p, forged), "signature", forged)
		})
	}
}
