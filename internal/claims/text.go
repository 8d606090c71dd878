package claims

import (
	"math"
	"strconv"
)

// exact is the first number that a decoded claim may share with another: 2^53.
const exact = 1 << 53

// Text is how a scalar claim is written, to compare it and to put it in a
// header: a string as it is, true or false, a number without an exponent.
// Everything else, null included, has no text: false. Neither has a number of
// 2^53 and more, since the decoder took it for its neighbour: two people's ids
// would read alike.
func Text(value interface{}) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		if math.Abs(v) < exact {
			return strconv.FormatFloat(v, 'f', -1, 64), true
		}
	}
	return "", false
}
