package main

import "testing"

// What somebody wrote moves no cursor.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "-",
		"a b":               "a b",
		"\x1b[31mred":       `\x1b[31mred`,
		"a\tb\nc":           `a\tb\nc`,
		"käse \u202egnirts": `käse \u202egnirts`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
