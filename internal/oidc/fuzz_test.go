package oidc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// Whatever comes as a token is refused with ErrToken, or has one reading.
func FuzzToken(f *testing.F) {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	const header = `{"alg":"RS256","typ":"at+jwt","kid":"rsa-1"}`
	for _, claims := range []string{
		`{"iss":"https://id.example.com","sub":"a","aud":["x"],"exp":1700000300}`, `{}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		`{"a":{"b":[{"c":1,"c":2}]}}`, `{"x":"\"\"","sub":"a","sub":"b"}`, `{"a":"\ud800"}`, `{"exp":1e400}`, `null`, `{}{}`, "{\"a\":\"\xff\"}",
		`{"a":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`,
	} {
		f.Add(part(header) + "." + part(claims) + ".AA")
	}
	f.Add("a.b.c")
	f.Add("..")
	f.Add(part(header) + "." + part("{}") + ".\nAA")
	f.Add(part(header) + "." + part("{}") + ".AB")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := parse(raw)
		if err != nil {
			if !errors.Is(err, ErrToken) || len(err.Error()) > 1000 {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		if token.unique() != nil {
			return
		}
		parts := strings.Split(raw, ".")
		if len(raw) > maxToken || len(parts) != 3 || token.signed != parts[0]+"."+parts[1] {
			t.Fatalf("%q: signed %q", raw, token.signed)
		}
		if again := base64.RawURLEncoding.EncodeToString(token.signature); again != parts[2] || again == "" {
			t.Fatalf("%q: signature %q", raw, again)
		}
		for i, found := range []map[string]interface{}{token.header, token.claims} {
			data, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil || base64.RawURLEncoding.EncodeToString(data) != parts[i] {
				t.Fatalf("%q: part %d has another spelling", raw, i)
			}
			if why := oneReading(data); why != "" || len(found) > maxMembers {
				t.Fatalf("%q: taken, %s", data, why)
			}
		}
		_ = token.checkHeader(algorithmNames)
		_, _ = token.mediaType()
	})
}

// What decodeObject and unique say of JSON is what a reader says that goes
// through it token by token.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{"a":1}`, `{"a":1,"a":2}`, `{"a":{"b":1},"c":{"b":1}}`, `{"a":[{"b":1,"b":2}]}`, `{"a":"\\","a":1}`, `{"a":"\"","b":"\""}`, `{"a\u0000":1,"a":2}`,
		`{"a":` + strings.Repeat(`{"a":`, 31) + "1" + strings.Repeat("}", 32), `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
		`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `,"a":1}`, `{"":""}`, `{"\ud800":1,"\ud801":2}`, `{"<":"\u003c","\u003c":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		object, err := decodeObject(data, maxBody)
		if err == nil {
			err = unique(data, object)
		}
		if why := oneReading(data); (why == "") != (err == nil) {
			t.Fatalf("%q: found %v, and the slow reader says %q", data, err, why)
		}
	})
}

// oneReading says why data is not one JSON object of values at most 32 deep in which
// no member is named twice; "": it is.
func oneReading(data []byte) string {
	if strings.ToValidUTF8(string(data), "") != string(data) {
		return "not UTF-8"
	}
	d := json.NewDecoder(bytes.NewReader(data))
	opening, err := d.Token()
	if err != nil || opening != json.Delim('{') {
		return "no object"
	}
	why := readContainer(d, '{', 1)
	if why == "" && !json.Valid(data) {
		return "not JSON"
	}
	if _, err = d.Token(); why == "" && err != io.EOF {
		return "trailing data"
	}
	var object map[string]interface{}
	if why == "" && json.Unmarshal(data, &object) != nil {
		return "a number beyond float64"
	}
	return why
}

func readContainer(d *json.Decoder, kind json.Delim, level int) string {
	if level > maxDepth {
		return "too deep"
	}
	names := map[string]bool{}
	for d.More() {
		next, err := d.Token()
		if err != nil {
			return "not JSON"
		}
		if kind == '{' {
			name, ok := next.(string)
			if !ok || names[name] {
				return "a member twice"
			}
			names[name] = true
			if next, err = d.Token(); err != nil {
				return "not JSON"
			}
		}
		if inner, ok := next.(json.Delim); ok {
			if why := readContainer(d, inner, level+1); why != "" {
				return why
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return "not JSON"
	}
	return ""
}
