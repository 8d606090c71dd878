package headers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestValue(t *testing.T) {
	cases := []struct{ claim, want string }{
		{`null`, ``},
		{`""`, ``},
		{`"ann@example.com"`, `ann@example.com`},
		{`"Doe, Jane"`, `Doe, Jane`},
		{`"Jos\u00e9 \u2603"`, "Jos\u00e9 \u2603"},
		{`"100%"`, `100%`},
		{`true`, `true`},
		{`false`, `false`},
		{`5`, `5`},
		{`1700000000`, `1700000000`},
		{`1.5`, `1.5`},
		{`[]`, ``},
		{`["ops"]`, `ops`},
		{`["ops", "dev"]`, `ops,dev`},
		{`["a,b", "c"]`, `a%2Cb,c`},
		{`[",,"]`, `%2C%2C`},
		{`["a%2Cb", "a,b", "100%"]`, `a%252Cb,a%2Cb,100%25`},
		{`[" ops", "dev ", " a  b ", "  ", "\u00a0x\u3000"]`, `%20ops,dev%20,%20a  b%20,%20%20,%C2%A0x%E3%80%80`},
		{`"a  b"`, `a  b`},
		{`["a", 5, true, null, ""]`, `a,5,true,,`},
		{`[["x", "y"], {"b": 1, "a": 2}]`, `["x"%2C"y"],{"a":2%2C"b":1}`},
		{`{}`, `{}`},
		{`{"b": [1, "x, y"], "a": {"d": null, "c": "é"}}`, `{"a":{"c":"é","d":null},"b":[1,"x, y"]}`},
	}
	for _, c := range cases {
		var claim interface{}
		if err := json.Unmarshal([]byte(c.claim), &claim); err != nil {
			t.Fatal(err)
		}
		got, err := Value(claim)
		if err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.claim, got, err, c.want)
		}
	}
}

func TestValueWithControlCharacters(t *testing.T) {
	for c := 0; c <= 0x80; c++ {
		s := "a" + string(rune(c)) + "b"
		for shape, claim := range map[string]interface{}{
			"string":           s,
			"element":          []interface{}{"ok", s},
			"element's string": []interface{}{[]interface{}{s}},
			"member":           map[string]interface{}{"a": s},
			"member's name":    map[string]interface{}{s: 1.0},
			"nested":           map[string]interface{}{"a": []interface{}{map[string]interface{}{"b": s}}},
		} {
			_, err := Value(claim)
			if control := c < 0x20 || c == 0x7f; errors.Is(err, ErrValue) != control {
				t.Errorf("%q in a %s: got %v", c, shape, err)
			}
			if err != nil && strings.Contains(err.Error(), s) {
				t.Errorf("%q in a %s: the error quotes the claim: %v", c, shape, err)
			}
		}
	}
}

func TestValueBound(t *testing.T) {
	full := strings.Repeat("a", 8192)
	cases := []struct {
		name  string
		claim interface{}
		fits  bool
	}{
		{"8 KiB", full, true},
		{"a byte more", full + "a", false},
		{"a list of 8 KiB", []interface{}{full[:8190], "b"}, true},
		{"a list of a byte more", []interface{}{full[:8190], "bc"}, false},
		{"commas count as they are written", []interface{}{strings.Repeat(",", 2731)}, false},
		{"an object", map[string]interface{}{"a": full}, false},
	}
	for _, c := range cases {
		got, err := Value(c.claim)
		if c.fits && (err != nil || len(got) != 8192) {
			t.Errorf("%s: got %d bytes, %v", c.name, len(got), err)
		}
		if !c.fits && (!errors.Is(err, ErrValue) || got != "") {
			t.Errorf("%s: got %d bytes, %v", c.name, len(got), err)
		}
	}
}

func TestValueThatIsNotJSON(t *testing.T) {
	for _, claim := range []interface{}{
		float64(1 << 53), []string{"a"}, struct{ A string }{"a\r\n"}, 5, fmt.Errorf("a"),
		[]interface{}{[]string{"a"}},
		map[string]interface{}{"a": math.Inf(1)},
	} {
		if got, err := Value(claim); !errors.Is(err, ErrValue) || got != "" {
			t.Errorf("%T: got %q, %v", claim, got, err)
		}
	}
}

// What a server or a client takes off the ends of a value makes another name of
// it: that is refused, or escaped in an element.
func TestValueWithWhiteSpaceAtAnEnd(t *testing.T) {
	for _, blank := range []string{
		" ", "  ", "\u00a0", "\u0085", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000", "\ufeff", "\u200b", "\u2060", "\u00ad", "\u202e", "\u180e",
	} {
		for _, claim := range []string{blank + "admin", "admin" + blank, blank, blank + "a" + blank, " " + blank + "admin"} {
			if got, err := Value(claim); !errors.Is(err, ErrValue) {
				t.Errorf("%q: got %q, %v", claim, got, err)
			}
			got, err := Value([]interface{}{claim, "x"})
			if err != nil || strings.Contains(got, blank) {
				t.Errorf("%q in a list: got %q, %v", claim, got, err)
			}
			if back, err := url.PathUnescape(strings.TrimSuffix(got, ",x")); err != nil || back != claim {
				t.Errorf("%q in a list: read back: %q, %v", claim, back, err)
			}
		}
		if got, err := Value("a" + blank + "b"); err != nil || got != "a"+blank+"b" {
			t.Errorf("%q inside: got %q, %v", blank, got, err)
		}
	}
	for c := rune(0x80); c <= utf8.MaxRune; c++ {
		if unicode.IsSpace(c) || unicode.IsControl(c) {
			if _, err := Value("a" + string(c)); err == nil {
				t.Errorf("%U at an end goes on", c)
			}
		}
		if c == 0x3100 {
			break // no white space beyond
		}
	}
}
