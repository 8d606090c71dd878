package apitoken

import (
	"strings"
	"testing"
)

// A checksum is no secret: text that is no token is none, however right its is.
func TestForgedChecksum(t *testing.T) {
	for what, body := range map[string]string{
		"another prefix":            "gh_" + good[3:],
		"a prefix in upper case":    "LK_" + good[3:],
		"a path for an id":          Prefix + "../../../../tmp/" + good[19:],
		"a pattern for an id":       Prefix + "*" + good[4:],
		"a line end in the id":      Prefix + "\r\n" + good[5:],
		"a secret in upper case":    good[:20] + strings.ToUpper(good[20:]),
		"a line end in the secret":  good[:51] + "\n",
		"another separator":         strings.Replace(good, "f_0", "f-0", 1),
		"an id of the wrong length": Prefix + good[4:19] + "_" + good[20:] + "0",
	} {
		if len(body) != len(good) {
			t.Fatalf("%s: %d characters", what, len(body))
		}
		if id, _, ok := Parse(body + checksum(body)); ok {
			t.Errorf("%s: taken for a token of %q", what, id)
		}
	}
	if _, _, ok := Parse(good + checksum(good)); !ok {
		t.Error("the good one is none")
	}
}
