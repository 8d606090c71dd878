package claims

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A kind of token. The operators, parentheses and the comma are their own.
type kind string

const (
	end  kind = "the end of the rule"
	name kind = "name"
	text kind = "string"
)

var symbols = []string{"&&", "||", "!", "(", ")", ","}

const (
	spaces  = " \t\r\n"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
)

// A token is one piece of a rule.
type token struct {
	kind  kind
	value string // of a string: what it means; else as it was written
	at    int    // the offset of its first byte
	next  int    // the offset after its last
}

// found describes a token for an error.
func (t token) found() string {
	switch t.kind {
	case end:
		return string(end)
	case text:
		return fmt.Sprintf("the string %.80q", t.value)
	}
	return fmt.Sprintf("%.80q", t.value)
}

// scan reads the first token at or after an offset.
func scan(rule string, offset int) (token, error) {
	rest := strings.TrimLeft(rule[offset:], spaces)
	at := len(rule) - len(rest)
	if rest == "" {
		return token{kind: end, at: at, next: at}, nil
	}
	if rest[0] == '`' || rest[0] == '"' {
		return scanString(rest, at)
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(rest, symbol) {
			return token{kind: kind(symbol), value: symbol, at: at, next: at + len(symbol)}, nil
		}
	}
	if size := len(rest) - len(strings.TrimLeft(rest, letters)); size > 0 {
		return token{kind: name, value: rest[:size], at: at, next: at + size}, nil
	}
	_, size := utf8.DecodeRuneInString(rest)
	return token{}, ruleError(at, fmt.Sprintf("%q", rest[:size]), "a function, a string in backquotes, or one of && || ! ( ) ,")
}

func scanString(rest string, at int) (token, error) {
	literal, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return token{}, ruleError(at, fmt.Sprintf("a string that starts %.20q", rest), "a closing quote of the same kind, and only Go's escapes between double quotes")
	}
	scanned := token{kind: text, value: literal[1 : len(literal)-1], at: at, next: at + len(literal)}
	if rest[0] == '"' {
		// QuotedPrefix has checked what Unquote would complain of.
		scanned.value, _ = strconv.Unquote(literal)
	}
	return scanned, nil
}

// ruleError says where a rule went wrong: columns are bytes, the first is 1.
func ruleError(at int, found, want string) error {
	return fmt.Errorf("parse rule at column %d: found %s, want %s: %w", at+1, found, want, ErrSyntax)
}
