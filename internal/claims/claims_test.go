package claims

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/identity"
)

// The example of Traefik Hub's documentation, and what it says of nesting.
const hubExample = `{
	"active": true,
	"grp": "admin",
	"scope": "reader writer deploy",
	"referrer": "http://example.com/foo/bar",
	"areas": ["office", "home"],
	"user": {"name": "John Snow", "full.name": "Jon", "back\\slash": "yes", "status": "undead"}
}`

// The claims of somebody with one of every shape.
const everyShape = `{
	"sub": "7f3",
	"email": "ann@example.com",
	"email_verified": true,
	"locked": false,
	"groups": ["dev", "ops team", "a,b", 500, true, null, ["nested"], {"name": "object"}],
	"none": [],
	"scopes": ["read write", "admin"],
	"csv": "reader, writer ,deploy",
	"padded": " writer",
	"level": 3,
	"uid": 1512435789,
	"huge": 1e21,
	"ratio": 1.512435789,
	"small": 0.0000001,
	"negative": -5,
	"empty": "",
	"null": null,
	"https://example.com/roles": ["owner"],
	"org": {"unit": {"name": "it", "roles": ["lead"]}, "": "nobody"},
	"id_token": "a claim of that name",
	"id_token.x": "another",
	"access_token": {"sub": "an object of that name"}
}`

func decode(t *testing.T, text string) map[string]interface{} {
	t.Helper()
	claims := map[string]interface{}{}
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		t.Fatalf("decode the claims: %v", err)
	}
	return claims
}

// subject has different claims in its two tokens.
func subject(t *testing.T, claims string) *identity.Identity {
	t.Helper()
	return &identity.Identity{
		Claims:      decode(t, claims),
		IDToken:     map[string]interface{}{"sub": "of-id", "grp": "staff", "a": map[string]interface{}{"b": "id"}},
		AccessToken: map[string]interface{}{"sub": "of-access", "scp": []interface{}{"call"}},
	}
}

// A policy test is lines of "allow RULE" and "deny RULE".
func checkPolicy(t *testing.T, id *identity.Identity, policy string) {
	t.Helper()
	checked := 0
	for _, line := range strings.Split(policy, "\n") {
		verdict, text, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		rule, err := Parse(strings.TrimSpace(text))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if rule(id) != (verdict == "allow") {
			t.Errorf("want %s", line)
		}
		checked++
	}
	if checked == 0 {
		t.Error("the policy has no line")
	}
}

// quote lets a policy in a raw string say ` as '.
func quote(policy string) string { return strings.ReplaceAll(policy, "'", "`") }

func TestHubDocumentation(t *testing.T) {
	checkPolicy(t, subject(t, hubExample), quote(`
		allow Equals('grp', 'admin')
		allow Prefix('referrer', 'http://example.com')
		allow Contains('referrer', '/foo/')
		allow Contains('areas', 'home')
		allow SplitContains('scope', ' ', 'writer')
		allow OneOf('areas', 'office', 'lab')
		allow Equals('grp', 'admin') && Equals('active', 'true')
		allow Equals('grp', 'admin') || Equals('active', 'true')
		allow !Equals('grp', 'testers')
		allow Equals('user.name', 'John Snow')
		allow Equals('user.full\.name', 'Jon')
		allow Equals('user.back\\slash', 'yes')
		allow Equals('id_token.grp', 'staff')
		deny  Equals('access_token.grp', 'admin')
	`))
}

