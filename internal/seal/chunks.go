package seal

import (
	"errors"
	"fmt"
	"strconv"
)

const (
	// chunkSize leaves room for name and attributes in the 4,096 bytes that
	// every browser keeps of a cookie (RFC 6265, section 6.1).
	chunkSize = 3800
	// maxText is what fits besides the digit in front.
	maxText = MaxChunks*chunkSize - 1
	// MaxChunks is how many cookies one text may take.
	MaxChunks = 8
)

// ErrTooLarge says that a text does not fit into MaxChunks cookies.
var ErrTooLarge = errors.New("too large for cookies")

// Chunks splits a sealed text into cookie values. The first begins with the
// number of all of them, one digit, so that a reader knows how many to ask for.
func Chunks(text string) ([]string, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("split %d bytes into at most %d cookies: %w", len(text), MaxChunks, ErrTooLarge)
	}
	// With the digit, which counts too: rounded up.
	text = strconv.Itoa(len(text)/chunkSize+1) + text
	var chunks []string
	for len(text) > chunkSize {
		chunks = append(chunks, text[:chunkSize])
		text = text[chunkSize:]
	}
	return append(chunks, text), nil
}

// Join puts a text together again: first is the first cookie's value, and
// rest(n) returns the nth one's, from 1, and whether there is exactly one.
// All or nothing: it returns false for a missing chunk or a count that Chunks
// does not write.
func Join(first string, rest func(n int) (string, bool)) (string, bool) {
	if first == "" || len(first) > chunkSize || first[0] < '1' || first[0] > '0'+MaxChunks {
		return "", false
	}
	count := int(first[0] - '0')
	text := first[1:]
	for n := 1; n < count; n++ {
		chunk, ok := rest(n)
		if !ok || len(chunk) > chunkSize {
			return "", false
		}
		text += chunk
	}
	return text, true
}
