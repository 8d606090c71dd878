package redis

import (
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/costtest"
)

// A server's reply is read at a price in proportion to its length.
func TestRepliesCostTheirLength(t *testing.T) {
	for name, reply := range map[string]func(n int) string{
		"a text":           func(n int) string { return "$" + strconv.Itoa(n) + "\r\n" + strings.Repeat("x", n) + "\r\n" },
		"a text that ends": func(n int) string { return "$" + strconv.Itoa(n*1000) + "\r\n" + strings.Repeat("x", n) },
		"a line":           func(n int) string { return "+" + strings.Repeat("x", n) + "\r\n" },
		"an error":         func(n int) string { return "-" + strings.Repeat("x", n) + "\r\n" },
		"a number":         func(n int) string { return ":" + strings.Repeat("1", n) + "\r\n" },
		"a list":           func(n int) string { return "*" + strconv.Itoa(n/4) + "\r\n" + strings.Repeat(":1\r\n", n/4) },
		"a list that ends": func(n int) string { return "*" + strconv.Itoa(n*1000) + "\r\n" + strings.Repeat(":1\r\n", n/4) },
		"lists in lists":   func(n int) string { return strings.Repeat("*1\r\n", n/4) },
		"lists, side by side": func(n int) string {
			return "*" + strconv.Itoa(n/8) + "\r\n" + strings.Repeat("*1\r\n:1\r\n", n/8)
		},
	} {
		costtest.Linear(t, name, 2_500, 64<<20, func(n int) func() {
			bytes := reply(n)
			return func() { _, _ = newReader(strings.NewReader(bytes)).read() }
		})
	}
}
