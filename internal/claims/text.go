package claims

import (
	"encoding/json"
	"strconv"
)

// Text is how a scalar claim is written, to compare it and to put it in a
// header: a string as it is, true or false, a number without an exponent.
// Everything else, null included, has no text: false.
func Text(value interface{}) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}
