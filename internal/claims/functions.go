package claims

import (
	"strings"

	"github.com/latchkey-auth/latchkey/internal/identity"
)

// known lists the functions for an error's text.
const known = "Contains, Equals, OneOf, Prefix, SplitContains, Suffix"

// A function is one of the language's.
type function struct {
	signature string
	least     int  // arguments, the claim's name included
	most      int  // 0: any number
	separator int  // the argument that must not be empty; 0: none
	scalar    bool // never true of a list
	build     func(path Path, arguments []string) Rule
}

var functions = map[string]function{
	"Equals":        {signature: "Equals(`claim`, `value`)", least: 2, most: 2, scalar: true, build: equals},
	"Prefix":        {signature: "Prefix(`claim`, `prefix`)", least: 2, most: 2, scalar: true, build: prefix},
	"Suffix":        {signature: "Suffix(`claim`, `suffix`)", least: 2, most: 2, scalar: true, build: suffix},
	"Contains":      {signature: "Contains(`claim`, `value`)", least: 2, most: 2, build: contains},
	"SplitContains": {signature: "SplitContains(`claim`, `separator`, `value`)", least: 3, most: 3, separator: 1, build: splitContains},
	"OneOf":         {signature: "OneOf(`claim`, `value`, …)", least: 2, build: oneOf},
}

func equals(path Path, arguments []string) Rule {
	want := arguments[0]
	return func(id *identity.Identity) bool {
		value, _ := path.Lookup(id)
		text, ok := Text(value)
		return ok && text == want
	}
}

func prefix(path Path, arguments []string) Rule {
	want := arguments[0]
	return func(id *identity.Identity) bool {
		value, _ := path.Lookup(id)
		text, ok := value.(string)
		return ok && strings.HasPrefix(text, want)
	}
}

func suffix(path Path, arguments []string) Rule {
	want := arguments[0]
	return func(id *identity.Identity) bool {
		value, _ := path.Lookup(id)
		text, ok := value.(string)
		return ok && strings.HasSuffix(text, want)
	}
}

func contains(path Path, arguments []string) Rule {
	want := arguments[0]
	element := map[string]bool{want: true}
	return func(id *identity.Identity) bool {
		value, _ := path.Lookup(id)
		if text, ok := value.(string); ok {
			return strings.Contains(text, want)
		}
		list, ok := value.([]interface{})
		return ok && hasOne(list, element)
	}
}

func oneOf(path Path, arguments []string) Rule {
	wanted := map[string]bool{}
	for _, argument := range arguments {
		wanted[argument] = true
	}
	return func(id *identity.Identity) bool {
		value, _ := path.Lookup(id)
		return hasOne(elements(value), wanted)
	}
}

func splitContains(path Path, arguments []string) Rule {
	separator, want := arguments[0], arguments[1]
	return func(id *identity.Identity) bool {
		value, _ := path.Lookup(id)
		for _, element := range elements(value) {
			text, ok := element.(string)
			if ok && hasPiece(text, separator, want) {
				return true
			}
		}
		return false
	}
}

// elements are a list's, or the one value that is no list.
func elements(value interface{}) []interface{} {
	if list, ok := value.([]interface{}); ok {
		return list
	}
	return []interface{}{value}
}

func hasOne(list []interface{}, wanted map[string]bool) bool {
	for _, element := range list {
		if text, ok := Text(element); ok && wanted[text] {
			return true
		}
	}
	return false
}

// hasPiece also takes a piece without the white space around it, as Traefik
// Hub does: "reader, writer" split at the comma has writer.
func hasPiece(text, separator, want string) bool {
	for _, piece := range strings.Split(text, separator) {
		if piece == want || strings.TrimSpace(piece) == want {
			return true
		}
	}
	return false
}
