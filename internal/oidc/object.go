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
	maxDepth   = 32
	maxMembers = 256
)

// decodeObject reads one JSON object, nested no deeper than maxDepth, and
// nothing after it.
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
	// The brackets are counted first, which is compiled code: a walk is not.
	if brackets(data) > maxDepth && !shallow(object, maxDepth) {
		return nil, fmt.Errorf("is nested deeper than %d", maxDepth)
	}
	return object, nil
}

var (
	brace     = []byte("{")
	bracket   = []byte("[")
	quoteMark = []byte(`"`)
)

func brackets(data []byte) int {
	return bytes.Count(data, brace) + bytes.Count(data, bracket)
}

func shallow(v interface{}, depth int) bool {
	switch v := v.(type) {
	case map[string]interface{}:
		if depth == 0 {
			return false
		}
		for _, e := range v {
			if !shallow(e, depth-1) {
				return false
			}
		}
	case []interface{}:
		if depth == 0 {
			return false
		}
		for _, e := range v {
			if !shallow(e, depth-1) {
				return false
			}
		}
	}
	return true
}

// unique refuses an object in which a member is named twice, at any depth: two
// readers of it might take a different one each (RFC 8725, 2.6). object is data
// decoded, where the last one has covered the others.
//
// Without a backslash every quote in data begins or ends a string. A covered
// member takes at least the two quotes of its name along, so if object, written
// again, has as many as data, nothing is covered. Else the members are read
// one by one, which is slow here.
func unique(data []byte, object map[string]interface{}) error {
	if bytes.IndexByte(data, '\\') < 0 {
		again, err := json.Marshal(object)
		if err == nil && bytes.Count(again, quoteMark) == bytes.Count(data, quoteMark) {
			return nil
		}
	}
	return uniqueIn(json.NewDecoder(bytes.NewReader(data)), maxDepth)
}

// uniqueIn reads one value.
func uniqueIn(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return errors.New("is not one JSON object")
	}
	opening, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	// A member that a later one of its name covers was not in the tree whose
	// depth decodeObject saw.
	if depth == 0 {
		return fmt.Errorf("is nested deeper than %d", maxDepth)
	}
	seen := map[string]bool{}
	for d.More() {
		if opening == '{' {
			t, err = d.Token()
			if err != nil {
				return errors.New("is not one JSON object")
			}
			name := stringOf(t)
			if seen[name] {
				return fmt.Errorf("has two members %s", quote(name))
			}
			seen[name] = true
		}
		if err = uniqueIn(d, depth-1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// quote shows a value that somebody sent, for a message or a log.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
