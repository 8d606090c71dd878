package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

const (
	maxDepth   = 32 // objects and lists in one another, the object itself among them
	maxMembers = 256
	// maxBrackets is how many objects and lists a token may have, those that only
	// a text seems to begin included: they take the most time for their length.
	maxBrackets = 1024
)

// decodeObject reads one JSON object of at most so many objects and lists, nested
// no deeper than maxDepth, and nothing after it.
//
// Anybody can send JSON as long as a token may be. So what is done to it is
// compiled, takes time and memory in proportion to its length, and looks at the
// depth before anything is built: the decoder recurses.
func decodeObject(data []byte, most int) (map[string]interface{}, error) {
	// encoding/json turns every broken sequence into U+FFFD, and so two
	// subjects into one.
	if !utf8.Valid(data) {
		return nil, errors.New("is not UTF-8")
	}
	n := bytes.Count(data, brace) + bytes.Count(data, bracket)
	if n > most {
		return nil, fmt.Errorf("has %d objects and lists, more than %d", n, most)
	}
	if n > maxDepth && deep(data) {
		return nil, fmt.Errorf("is nested deeper than %d, or not JSON", maxDepth)
	}
	var object map[string]interface{}
	// The decoder's own error may quote a long piece of the input.
	if json.Unmarshal(data, &object) != nil || object == nil {
		return nil, errors.New("is not one JSON object")
	}
	return object, nil
}

var (
	brace            = []byte("{")
	bracket          = []byte("[")
	quoteMark        = []byte(`"`)
	escapedBackslash = []byte(`\\`)
	escapedQuote     = []byte(`\"`)
)

// scannerDepth is how deep encoding/json lets values be nested.
const scannerDepth = 10000

var (
	// openers and closers leave maxDepth levels to what stands between them.
	openers = bytes.Repeat(bracket, scannerDepth-maxDepth)
	closers = bytes.Repeat([]byte("]"), scannerDepth-maxDepth)
	// measurable says that encoding/json still has this limit.
	measurable = json.Valid(nested(scannerDepth)) && !json.Valid(nested(scannerDepth+1))
)

func nested(depth int) []byte {
	return append(bytes.Repeat(bracket, depth), bytes.Repeat([]byte("]"), depth)...)
}

// deep says whether data is nested deeper than maxDepth, or not JSON. The
// scanner of encoding/json counts: it needs a few bytes for each level, and
// builds nothing.
func deep(data []byte) bool {
	if !measurable {
		return true // by its brackets it may be
	}
	inside := make([]byte, 0, len(data)+2*len(openers))
	inside = append(inside, openers...)
	inside = append(inside, data...)
	inside = append(inside, closers...)
	return !json.Valid(inside)
}

// unique refuses an object in which a member is named twice, at any depth: two
// readers of it might take a different one each (RFC 8725, 2.6). object is data
// decoded, where the last one has covered the others. A covered member takes
// along the string that is its name, so nothing is covered if object, written
// again, has as many strings as data.
func unique(data []byte, object map[string]interface{}) error {
	again, err := json.Marshal(object)
	if err != nil || countStrings(again) != countStrings(data) {
		return errors.New("has a member twice")
	}
	return nil
}

// countStrings counts the strings of what is known to be JSON: by the quotes
// that are not escaped. A backslash that is escaped escapes nothing.
func countStrings(data []byte) int {
	if bytes.IndexByte(data, '\\') >= 0 {
		data = bytes.ReplaceAll(data, escapedBackslash, nil)
	}
	return (bytes.Count(data, quoteMark) - bytes.Count(data, escapedQuote)) / 2
}

// quote shows a value that somebody sent, for a message or a log.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
