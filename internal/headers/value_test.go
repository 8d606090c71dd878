package headers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
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
