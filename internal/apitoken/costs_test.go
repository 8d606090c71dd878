package apitoken

import (
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/costtest"
)

// A file that anybody may have written by hand, and a credential that anybody may
// have made up, are read at a price in proportion to their length.
func TestFilesCostTheirLength(t *testing.T) {
	for name, content := range map[string]func(n int) string{
		"no JSON":            func(n int) string { return strings.Repeat("x", n) },
		"lists in lists":     func(n int) string { return `{"version":1,"tokens":` + strings.Repeat("[", n) },
		"objects in objects": func(n int) string { return `{"version":1,"tokens":` + strings.Repeat(`{"a":`, n/5) },
		"lists in a token":   func(n int) string { return `{"version":1,"tokens":{"a":{"scopes":` + strings.Repeat("[", n) },
		"scopes of a token": func(n int) string {
			return `{"version":1,"tokens":{"a":{"scopes":[` + strings.Repeat(`"a",`, n/4) + `"a"]}}}`
		},
		"one id, many times":  func(n int) string { return `{"version":1,"tokens":{` + strings.Repeat(`"a":{},`, n/7) + `"b":{}}}` },
		"members of the file": func(n int) string { return `{"version":1,` + strings.Repeat(`"a":1,`, n/6) + `"b":1}` },
		"white space":         func(n int) string { return strings.Repeat(" ", n) + `{"version":1,"tokens":{}}` },
	} {
		costtest.Linear(t, name, 10_000, 32<<20, func(n int) func() {
			data := []byte(content(n))
			return func() { _, _ = parse(data) }
		})
	}
	for name, credential := range map[string]func(n int) string{
		"a long one":        func(n int) string { return "lk_" + strings.Repeat("0", n) },
		"one of many parts": func(n int) string { return "lk_" + strings.Repeat("_", n) },
	} {
		costtest.Linear(t, name, 10_000, 1<<20, func(n int) func() {
			text := credential(n)
			return func() { _, _, _ = Parse(text) }
		})
	}
}
