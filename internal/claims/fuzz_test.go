package claims

import (
	"errors"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/identity"
)

// Whatever is written as a rule is refused with ErrSyntax or can be asked.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"Equals(`a`, `b`)",
		"OneOf(`groups`, `ops`, \"d\\x65v\") && !(Prefix(`org.unit`, ``) || Contains(`https://example\\.com`, `x`))",
		"SplitContains(`access_token.scope`, ` `, `writer`)",
		"SplitContains(`scope`, ``, `writer`)",
		"!!((Equals(`id_token.a\\\\`, \"\\\"\")",
		"Equals(`a..b`, `c`) & é \"",
	} {
		f.Add(seed)
	}
	object := map[string]interface{}{"a": "x y", "unit": []interface{}{"x y", 5.0, nil}, "": nil}
	people := []*identity.Identity{
		{},
		{Claims: object, IDToken: object, AccessToken: object},
		{Claims: map[string]interface{}{"a": object, "groups": []interface{}{object, "dev"}, "scope": true, "org": object}},
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrSyntax) || rule != nil {
				t.Fatalf("%q: %v is not ErrSyntax alone", text, err)
			}
			return
		}
		for _, id := range people {
			first, second := rule(id), rule(id)
			if first != second {
				t.Fatalf("%q answers differently the second time", text)
			}
		}
	})
}
