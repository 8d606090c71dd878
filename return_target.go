package latchkey

import (
	"net/url"
	"path"
	"strings"
)

// maxReturnTarget bounds what a login flow carries through the provider.
const maxReturnTarget = 2048

// returnTarget returns the path and query to send a browser back to, if it can
// only be read as a path on this host, and "/" otherwise. Of basePath's endpoints
// the account page alone is one: login would go round in circles.
func returnTarget(target, basePath string) string {
	if len(target) > maxReturnTarget || !strings.HasPrefix(target, "/") {
		return "/"
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return "/"
	}
	// What decodes to another target, once or twice, is one to some browser or
	// proxy on the way.
	for _, read := range []string{target, u.Path, unescaped(u.Path)} {
		if strings.HasPrefix(read, "//") || strings.Contains(read, "\\") || hasControl(read) {
			return "/"
		}
	}
	// A browser takes dot segments out before it asks.
	clean := path.Clean(u.Path)
	if clean == basePath || strings.HasPrefix(clean, basePath+"/") && clean != basePath+accountPath || hasControl(unescaped(u.RawQuery)) {
		return "/"
	}
	// Escaping makes it longer.
	if clean := u.RequestURI(); len(clean) <= maxReturnTarget {
		return clean
	}
	return "/"
}

func unescaped(s string) string {
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return decoded
}

func hasControl(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f }) >= 0
}
