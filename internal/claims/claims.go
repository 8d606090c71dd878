// Package claims is the rule language of the authorize setting: Traefik Hub's
// language for JWT claims, and Suffix.
//
//	OneOf(`groups`, `ops`, `dev`) && !Equals(`email_verified`, `false`)
//
// A rule is parsed once, into closures, and then asked about many identities:
//
//	rule     = and { "||" and }
//	and      = unary { "&&" unary }
//	unary    = "!" unary | "(" rule ")" | function
//	function = name "(" string { "," string } ")"
//	string   = `as it is` | "with Go's escapes"
//
// White space is free, newlines included. The functions, each about the claim
// that its first argument names:
//
//	Equals(`claim`, `value`)                        a scalar that is value
//	Prefix(`claim`, `prefix`)                       a string that starts so
//	Suffix(`claim`, `suffix`)                       a string that ends so
//	Contains(`claim`, `value`)                      a string with value in it,
//	                                                or a list with that element
//	SplitContains(`claim`, `separator`, `value`)    a string that has value once
//	                                                it is split, white space
//	                                                around a piece not counted,
//	                                                or a list with such a string
//	OneOf(`claim`, `value`, `value`, …)             a scalar that is one of the
//	                                                values, or a list with one
//
// A function is false, never an error, where the claim is absent, null or of
// another shape: Equals, Prefix and Suffix are false of a list. So !Equals(`a`, `b`)
// is true of everybody who has no claim a at all: say what is allowed rather
// than what is not. An empty prefix, suffix or part is in every string.
//
// A claim that is called scope or scp, in whatever token or object it stands, is
// the list of its scopes for every credential: "read write" has read and write,
// and not ad. Equals, Prefix and Suffix of one are a mistake that Parse finds.
//
// Claims are values as encoding/json decodes them into an interface{}.
package claims

import (
	"errors"

	"github.com/latchkey-auth/latchkey/internal/identity"
)

// ErrSyntax is what every error of this package wraps: a rule or a claim name
// that cannot be read.
var ErrSyntax = errors.New("syntax error")

// Rule says whether an identity, which must not be nil, is allowed. It may be
// asked by many goroutines at once. It is an alias because Yaegi cannot call a
// variable of a named func type that another package declares.
type Rule = func(*identity.Identity) bool

// anyOf is true where one of the rules is.
func anyOf(rules []Rule) Rule {
	if len(rules) == 1 {
		return rules[0]
	}
	return func(id *identity.Identity) bool {
		for _, rule := range rules {
			if rule(id) {
				return true
			}
		}
		return false
	}
}

// allOf is true where all the rules are.
func allOf(rules []Rule) Rule {
	if len(rules) == 1 {
		return rules[0]
	}
	return func(id *identity.Identity) bool {
		for _, rule := range rules {
			if !rule(id) {
				return false
			}
		}
		return true
	}
}

func not(rule Rule) Rule {
	return func(id *identity.Identity) bool { return !rule(id) }
}
