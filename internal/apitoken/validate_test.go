package apitoken

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	many := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint("scope", i)
		}
		return list
	}
	for _, c := range []struct {
		what   string
		change func(t *Token)
		want   bool
	}{
		{"a token", func(t *Token) {}, true},
		{"no id", func(t *Token) { t.ID = "" }, false},
		{"a short id", func(t *Token) { t.ID = t.ID[1:] }, false},
		{"an id in upper case", func(t *Token) { t.ID = strings.Repeat("A", 16) }, false},
		{"an id with a line end", func(t *Token) { t.ID = t.ID[1:] + "\n" }, false},
		{"a whole credential as id", func(t *Token) { t.ID = good + goodSum }, false},
		{"no hash", func(t *Token) { t.Hash = "" }, false},
		{"a short hash", func(t *Token) { t.Hash = t.Hash[1:] }, false},
		{"a hash in upper case", func(t *Token) { t.Hash = strings.Repeat("A", 64) }, false},
		{"a previous hash", func(t *Token) { t.PreviousHash = hash("e") }, true},
		{"a short previous hash", func(t *Token) { t.PreviousHash = "e" }, false},
		{"no owner", func(t *Token) { t.Owner = "" }, false},
		{"an owner of 255 bytes", func(t *Token) { t.Owner = strings.Repeat("x", 255) }, true},
		{"an owner of 256 bytes", func(t *Token) { t.Owner = strings.Repeat("x", 256) }, false},
		{"an owner with an accent", func(t *Token) { t.Owner = "Zoë" }, true},
		{"an owner that is no UTF-8", func(t *Token) { t.Owner = "\xff" }, false},
		{"an owner with NUL", func(t *Token) { t.Owner = "a\x00" }, false},
		{"an owner with a line end", func(t *Token) { t.Owner = "a\r\nb" }, false},
		{"an owner with DEL", func(t *Token) { t.Owner = "a\x7f" }, false},
		{"an owner with a C1 control", func(t *Token) { t.Owner = "a\u0085" }, false},
		{"a note of 200 bytes", func(t *Token) { t.Note = strings.Repeat("x", 200) }, true},
		{"a note of 201 bytes", func(t *Token) { t.Note = strings.Repeat("x", 201) }, false},
		{"a note with a tab", func(t *Token) { t.Note = "a\tb" }, false},
		{"a note that is no UTF-8", func(t *Token) { t.Note = "\xc3" }, false},
		{"50 scopes", func(t *Token) { t.Scopes = many(50) }, true},
		{"51 scopes", func(t *Token) { t.Scopes = many(51) }, false},
		{"an empty scope", func(t *Token) { t.Scopes = []string{""} }, false},
		{"a scope of signs", func(t *Token) { t.Scopes = []string{"!#[]~api:read/x"} }, true},
		{"a scope with a space", func(t *Token) { t.Scopes = []string{"a b"} }, false},
		{"a scope with a quote", func(t *Token) { t.Scopes = []string{`a"`} }, false},
		{"a scope with a backslash", func(t *Token) { t.Scopes = []string{`a\`} }, false},
		{"a scope with an accent", func(t *Token) { t.Scopes = []string{"é"} }, false},
		{"a scope with a line end", func(t *Token) { t.Scopes = []string{"a\n"} }, false},
		{"a scope of 100 bytes", func(t *Token) { t.Scopes = []string{strings.Repeat("x", 100)} }, true},
		{"a scope of 101 bytes", func(t *Token) { t.Scopes = []string{strings.Repeat("x", 101)} }, false},
		{"a scope twice", func(t *Token) { t.Scopes = []string{"a", "b", "a"} }, false},
		{"created before time", func(t *Token) { t.Created = -1 }, false},
		{"an end before time", func(t *Token) { t.Expires = -1 }, false},
		{"rotated before time", func(t *Token) { t.Rotated = -1 }, false},
		{"a grace before time", func(t *Token) { t.PreviousUntil = -1 }, false},
	} {
		one := token("a", "alice")
		c.change(&one)
		err := one.Validate()
		if (err == nil) != c.want || (err != nil && !errors.Is(err, ErrInvalid)) {
			t.Errorf("%s: %v, want it good: %v", c.what, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), hash("a")) || strings.Contains(err.Error(), "lk_")) {
			t.Errorf("%s: the error tells: %v", c.what, err)
		}
	}
}
