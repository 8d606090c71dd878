package headers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
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

// blanks are what an upstream may take off the ends of a value: white space of
// HTTP (RFC 9110, section 5.6.3) and of Unicode, controls beyond ASCII, and
// characters that take no room.
const blanks = " \u0080\u0081\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008d\u008e\u008f" +
	"\u0090\u0091\u0092\u0093\u0094\u0095\u0096\u0097\u0098\u0099\u009a\u009b\u009c\u009d\u009e\u009f" +
	"\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f" +
	"\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f" +
	"\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2061\u2062\u2063\u2064\u2065" +
	"\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\u2800\u3000\u3164\ufeff\uffa0\ufff9\ufffa\ufffb"

// escapes are for what is inside an element of a list.
var escapes = strings.NewReplacer("%", "%25", ",", "%2C")

// ErrValue says that a claim cannot be a header's value.
var ErrValue = errors.New("not fit for a header")

// Value is a claim as a header's value: a scalar as claims.Text has it, null
// as the empty string, an object as compact JSON with its keys in order. A
// list's elements are each rendered so and joined with commas; inside one a
// comma becomes %2C, or a group named a,b would read as two, a percent sign %25,
// and white space at an end is percent-encoded, byte by byte. Split at commas and
// percent-decoded, they are the elements.
//
// White space at an end of a value that is no list is ErrValue: servers and
// clients take it off, so that " admin" would arrive as admin, which no rule saw.
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
		return renderAlone(v)
	}
	values := make([]string, 0, len(list))
	for _, element := range list {
		value, err := renderOne(element)
		if err != nil {
			return "", err
		}
		values = append(values, escape(value))
	}
	return strings.Join(values, ","), nil
}

func renderAlone(v interface{}) (string, error) {
	value, err := renderOne(v)
	if err == nil && strings.Trim(value, blanks) != value {
		return "", fmt.Errorf("render claim: white space at an end: %w", ErrValue)
	}
	return value, err
}

// escape is an element of a list as it stands in the header.
func escape(element string) string {
	text := strings.TrimLeft(element, blanks)
	begin := element[:len(element)-len(text)]
	inside := strings.TrimRight(text, blanks)
	return url.PathEscape(begin) + escapes.Replace(inside) + url.PathEscape(text[len(inside):])
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
