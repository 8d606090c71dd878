package claims

import (
	"fmt"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/identity"
)

// The first segments that say which token is meant.
const (
	idToken     = "id_token"
	accessToken = "access_token"
)

// Path is the name of a claim, parsed: where it is found in an identity.
type Path struct {
	token   string   // idToken, accessToken, or empty: the identity's claims
	parents []string // the objects to go through
	name    string   // the claim in the last of them
}

// ParsePath parses a claim's name: `a.b` is the claim b in the object a, `\.`
// a dot and `\\` a backslash that belong to the name. A name that has dots of
// its own is never guessed: `https://example\.com/roles`. A leading `id_token.`
// or `access_token.` says which token is meant. Errors wrap ErrSyntax.
func ParsePath(name string) (Path, error) {
	segments, err := splitName(name)
	if err != nil {
		return Path{}, err
	}
	path := Path{}
	if len(segments) > 1 && (segments[0] == idToken || segments[0] == accessToken) {
		path.token = segments[0]
		segments = segments[1:]
	}
	last := len(segments) - 1
	path.parents, path.name = segments[:last], segments[last]
	return path, nil
}

func splitName(name string) ([]string, error) {
	var segments []string
	segment := ""
	for at := 0; at <= len(name); at++ {
		plain := untilSpecial(name[at:])
		segment += plain
		at += len(plain)
		if strings.HasPrefix(name[at:], `\`) {
			at++
			if !strings.HasPrefix(name[at:], ".") && !strings.HasPrefix(name[at:], `\`) {
				return nil, nameError(name, at-1, `a lone backslash`, `\. for a dot or \\ for a backslash`)
			}
			segment += name[at : at+1]
			continue
		}
		if segment == "" {
			return nil, nameError(name, at, "an empty name", `one between the dots (\. for a dot in a name)`)
		}
		segments = append(segments, segment)
		segment = ""
	}
	return segments, nil
}

// untilSpecial is what comes before the next dot or backslash.
func untilSpecial(name string) string {
	if i := strings.IndexAny(name, `.\`); i >= 0 {
		return name[:i]
	}
	return name
}

func nameError(name string, at int, found, want string) error {
	return fmt.Errorf("parse claim name %.80q at column %d: found %s, want %s: %w", name, at+1, found, want, ErrSyntax)
}

// Lookup finds the claim in an identity; false: it has none. A claim that is
// null is found. One of scopes is a list, whatever the credential.
func (p Path) Lookup(id *identity.Identity) (interface{}, bool) {
	claims := p.claims(id)
	for _, parent := range p.parents {
		object, ok := claims[parent].(map[string]interface{})
		if !ok {
			return nil, false
		}
		claims = object
	}
	value, ok := claims[p.name]
	if ok && isScope(p.name) {
		value = Scopes(value)
	}
	return value, ok
}

func (p Path) claims(id *identity.Identity) map[string]interface{} {
	switch p.token {
	case idToken:
		return id.IDToken
	case accessToken:
		return id.AccessToken
	}
	return id.Claims
}
