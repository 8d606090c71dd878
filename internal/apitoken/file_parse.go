package apitoken

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// version is that of the file's format.
const version = 1

// document is the file.
type document struct {
	Version int              `json:"version"`
	Tokens  map[string]Token `json:"tokens"`
}

// render is the content of a file with these tokens.
func render(tokens map[string]Token) ([]byte, error) {
	content, err := json.MarshalIndent(document{Version: version, Tokens: tokens}, "", " ")
	if err != nil {
		return nil, err
	}
	content = append(content, '\n')
	return content, nil
}

// parse reads all of it, or nothing. It is strict, since people edit it: a name
// that is misspelled would make a token that never expires, and of two members
// with one name encoding/json takes the last.
func parse(content []byte) (map[string]Token, error) {
	// What is no JSON is found by compiled code, before anything is made of it.
	if !json.Valid(content) {
		var nothing struct{}
		return nil, json.Unmarshal(content, &nothing)
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := delimiter(d, '{'); err != nil {
		return nil, err
	}
	var found int
	var tokens map[string]Token
	seen := map[string]bool{}
	for d.More() {
		name, err := member(d, seen)
		if err != nil {
			return nil, err
		}
		switch name {
		case "version":
			err = d.Decode(&found)
		case "tokens":
			tokens, err = parseTokens(d)
		default:
			err = errors.New("a member besides version and tokens")
		}
		if err != nil {
			return nil, err
		}
	}
	if found != version || tokens == nil {
		return nil, fmt.Errorf(`version %d, tokens: %v; want {"version":%d,"tokens":{…}}`, found, tokens != nil, version)
	}
	return tokens, nil
}

func parseTokens(d *json.Decoder) (map[string]Token, error) {
	if err := delimiter(d, '{'); err != nil {
		return nil, err
	}
	tokens := map[string]Token{}
	seen := map[string]bool{}
	for d.More() {
		id, err := member(d, seen)
		if err != nil {
			return nil, err
		}
		t, err := parseToken(d, id)
		if err != nil {
			return nil, err
		}
		tokens[id] = t
	}
	return tokens, delimiter(d, '}')
}

func parseToken(d *json.Decoder, id string) (Token, error) {
	var t Token
	if err := d.Decode(&t); err != nil {
		return t, err
	}
	if t.ID != "" && t.ID != id {
		return t, fmt.Errorf("%w: an id that is not the one it stands under", ErrInvalid)
	}
	t.ID = id
	if err := t.Validate(); err != nil {
		return t, err
	}
	t.ID = ""
	return t, nil
}

func delimiter(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if got, ok := token.(json.Delim); !ok || got != want {
		return fmt.Errorf("at byte %d: want %s", d.InputOffset(), want)
	}
	return nil
}

// member reads a member's name. It may be anything, a credential that somebody
// pasted, too, so it is not quoted.
func member(d *json.Decoder, seen map[string]bool) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	name, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("at byte %d: want a name", d.InputOffset())
	}
	if seen[name] {
		return "", fmt.Errorf("at byte %d: one name twice", d.InputOffset())
	}
	seen[name] = true
	return name, nil
}
