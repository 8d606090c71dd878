package claims

import (
	"encoding/json"
	"errors"
	"testing"
)

// A scope is a word of its own, however the token writes it and wherever the claim
// stands.
func TestScopesAreWords(t *testing.T) {
	for _, form := range []string{
		`"read:all write"`, `"  read:all   write "`, `["read:all","write"]`, `["read:all write"]`, `["write", 7, null, "read:all"]`,
	} {
		for _, name := range []string{"scope", "scp"} {
			for _, place := range []string{"", "id_token.", "access_token.", "org.unit."} {
				claims := `{"` + name + `":` + form + `,"org":{"unit":{"` + name + `":` + form + `}}}`
				id := subject(t, claims)
				if err := json.Unmarshal([]byte(claims), &id.IDToken); err != nil {
					t.Fatal(err)
				}
				id.AccessToken = id.IDToken
				claim := place + name
				checkPolicy(t, id, quote(`
					allow Contains('`+claim+`', 'read:all')
					allow Contains('`+claim+`', 'write')
					deny  Contains('`+claim+`', 'read')
					deny  Contains('`+claim+`', 'all')
					deny  Contains('`+claim+`', '')
					deny  Contains('`+claim+`', ' ')
					deny  Contains('`+claim+`', 'read:all write')
					deny  Contains('`+claim+`', 'Write')
					allow OneOf('`+claim+`', 'other', 'write')
					deny  OneOf('`+claim+`', 'rite', 'read')
					allow SplitContains('`+claim+`', ' ', 'write')
					allow SplitContains('`+claim+`', ':', 'read')
					deny  SplitContains('`+claim+`', ' ', 'read')
				`))
			}
		}
	}
}

// What holds no scopes stays as it is, and only the space stands between two.
func TestScopes(t *testing.T) {
	for form, want := range map[string]string{
		`""`: `[]`, `" "`: `[]`, `[]`: `[]`, `"a"`: `["a"]`, `true`: `true`, `7`: `7`, `null`: `null`, `{"a":"b c"}`: `{"a":"b c"}`,
		`"a\tb"`: `["a\tb"]`, `"a\u00a0b"`: `["a b"]`, `"a,b"`: `["a,b"]`,
	} {
		var claim interface{}
		if err := json.Unmarshal([]byte(form), &claim); err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(Scopes(claim)); string(got) != want {
			t.Errorf("%s reads as %s, want %s", form, got, want)
		}
	}
}

// A rule that no list fulfils is a mistake, lest it silently lets nobody in, or
// everybody where it is turned round.
func TestScopeIsNoText(t *testing.T) {
	for _, rule := range []string{
		"Equals('scope', 'read')", "!Equals('scp', 'read')", "Prefix('scope', 're')", "Suffix('scope', 'ad')", "Equals('access_token.scope', 'a') || Equals('sub', 'b')",
		"Equals('sub', 'b') && !Prefix('id_token.scp', 'a')", "Equals('org.scope', 'a')",
	} {
		if _, err := Parse(quote(rule)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	for _, rule := range []string{"Equals('scopes', 'read')", "Equals('scope.read', 'true')", "Prefix('x_scope', 'a')"} {
		if _, err := Parse(quote(rule)); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}
