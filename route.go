package latchkey

import (
	"net/http"
	"path"
	"strings"
	"unicode/utf8"
)

// destination is what a request is for.
type destination int

const (
	protected destination = iota
	public
	endpoint
)

// misshapen says why a request goes nowhere at all, whatever it is for. More
// headers than anybody sends would keep the interpreter busy; a CONNECT that the
// upstream answers is a tunnel that nobody looks into (RFC 9110, section 9.3.6).
func misshapen(r *http.Request) error {
	if r.Method == http.MethodConnect {
		return errConnect
	}
	return errHeaders
}

// route decides what a request is for by its path, decoded once. Whatever could
// be read in two ways is protected: Traefik or the upstream might read the
// other.
func (l *Latchkey) route(r *http.Request) destination {
	p := r.URL.Path
	if len(p) > maxAddress || !l.set.unprotected.MatchString(p) || !plainPath(p) || ambiguous(r.URL.EscapedPath()) {
		return protected
	}
	if p == l.set.basePath || strings.HasPrefix(p, l.set.basePath+"/") {
		return endpoint
	}
	if l.set.public(p) {
		return public
	}
	return protected
}

// public says whether the path, which reads the same to everybody, is a public
// one.
func (s *settings) public(p string) bool {
	if s.publicPaths[p] {
		return true
	}
	for _, tree := range s.publicTrees {
		if strings.HasPrefix(p, tree) {
			return true
		}
	}
	return false
}

// equivocal are the characters that some servers decode again, take for a
// separator or cut a path off at.
const equivocal = "%\\;?#" + "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

// alike are characters that become separators or dots where a server folds Unicode
// (NFKC): full-width and small forms, leaders, slashes of other scripts.
const alike = "\uff0f\uff3c\uff0e\uff1b\uff1f\uff03\uff05\ufe52\ufe54\ufe56\ufe5f\ufe68\ufe6a\u2024\u2025\u2026\u2044\u2215\u037e\u2100\u2101\u2105\u2106"

// plainPath says whether a decoded path reads the same to everybody: cleaned
// already, without equivocal characters, and in UTF-8, of which lenient decoders
// take other sequences for dots and slashes (RFC 3629, section 10).
func plainPath(p string) bool {
	if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, equivocal+alike) || !utf8.ValidString(p) {
		return false
	}
	cleaned := path.Clean(p)
	return cleaned == p || cleaned+"/" == p
}

// ambiguous says whether an encoded path has an encoding of what separates
// segments or moves between them. Others of the kind show in the decoded path.
func ambiguous(escaped string) bool {
	lower := strings.ToLower(escaped)
	return strings.Contains(lower, "%2f") || strings.Contains(lower, "%2e")
}
