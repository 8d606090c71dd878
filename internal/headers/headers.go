// Package headers keeps identity headers honest: those that an upstream reads
// are the ones Latchkey set, whatever the client sent.
//
// Upstreams do not compare header names as HTTP does. CGI, WSGI, PHP and Rack
// make one variable of X-Auth-Request-User, x_auth_request_user and, some of
// them, X.Auth~Request.User, and which of several wins is anybody's guess. So
// names are compared folded: lower case, with - for everything but letters and
// digits. A Guard deletes whatever folds to a name of ours, in headers and in
// trailers, and keeps Connection from naming ours: a proxy further on would
// take that for an order to drop it (RFC 9110, section 7.6.1). Value says what
// a claim is in a header.
package headers

import "strings"

// tokenCharacters are those of a header's name: RFC 9110, section 5.6.2.
const tokenCharacters = "!#$%&'*+-.^_`|~0123456789" +
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// folding replaces byte by byte, which strings.Replacer does from one table.
var folding = newFolding()

func newFolding() *strings.Replacer {
	var pairs []string
	for c := 0; c < 256; c++ {
		pairs = append(pairs, string([]byte{byte(c)}), foldByte(byte(c)))
	}
	return strings.NewReplacer(pairs...)
}

func foldByte(c byte) string {
	switch {
	case (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'):
		return string([]byte{c})
	case c >= 'A' && c <= 'Z':
		return string([]byte{c - 'A' + 'a'})
	}
	return "-"
}

// Fold is the spelling that all look-alikes of a header's name share.
func Fold(name string) string { return folding.Replace(name) }

// ValidName says whether a name may be a header's: an RFC 9110 token.
func ValidName(name string) bool {
	return name != "" && strings.Trim(name, tokenCharacters) == ""
}
