package headers

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/claims"
)

// maxValue bounds a header's value, in bytes: many servers refuse more than
// 8 KiB for all headers together.
const maxValue = 8 << 10

// controls are what a header's value must not have: RFC 9110, section 5.5,
// forbids CR, LF and NUL, and calls the others invalid. (A tab is not, but no
// claim has a reason for one.)
const controls = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

// ErrValue says that a claim cannot be a header's value.
var ErrValue = errors.New("not fit for a header")

// Value is a claim as a header's value: a scalar as claims.Text has it, null
// as the empty string, an object as compact JSON with its keys in order. A
// list's elements are each rendered so and joined with commas; a comma inside
// one becomes %2C, or a group named a,b would read as two.
//
// A control character anywhere, even where JSON would escape it, a value over
// 8 KiB, and what JSON cannot have decoded are ErrValue. Errors do not quote
// the claim.
func Value(v interface{}) (string, error) {
	if hasControl(v) {
		return "", fmt.Errorf("render claim: a control character: %w", ErrValue)
	}
	value, err := render(v)
	if err != nil {
		return "", err
	}
	if len(value) > maxValue {
		return "", fmt.Errorf("render claim: %d bytes, want at most %d: %w", len(value), maxValue, ErrValue)
	}
	return value, nil
}

func render(v interface{}) (string, error) {
	list, ok := v.([]interface{})
	if !ok {
		return renderOne(v)
	}
	values := make([]string, 0, len(list))
	for _, element := range list {
		value, err := renderOne(element)
		if err != nil {
			return "", err
		}
		values = append(values, strings.ReplaceAll(value, ",", "%2C"))
	}
	return strings.Join(values, ","), nil
}

// renderOne renders what is not split at commas; a list in a list is JSON.
func renderOne(v interface{}) (string, error) {
	if text, ok := claims.Text(v); ok {
		return text, nil
	}
	switch v.(type) {
	case nil:
		return "", nil
	case []interface{}, map[string]interface{}:
		return renderJSON(v)
	}
	return "", fmt.Errorf("render claim: found a %T that has no text: %w", v, ErrValue)
}

func renderJSON(v interface{}) (string, error) {
	encoded, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("render claim: %v: %w", err, ErrValue)
	}
	return string(encoded), nil
}

// hasControl looks for a control character in a claim's strings and names.
func hasControl(v interface{}) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsAny(v, controls)
	case []interface{}:
		for _, element := range v {
			if hasControl(element) {
				return true
			}
		}
	case map[string]interface{}:
		for name, element := range v {
			if strings.ContainsAny(name, controls) || hasControl(element) {
				return true
			}
		}
	}
	return false
}
