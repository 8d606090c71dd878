package apitoken

import (
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"
)

const (
	maxOwner  = 255 // bytes
	maxNote   = 200
	maxScopes = 50
	maxScope  = 100 // bytes
)

// ErrInvalid says that a token is out of bounds.
var ErrInvalid = errors.New("invalid token")

var (
	hashShape = regexp.MustCompile(`^[0-9a-f]{64}$`)
	// scopeShape is a scope-token of RFC 6749, section 3.3.
	scopeShape = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)
	control    = regexp.MustCompile(`\p{Cc}`)
)

// Validate says what is out of bounds. The error wraps ErrInvalid; it quotes
// neither a hash nor an id that is none, which might be a whole credential.
func (t Token) Validate() error {
	if !idShape.MatchString(t.ID) {
		return fmt.Errorf("%w: an id of %d characters, want 16 lower-case hex digits", ErrInvalid, len(t.ID))
	}
	if !hashShape.MatchString(t.Hash) || (t.PreviousHash != "" && !hashShape.MatchString(t.PreviousHash)) {
		return fmt.Errorf("%w: %s: a hash that is none, want 64 lower-case hex digits", ErrInvalid, t.ID)
	}
	if t.Created < 0 || t.Expires < 0 || t.Rotated < 0 || t.PreviousUntil < 0 {
		return fmt.Errorf("%w: %s: a time below zero, want Unix seconds", ErrInvalid, t.ID)
	}
	if len(t.Owner) == 0 || len(t.Owner) > maxOwner || !printable(t.Owner) {
		return fmt.Errorf("%w: %s: an owner of %d bytes, want 1 to %d of UTF-8 without control characters", ErrInvalid, t.ID, len(t.Owner), maxOwner)
	}
	if len(t.Note) > maxNote || !printable(t.Note) {
		return fmt.Errorf("%w: %s: a note of %d bytes, want at most %d of UTF-8 without control characters", ErrInvalid, t.ID, len(t.Note), maxNote)
	}
	return t.validateScopes()
}

func (t Token) validateScopes() error {
	if len(t.Scopes) > maxScopes {
		return fmt.Errorf("%w: %s: %d scopes, want at most %d", ErrInvalid, t.ID, len(t.Scopes), maxScopes)
	}
	seen := map[string]bool{}
	for _, scope := range t.Scopes {
		if !ValidScope(scope) {
			return fmt.Errorf("%w: %s: scope %.100q, want 1 to %d of the characters of RFC 6749, section 3.3", ErrInvalid, t.ID, scope, maxScope)
		}
		if seen[scope] {
			return fmt.Errorf("%w: %s: scope %q twice", ErrInvalid, t.ID, scope)
		}
		seen[scope] = true
	}
	return nil
}

func printable(text string) bool { return utf8.ValidString(text) && !control.MatchString(text) }

// ValidScope says whether a token may have the scope.
func ValidScope(scope string) bool { return len(scope) <= maxScope && scopeShape.MatchString(scope) }
