package claims

import (
	"errors"
	"strings"
	"testing"
)

func TestParseErrors(t *testing.T) {
	const (
		start     = "a function, ! or ("
		functions = "one of Contains, Equals, OneOf, Prefix, SplitContains, Suffix"
		aString   = "a string in backquotes or double quotes"
		closing   = "a closing quote of the same kind, and only Go's escapes between double quotes"
		symbol    = "a function, a string in backquotes, or one of && || ! ( ) ,"
	)
	cases := []struct{ rule, want string }{
		{"", "column 1: found the end of the rule, want " + start},
		{" \n\t ", "column 5: found the end of the rule, want " + start},
		{"()", `column 2: found ")", want ` + start},
		{"'a'", "column 1: found the string \"a\", want " + start},
		{"&& Equals('a', 'b')", `column 1: found "&&", want ` + start},
		{"Equals('a', 'b') &&", "column 20: found the end of the rule, want " + start},
		{"Equals('a', 'b') ||", "column 20: found the end of the rule, want " + start},
		{"Equals('a', 'b') && || Equals('a', 'b')", `column 21: found "||", want ` + start},
		{"!", "column 2: found the end of the rule, want " + start},
		{"Equals('a', 'b') Equals('a', 'b')", `column 18: found "Equals", want &&, || or the end of the rule`},
		{"Equals('a', 'b') !Equals('a', 'b')", `column 18: found "!", want &&, || or the end of the rule`},
		{"Equals('a', 'b'))", `column 17: found ")", want &&, || or the end of the rule`},
		{"(Equals('a', 'b')", "column 18: found the end of the rule, want &&, || or )"},
		{"(Equals('a', 'b'),", `column 18: found ",", want &&, || or )`},

		{"Equals('a', 'b') & Equals('a', 'b')", `column 18: found "&", want ` + symbol},
		{"Equals('a', 'b') | Equals('a', 'b')", `column 18: found "|", want ` + symbol},
		{"Equals('a', 'b') || ?", `column 21: found "?", want ` + symbol},
		{"Equals('a', 'b') && ?", `column 21: found "?", want ` + symbol},
		{"(Equals('a', 'b') || ?)", `column 22: found "?", want ` + symbol},
		{"Equals('a', 'b') = 'x'", `column 18: found "=", want ` + symbol},
		{"Equals('a'; 'b')", `column 11: found ";", want ` + symbol},
		{"é", `column 1: found "é", want ` + symbol},
		{"Equals('a', 'b')\xff", `column 17: found "\xff", want ` + symbol},
		{"Equals('a', 'b')\x00", `column 17: found "\x00", want ` + symbol},
		{"Equals('a', 'b')\u00a0", `column 17: found "\u00a0", want ` + symbol},

		{"Equal('a', 'b')", `column 1: found "Equal", want ` + functions},
		{"equals('a', 'b')", `column 1: found "equals", want ` + functions},
		{"EQUALS('a', 'b')", `column 1: found "EQUALS", want ` + functions},
		{"Equals('a', 'b') and Prefix('a', 'b')", `column 18: found "and", want &&, || or the end of the rule`},
		{"Equals('a', 'b') &&\n  Nope('a')", `column 23: found "Nope", want ` + functions},

		{"Equals", "column 7: found the end of the rule, want ( as in Equals('claim', 'value')"},
		{"Equals 'a'", "column 8: found the string \"a\", want ( as in Equals('claim', 'value')"},
		{"Equals(", "column 8: found the end of the rule, want " + aString},
		{"Equals(a, 'b')", `column 8: found "a", want ` + aString},
		{"Equals('a', 5)", `column 13: found "5", want ` + aString},
		{"Equals(, 'b')", `column 8: found ",", want ` + aString},
		{"Equals('a', )", `column 13: found ")", want ` + aString},
		{"Equals('a', 'b',)", `column 17: found ")", want ` + aString},
		{"Equals('a' 'b')", "column 12: found the string \"b\", want , or )"},
		{"Equals('a', 'b'", "column 16: found the end of the rule, want , or )"},
		{"Equals('a', Equals('a', 'b'))", `column 13: found "Equals", want ` + aString},

		{"Equals('a', 'b", "column 13: found a string that starts \"`b\", want " + closing},
		{`Equals("a", "b`, `column 13: found a string that starts "\"b", want ` + closing},
		{`Equals("a.b\.c", "b")`, `column 8: found a string that starts "\"a.b\\.c\", \"b\")", want ` + closing},
		{"Equals(\"a\nb\", 'b')", `column 8: found a string that starts "\"a\nb\", ` + "`b`)" + `", want ` + closing},

		{"Equals()", "column 1: found Equals of 0 arguments, want Equals('claim', 'value')"},
		{"Equals('a')", "column 1: found Equals of 1 arguments, want Equals('claim', 'value')"},
		{"Equals('a', 'b', 'c')", "column 1: found Equals of 3 arguments, want Equals('claim', 'value')"},
		{"!Prefix('a')", "column 2: found Prefix of 1 arguments, want Prefix('claim', 'prefix')"},
		{"Prefix('a', 'b', 'c')", "column 1: found Prefix of 3 arguments, want Prefix('claim', 'prefix')"},
		{"Suffix('a')", "column 1: found Suffix of 1 arguments, want Suffix('claim', 'suffix')"},
		{"Suffix('a', 'b', 'c')", "column 1: found Suffix of 3 arguments, want Suffix('claim', 'suffix')"},
		{"Contains('a')", "column 1: found Contains of 1 arguments, want Contains('claim', 'value')"},
		{"Contains('a', 'b', 'c')", "column 1: found Contains of 3 arguments, want Contains('claim', 'value')"},
		{"SplitContains('a', 'b')", "column 1: found SplitContains of 2 arguments, want SplitContains('claim', 'separator', 'value')"},
		{"SplitContains('a', 'b', 'c', 'd')", "column 1: found SplitContains of 4 arguments, want SplitContains('claim', 'separator', 'value')"},
		{"OneOf('a')", "column 1: found OneOf of 1 arguments, want OneOf('claim', 'value', …)"},
		{"SplitContains('a', '', 'b')", "column 20: found an empty separator, want one that is not, as in SplitContains('claim', 'separator', 'value')"},

		{"Equals('', 'b')", `column 8: parse claim name "" at column 1: found an empty name, want one between the dots (\. for a dot in a name)`},
		{"Equals('a..b', 'b')", `column 8: parse claim name "a..b" at column 3: found an empty name, want one between the dots (\. for a dot in a name)`},
		{"Equals('a.b', 'b') || Equals('c.', 'b')", `column 30: parse claim name "c." at column 3: found an empty name, want one between the dots (\. for a dot in a name)`},
	}
	for _, c := range cases {
		text, want := quote(c.rule), "parse rule at "+quote(c.want)+": syntax error"
		if strings.Contains(c.want, "Go's") {
			want = "parse rule at " + c.want + ": syntax error"
		}
		rule, err := Parse(text)
		if err == nil || rule != nil {
			t.Errorf("%q was parsed; want %q", text, want)
			continue
		}
		if err.Error() != want {
			t.Errorf("%q\n got %s\nwant %s", text, err, want)
		}
		if !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: the error is not ErrSyntax", text)
		}
	}
}

