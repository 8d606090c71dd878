package oauth2

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/costtest"
)

// What the server answers is read at a price in proportion to its length.
func TestAnswersCostTheirLength(t *testing.T) {
	for name, body := range map[string]func(n int) string{
		"no JSON": func(n int) string { return strings.Repeat("x", n) },
		"lists in lists": func(n int) string {
			return `{"access_token":` + strings.Repeat("[", n/2) + strings.Repeat("]", n/2) + "}"
		},
		"objects in objects": func(n int) string { return strings.Repeat(`{"a":`, n/6) + "1" + strings.Repeat("}", n/6) },
		"a long error":       func(n int) string { return `{"error":"` + strings.Repeat("x", n) + `"}` },
		"a long number": func(n int) string {
			return `{"access_token":"a","token_type":"Bearer","expires_in":"` + strings.Repeat("1", n) + `"}`
		},
		"a long scope": func(n int) string {
			return `{"access_token":"a","token_type":"Bearer","scope":"` + strings.Repeat("a ", n/2) + `"}`
		},
	} {
		costtest.Linear(t, name, 10_000, 32<<20, func(n int) func() {
			text := body(n)
			return func() {
				response := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text))}
				if object, err := read(response); err == nil {
					_, _ = parseTokens(object)
				}
			}
		})
	}
}
