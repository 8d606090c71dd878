package seal

import (
	"testing"
)

// These are promised to people, or keep promises of the same kind in other places.
// Elsewhere in the tests a bound is called by its name, and would follow a slip of
// the finger; here it is written out.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want interface{} }{
		"a cookie, of the 4096 that browsers take": {chunkSize, 3800},
		"cookies of a session":                     {MaxChunks, 8},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