func TestFunctions(t *testing.T) {
	cases := []struct{ name, policy string }{
		{"equals", `
			allow Equals('sub', '7f3')
			deny  Equals('sub', '7F3')
			deny  Equals('sub', '7f')
			allow Equals('email_verified', 'true')
			allow Equals('locked', 'false')
			deny  Equals('locked', '')
			allow Equals('empty', '')
			allow Equals('level', '3')
			deny  Equals('level', '3.0')
			allow Equals('uid', '1512435789')
			deny  Equals('huge', '1000000000000000000000')
			allow Equals('ratio', '1.512435789')
			allow Equals('small', '0.0000001')
			allow Equals('negative', '-5')
			deny  Equals('groups', 'dev')
			deny  Equals('none', '')
			deny  Equals('org', '')
			deny  Equals('null', '')
			deny  Equals('null', 'null')
			deny  Equals('absent', '')
		`},
		{"prefix", `
			allow Prefix('email', 'ann@')
			allow Prefix('email', 'ann@example.com')
			allow Prefix('email', '')
			deny  Prefix('email', 'Ann@')
			deny  Prefix('email', 'ann@example.com.')
			deny  Prefix('groups', 'dev')
			deny  Prefix('groups', '')
			deny  Prefix('uid', '1')
			deny  Prefix('email_verified', 't')
			deny  Prefix('null', '')
			deny  Prefix('absent', '')
		`},
		{"suffix", `
			allow Suffix('email', '@example.com')
			allow Suffix('email', 'ann@example.com')
			allow Suffix('email', '')
			deny  Suffix('email', '@Example.com')
			deny  Suffix('email', '@example.co')
			deny  Suffix('email', 'nn@example.org')
			deny  Suffix('email', ' ann@example.com')
			deny  Suffix('groups', 'team')
			deny  Suffix('groups', '')
			deny  Suffix('uid', '9')
			deny  Suffix('email_verified', 'e')
			deny  Suffix('null', '')
			deny  Suffix('absent', '')
		`},
		{"contains", `
			allow Contains('email', '@example.')
			allow Contains('email', '')
			deny  Contains('email', '@EXAMPLE.')
			allow Contains('groups', 'dev')
			deny  Contains('groups', 'de')
			deny  Contains('groups', 'ops')
			allow Contains('groups', 'a,b')
			allow Contains('groups', '500')
			allow Contains('groups', 'true')
			deny  Contains('groups', '')
			deny  Contains('groups', 'nested')
			deny  Contains('groups', 'object')
			deny  Contains('none', '')
			deny  Contains('uid', '1512435789')
			deny  Contains('org', 'unit')
			deny  Contains('null', '')
			deny  Contains('absent', '')
		`},
		{"split", `
			allow SplitContains('csv', ',', 'reader')
			allow SplitContains('csv', ',', 'writer')
			allow SplitContains('csv', ',', ' writer ')
			deny  SplitContains('csv', ',', 'write')
			deny  SplitContains('csv', ',', 'reader, writer')
			deny  SplitContains('csv', ' ', 'writer deploy')
			allow SplitContains('csv', ' ,', 'deploy')
			deny  SplitContains('csv', ';', 'reader')
			allow SplitContains('padded', ',', 'writer')
			allow SplitContains('empty', ',', '')
			allow SplitContains('scopes', ' ', 'write')
			allow SplitContains('scopes', ' ', 'admin')
			deny  SplitContains('scopes', ' ', 'read write')
			deny  SplitContains('groups', ' ', '500')
			deny  SplitContains('uid', ' ', '1512435789')
			deny  SplitContains('none', ' ', '')
			deny  SplitContains('org', ' ', 'unit')
			deny  SplitContains('null', ' ', '')
			deny  SplitContains('absent', ' ', '')
		`},
		{"one of", `
			allow OneOf('groups', 'dev')
			allow OneOf('groups', 'qa', 'dev', 'lab')
			deny  OneOf('groups', 'qa', 'ops')
			allow OneOf('groups', '500')
			deny  OneOf('groups', '')
			deny  OneOf('groups', 'nested', 'object')
			allow OneOf('sub', 'x', '7f3')
			allow OneOf('level', '2', '3')
			allow OneOf('email_verified', 'true')
			deny  OneOf('sub', '7f', '7f33')
			deny  OneOf('none', '')
			deny  OneOf('org', 'unit')
			deny  OneOf('null', '', 'null')
			deny  OneOf('absent', '')
		`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			checkPolicy(t, subject(t, everyShape), quote(c.policy))
		})
	}
}

