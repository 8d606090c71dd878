package oidc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/costtest"
	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// most is what the refusal of a token, or the reading of a document of some
// hundred KiB, may allocate.
const most = 4 << 20

// Nobody signs these tokens. They are refused at a price in proportion to their
// length, whatever is in them.
func TestForgedTokensCostTheirLength(t *testing.T) {
	op, p, _ := start(t)
	good := op.AccessToken(nil)
	wantToken(t, access(p, good), "", good)
	for name, member := range map[string]func(n int) string{
		"lists in lists":        func(n int) string { return strings.Repeat("[", n/2) + strings.Repeat("]", n/2) },
		"lists without an end":  func(n int) string { return strings.Repeat("[", n) },
		"objects in objects":    func(n int) string { return strings.Repeat(`{"":`, n/5) + "1" + strings.Repeat("}", n/5) },
		"lists, side by side":   func(n int) string { return "[" + strings.Repeat("[],", n/3) + "[]]" },
		"lists, a few deep":     func(n int) string { return "[" + strings.Repeat("[[[[[[[[]]]]]]]],", n/17) + "[]]" },
		"texts":                 func(n int) string { return "[" + strings.Repeat(`"",`, n/3) + `""]` },
		"texts with escapes":    func(n int) string { return "[" + strings.Repeat(`"\"",`, n/5) + `""]` },
		"a text of backslashes": func(n int) string { return `"` + strings.Repeat(`\\`, n/2) + `"` },
		"a text of escapes":     func(n int) string { return `"` + strings.Repeat(`\u0022`, n/6) + `"` },
		"brackets in a text":    func(n int) string { return `"` + strings.Repeat("[{", n/2) + `"` },
		"one long text":         func(n int) string { return `"` + strings.Repeat("x", n) + `"` },
		"numbers":               func(n int) string { return "[" + strings.Repeat("1,", n/2) + "1]" },
		"one long number":       func(n int) string { return strings.Repeat("1", n) },
		"one member, many times": func(n int) string {
			return "{" + strings.Repeat(`"a":1,`, n/6) + `"b":1}`
		},
		"white space": func(n int) string { return strings.Repeat(" ", n) + "1" },
		"no JSON":     func(n int) string { return strings.Repeat("x", n) },
		"no UTF-8":    func(n int) string { return `"` + strings.Repeat("\xff", n) + `"` },
	} {
		for _, place := range []string{"x", "aud", "sub", "exp", "header"} {
			costtest.Linear(t, name+" as "+place, 2500, most, func(n int) func() {
				raw := forged(op, place, member(n))
				return func() {
					if access(p, raw) == nil || id(p, raw) == nil || logout(p, raw) == nil {
						t.Errorf("%s as %s: it was taken", name, place)
					}
				}
			})
		}
	}
}

func logout(p *Provider, raw string) error {
	_, err := p.VerifyLogoutToken(background, raw, oidctest.ClientID)
	return err
}

// forged has the member in the header, or as a claim: the last of two counts.
func forged(op *oidctest.Provider, place, member string) string {
	header := `{"alg":"RS256","kid":"rsa-1"`
	claims := fmt.Sprintf(`{"iss":%q,"sub":"a","aud":[%q],"exp":1700000300`, op.Issuer(), oidctest.Audience)
	if place == "header" {
		header += `,"x":` + member
	} else {
		claims += `,"` + place + `":` + member
	}
	return base64url.EncodeToString([]byte(header+"}")) + "." + base64url.EncodeToString([]byte(claims+"}")) + ".AAAA"
}

// What the provider publishes is read at a price in proportion to its length.
func TestDocumentsCostTheirLength(t *testing.T) {
	keys := oidctest.New(t).PublicKeys()
	key := fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"%%d","x":%q,"y":%q},`, keys[1]["x"], keys[1]["y"])
	for name, document := range map[string]func(n int) string{
		"keys": func(n int) string {
			var all strings.Builder
			for i := 0; i < n/150; i++ {
				fmt.Fprintf(&all, key, i)
			}
			return `{"keys":[` + all.String() + `{}]}`
		},
		"keys of one kid":    func(n int) string { return `{"keys":[` + strings.Repeat(fmt.Sprintf(key, 1), n/150) + `{}]}` },
		"keys that are none": func(n int) string { return `{"keys":[` + strings.Repeat(`{},`, n/3) + `{}]}` },
		"key_ops":            func(n int) string { return `{"keys":[{"key_ops":[` + strings.Repeat(`"",`, n/3) + `""]}]}` },
		"lists in lists":     func(n int) string { return `{"keys":` + strings.Repeat("[", n/2) + strings.Repeat("]", n/2) + "}" },
		"endpoints":          func(n int) string { return `{"issuer":"https://a.test","x":[` + strings.Repeat(`"",`, n/3) + `""]}` },
		"algorithms": func(n int) string {
			return `{"issuer":"https://a.test","authorization_endpoint":"https://a.test","token_endpoint":"https://a.test","jwks_uri":"https://a.test",` +
				`"id_token_signing_alg_values_supported":[` + strings.Repeat(`"RS256",`, n/8) + `""]}`
		},
	} {
		costtest.Linear(t, name, 20_000, 64<<20, func(n int) func() {
			data := []byte(document(n))
			return func() {
				object, err := decodeObject(data, maxBody)
				if err != nil {
					return
				}
				_, _ = parseKeySet(object)
				_, _ = parseMetadata(object, "https://a.test", "")
			}
		})
	}
}
