package latchkey

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxRecord bounds a session before it is deflated: its cookies hold a tenth of
// this, but compressible claims inflate.
const maxRecord = 256 << 10

// encode writes the session as small as it gets, since browsers send it with
// every request: its JWTs decoded, where their claims can be compressed, and
// the whole deflated. It is sealed afterwards; nobody but the provider chooses
// what stands beside the tokens, so the length tells nothing.
func (s *session) encode() ([]byte, error) {
	record := *s
	record.IDToken = unwrap(s.IDToken)
	record.AccessToken = unwrap(s.AccessToken)
	plain, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	if len(plain) > maxRecord {
		return nil, fmt.Errorf("encode session: %d bytes: %w", len(plain), errTooLarge)
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	return out.Bytes(), nil
}

func decodeSession(encoded []byte) (*session, error) {
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(encoded)), maxRecord))
	if err != nil {
		return nil, fmt.Errorf("decode session: %w", err)
	}
	s := &session{}
	if err := json.Unmarshal(plain, s); err != nil {
		return nil, fmt.Errorf("decode session: %w", err)
	}
	s.IDToken = wrap(s.IDToken)
	s.AccessToken = wrap(s.AccessToken)
	return s, nil
}

// strictBase64 has one spelling for everything, so that what is decoded can be
// encoded again to the letter.
var strictBase64 = base64.RawURLEncoding.Strict()

// unwrap decodes header and claims of a JWT; NUL, which no other token has,
// stands between its parts. Anything else stays as it is.
func unwrap(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return token
	}
	header, err := strictBase64.DecodeString(parts[0])
	if err != nil {
		return token
	}
	claims, err := strictBase64.DecodeString(parts[1])
	if err != nil {
		return token
	}
	unwrapped := string(header) + "\x00" + string(claims) + "\x00" + parts[2]
	if strings.Count(unwrapped, "\x00") != 2 || !utf8.ValidString(unwrapped) || wrap(unwrapped) != token {
		return token
	}
	return unwrapped
}

// wrap puts a JWT together again.
func wrap(token string) string {
	parts := strings.Split(token, "\x00")
	if len(parts) != 3 {
		return token
	}
	return strictBase64.EncodeToString([]byte(parts[0])) + "." + strictBase64.EncodeToString([]byte(parts[1])) + "." + parts[2]
}
