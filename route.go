package latchkey

import (
	"net/http"
	"path"
	"strings"
)

// destination is what a request is for.
type destination int

const (
	protected destination = iota
	public
	endpoint
)

// route decides what a request is for by its path, decoded once. Whatever could
// be read in two ways is protected: Traefik or the upstream might read the
// other.
func (l *Latchkey) route(r *http.Request) destination {
	p := r.URL.Path
	if !l.set.unprotected.MatchString(p) || !plainPath(p) || ambiguous(r.URL.EscapedPath()) {
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

// plainPath says whether a decoded path reads the same to everybody: cleaned
// already, and without what some servers decode again, take for a separator or
// cut off.
func plainPath(p string) bool {
	if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "%\\;?#") {
		return false
	}
	for i := 0; i < len(p); i++ {
		if p[i] < 0x20 || p[i] == 0x7f {
			return false
		}
	}
	cleaned := path.Clean(p)
	return cleaned == p || cleaned+"/" == p
}

// ambiguous says whether an encoded path has an encoding of what separates
// segments or moves between them.
func ambiguous(escaped string) bool {
	lower := strings.ToLower(escaped)
	for _, code := range []string{"%2f", "%2e", "%5c", "%25", "%3b", "%3f", "%23"} {
		if strings.Contains(lower, code) {
			return true
		}
	}
	return false
}
