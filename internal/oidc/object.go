package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxDepth   = 32 // of a value; the object itself is 1 deep
	maxMembers = 256
)

// decodeObject reads one JSON object, nested no deeper than maxDepth, and
// nothing after it.
//
// Anybody can send JSON as long as a token may be. So nothing here or in unique
// walks it: the interpreter would take fifty times as long as for a good token.
func decodeObject(data []byte) (map[string]interface{}, error) {
	// encoding/json turns every broken sequence into U+FFFD, and so two
	// subjects into one.
	if !utf8.Valid(data) {
		return nil, errors.New("is not UTF-8")
	}
	var object map[string]interface{}
	// The decoder's own error may quote a long piece of the input.
	if json.Unmarshal(data, &object) != nil || object == nil {
		return nil, errors.New("is not one JSON object")
	}
	if brackets(data) >= maxDepth && deep(data) {
		return nil, fmt.Errorf("is nested deeper than %d", maxDepth)
	}
	return object, nil
}

var (
	brace     = []byte("{")
	bracket   = []byte("[")
	quoteMark = []byte(`"`)
	tooDeep   = []byte("\n" + strings.Repeat(" ", maxDepth))
)

func brackets(data []byte) int {
	return bytes.Count(data, brace) + bytes.Count(data, bracket)
}

// deep writes each value on a line of its own, indented by a space for each
// object and list that it is in. No string has a line end.
func deep(data []byte) bool {
	var lines bytes.Buffer
	err := json.Indent(&lines, data, "", " ")
	return err != nil || bytes.Contains(lines.Bytes(), tooDeep)
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

// stringOfJSON matches the strings of what is known to be JSON.
var stringOfJSON = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func countStrings(data []byte) int {
	if bytes.IndexByte(data, '\\') < 0 {
		return bytes.Count(data, quoteMark) / 2
	}
	return len(stringOfJSON.FindAllIndex(data, -1))
}

// quote shows a value that somebody sent, for a message or a log.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