func TestParseBounds(t *testing.T) {
	term := "Equals(`a`, `b`)"
	nested := func(open, close string, depth int) string {
		return strings.Repeat(open, depth) + term + strings.Repeat(close, depth)
	}
	sized := func(size int) string { return term + strings.Repeat(" ", size-len(term)) }
	cases := []struct {
		name, rule, want string
	}{
		{"8 KiB", sized(8192), ""},
		{"a byte more", sized(8193), "column 8193: found 8193 bytes, want at most 8192"},
		{"64 parentheses", nested("(", ")", 64), ""},
		{"65 parentheses", nested("(", ")", 65), `column 65: found "(", want parentheses and ! at most 64 deep`},
		{"64 negations", nested("!", "", 64), ""},
		{"65 negations", nested("!", "", 65), `column 65: found "!", want parentheses and ! at most 64 deep`},
		{"32 of both", nested("!(", ")", 32), ""},
		{"33 of both", nested("!(", ")", 33), `column 65: found "!", want parentheses and ! at most 64 deep`},
		{"the depth ends with its parenthesis", strings.Repeat("!("+term+") && ", 100) + term, ""},
		{"400 terms are not deep", strings.Repeat(term+"||", 400) + term, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.rule)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrSyntax) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
}

// A rule that is broken anywhere is none, and says so: a rule that is missing
// without an error would be open to everybody.
func TestBrokenAnywhere(t *testing.T) {
	const good = "!Equals(`a`, `b`) && (OneOf(`c`, `d`, \"e\") || Prefix(`f`, `g`)) || Contains(`h`, `i`) && !(Equals(`j`, `k`))"
	if rule, err := Parse(good); rule == nil || err != nil {
		t.Fatal(err)
	}
	quoted := ""
	for at := 0; at < len(good); at++ {
		if rule, err := Parse(good[:at]); (rule == nil) != (err != nil) {
			t.Errorf("%q: a rule is missing, or there: %v", good[:at], err)
		}
		inside := quoted != ""
		if c := good[at : at+1]; c == quoted {
			quoted = ""
		} else if !inside && (c == "`" || c == `"`) {
			quoted = c
		}
		for _, bad := range []string{"\x00", "?", "&", "|", "`", "\"", "\\", "é"} {
			broken := good[:at] + bad + good[at:]
			rule, err := Parse(broken)
			if (rule == nil) != (err != nil) {
				t.Errorf("%q: a rule is missing, or there: %v", broken, err)
			}
			if !inside && (bad == "?" || bad == "\x00" || bad == "é") && err == nil {
				t.Errorf("%q: is a rule", broken)
			}
		}
	}
}
