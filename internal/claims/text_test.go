package claims

import (
	"math"
	"testing"
)

func TestText(t *testing.T) {
	cases := []struct {
		value interface{}
		want  string
	}{
		{"a b", "a b"},
		{"", ""},
		{true, "true"},
		{false, "false"},
		{float64(0), "0"},
		{float64(-5), "-5"},
		{float64(1700000000), "1700000000"},
		{float64(9007199254740991), "9007199254740991"},
		{float64(-9007199254740991), "-9007199254740991"},
		{1.5, "1.5"},
		{1e-7, "0.0000001"},
	}
	for _, c := range cases {
		if got, ok := Text(c.value); !ok || got != c.want {
			t.Errorf("%#v: got %q, %v, want %q", c.value, got, ok, c.want)
		}
	}
}

func TestNoText(t *testing.T) {
	for _, value := range []interface{}{
		nil,
		float64(9007199254740992), float64(-9007199254740992), math.MaxFloat64,
		[]interface{}{}, []interface{}{"a"},
		map[string]interface{}{}, map[string]interface{}{"a": "b"},
		struct{}{},
	} {
		if got, ok := Text(value); ok || got != "" {
			t.Errorf("%#v has the text %q", value, got)
		}
	}
}