func TestClaimNames(t *testing.T) {
	checkPolicy(t, subject(t, everyShape), quote(`
		allow Equals('org.unit.name', 'it')
		allow Contains('org.unit.roles', 'lead')
		deny  Equals('org.unit.name.first', 'it')
		deny  Equals('org.Unit.name', 'it')
		deny  Equals('org\.unit\.name', 'it')
		deny  Equals('groups.0', 'dev')
		deny  Contains('https://example.com/roles', 'owner')
		allow Contains('https://example\.com/roles', 'owner')
		allow Contains("https://example\\.com/roles", "owner")
		allow Equals('sub', '7f3')
		allow Equals('id_token.sub', 'of-id')
		allow Equals('id_token.a.b', 'id')
		allow Equals('access_token.sub', 'of-access')
		allow Contains('access_token.scp', 'call')
		deny  Equals('id_token.email', 'ann@example.com')
		deny  Equals('access_token.a.b', 'id')
		deny  Equals('access_token.sub', 'an object of that name')
		allow Equals('id_token', 'a claim of that name')
		allow Equals('id_token\.x', 'another')
	`))
}

func TestTokenThatIsNotThere(t *testing.T) {
	bearer := &identity.Identity{Claims: map[string]interface{}{"sub": "a"}}
	checkPolicy(t, bearer, quote(`
		deny  Equals('id_token.sub', 'a')
		deny  Equals('access_token.sub', 'a')
		allow !Equals('id_token.sub', 'a')
	`))
}

func TestOperators(t *testing.T) {
	id := &identity.Identity{Claims: map[string]interface{}{"t": true}}
	yes, no := "Equals(`t`, `true`)", "Equals(`t`, `false`)"
	policy := `
		allow Y
		deny  N
		deny  !Y
		allow !N
		allow !!Y
		deny  !(Y)
		allow Y && Y
		deny  Y && N
		deny  N && Y
		deny  N && N
		allow Y || Y
		allow Y || N
		allow N || Y
		deny  N || N
		allow Y || Y && N
		allow N && N || Y
		deny  (Y || Y) && N
		deny  N && (N || Y)
		allow !N && Y
		deny  !(N || Y)
		deny  !Y || N
		allow ((Y))
		allow Y && Y && Y && Y
		deny  Y && Y && Y && N
		allow N || N || N || Y
		allow Y&&Y||N
		allow ! ( N )
		deny  !Equals('t', 'true')
		allow !Equals('absent', 'true')
	`
	checkPolicy(t, id, quote(strings.NewReplacer("Y", yes, "N", no).Replace(policy)))
}

func TestWhiteSpaceIsFree(t *testing.T) {
	id := subject(t, hubExample)
	for _, text := range []string{
		"Equals(`grp`,`admin`)&&!Equals(`grp`,`dev`)",
		"\r\n\t Equals\n(\n`grp`\t,\r\n`admin` )\n\n&&\n!\nEquals ( `grp` , `dev` ) \n",
		"Equals(\"grp\", \"\\x61dmin\") && !Equals(\"grp\", `dev`)",
	} {
		rule, err := Parse(text)
		if err != nil {
			t.Errorf("parse %q: %v", text, err)
			continue
		}
		if !rule(id) {
			t.Errorf("%q denies", text)
		}
	}
}

func TestStringsMeanWhatTheySay(t *testing.T) {
	id := &identity.Identity{Claims: map[string]interface{}{
		"back": "a\r\nb\\n", "double": "say `hi`\n\"é\"", "operators": "a) && (b || !c",
	}}
	for _, text := range []string{
		"Equals(`back`, `a\r\nb\\n`)",
		`Equals("double", "say ` + "`hi`" + `\n\"\u00e9\"")`,
		"Equals(`operators`, `a) && (b || !c`)",
	} {
		rule, err := Parse(text)
		if err != nil {
			t.Errorf("parse %q: %v", text, err)
			continue
		}
		if !rule(id) {
			t.Errorf("%q denies", text)
		}
	}
}

func TestRuleIsSharedByRequests(t *testing.T) {
	rule, err := Parse("OneOf(`groups`, `dev`) && (SplitContains(`csv`, `,`, `writer`) || !Equals(`sub`, `x`))")
	if err != nil {
		t.Fatal(err)
	}
	allowed, denied := subject(t, everyShape), &identity.Identity{}
	wrong := make([]bool, 8)
	var done sync.WaitGroup
	for i := range wrong {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			for n := 0; n < 50; n++ {
				if !rule(allowed) || rule(denied) {
					wrong[i] = true
				}
			}
		}(i)
	}
	done.Wait()
	for _, w := range wrong {
		if w {
			t.Error("two goroutines of one rule disturb each other")
		}
	}
}
