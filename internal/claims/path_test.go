package claims

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/identity"
)

func TestPathLookup(t *testing.T) {
	id := subject(t, everyShape)
	cases := []struct {
		name, want string // want: as JSON; empty: not found
	}{
		{"sub", `"7f3"`},
		{"level", `3`},
		{"null", `null`},
		{"none", `[]`},
		{"org.unit", `{"name":"it","roles":["lead"]}`},
		{"org.unit.roles", `["lead"]`},
		{`https://example\.com/roles`, `["owner"]`},
		{"id_token.sub", `"of-id"`},
		{"access_token.scp", `["call"]`},
		{"id_token", `"a claim of that name"`},
		{`id_token\.x`, `"another"`},
		{"https://example.com/roles", ""},
		{"absent", ""},
		{"Sub", ""},
		{"null.a", ""},
		{"sub.a", ""},
		{"groups.0", ""},
		{"org.unit.absent", ""},
		{"id_token.email", ""},
		{"id_token.id_token.sub", ""},
	}
	for _, c := range cases {
		path, err := ParsePath(c.name)
		if err != nil {
			t.Errorf("%q: %v", c.name, err)
			continue
		}
		value, ok := path.Lookup(id)
		if ok != (c.want != "") {
			t.Errorf("%q: found %v", c.name, ok)
			continue
		}
		got, err := json.Marshal(value)
		if err != nil || (ok && string(got) != c.want) {
			t.Errorf("%q: got %s (%v), want %s", c.name, got, err, c.want)
		}
	}
}

func TestPathOfNothing(t *testing.T) {
	path, err := ParsePath("a.b")
	if err != nil {
		t.Fatal(err)
	}
	if value, ok := path.Lookup(&identity.Identity{}); ok || value != nil {
		t.Errorf("found %v in an identity without claims", value)
	}
}

func TestPathEscapes(t *testing.T) {
	cases := []struct {
		name string
		want []string
	}{
		{`a`, []string{`a`}},
		{`a.b.c`, []string{`a`, `b`, `c`}},
		{`a\.b`, []string{`a.b`}},
		{`a\\.b`, []string{`a\`, `b`}},
		{`a\\\.b`, []string{`a\.b`}},
		{`\.`, []string{`.`}},
		{`\\`, []string{`\`}},
		{`\..\.`, []string{`.`, `.`}},
		{`a b.é`, []string{`a b`, `é`}},
	}
	for _, c := range cases {
		path, err := ParsePath(c.name)
		if err != nil {
			t.Errorf("%q: %v", c.name, err)
			continue
		}
		got := append(append([]string{}, path.parents...), path.name)
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPathErrors(t *testing.T) {
	const empty = `found an empty name, want one between the dots (\. for a dot in a name)`
	const lone = `found a lone backslash, want \. for a dot or \\ for a backslash`
	cases := []struct{ name, want string }{
		{"", "column 1: " + empty},
		{".", "column 1: " + empty},
		{".a", "column 1: " + empty},
		{"a.", "column 3: " + empty},
		{"a..b", "column 3: " + empty},
		{`a\..`, "column 5: " + empty},
		{"id_token.", "column 10: " + empty},
		{"access_token.", "column 14: " + empty},
		{"access_token..sub", "column 14: " + empty},
		{`a\`, "column 2: " + lone},
		{`a\b`, "column 2: " + lone},
		{`a.\n`, "column 3: " + lone},
		{`a\\\`, "column 4: " + lone},
	}
	for _, c := range cases {
		_, err := ParsePath(c.name)
		if err == nil {
			t.Errorf("%q was parsed", c.name)
			continue
		}
		if !strings.HasSuffix(err.Error(), "at "+c.want+": syntax error") || !errors.Is(err, ErrSyntax) {
			t.Errorf("%q\n got %s\nwant %s", c.name, err, c.want)
		}
	}
}
