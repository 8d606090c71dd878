package latchkey

import (
	"net/http"
	"strings"
)

// forward hands the request on: whatever a client sent in the place of our
// headers is gone, ours are set, our cookies stay here.
func (l *Latchkey) forward(w http.ResponseWriter, r *http.Request, view *view) {
	l.passes.guard.Strip(r)
	if cookie := r.Header["Cookie"]; cookie != nil {
		r.Header["Cookie"] = l.otherCookies(cookie)
	}
	for _, f := range view.fields {
		r.Header[f.name] = f.values
	}
	l.next.ServeHTTP(w, r)
}

// otherCookies takes our own cookies out of a Cookie header, in whatever number
// of lines it came; the others stay as they were written. Without any left the
// header is nil, and so not sent.
func (l *Latchkey) otherCookies(lines []string) []string {
	joined := strings.Join(lines, "; ")
	if !strings.Contains(joined, l.set.cookie.Name) {
		return lines
	}
	var kept []string
	for _, pair := range strings.Split(joined, ";") {
		pair = strings.TrimSpace(pair)
		name, _, _ := strings.Cut(pair, "=")
		if pair != "" && !l.ownCookie(name) {
			kept = append(kept, pair)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return []string{strings.Join(kept, "; ")}
}

// ownCookie says whether the cookie is the session's, a chunk of it, or a login
// flow's.
func (l *Latchkey) ownCookie(name string) bool {
	return name == l.set.cookie.Name || strings.HasPrefix(name, l.set.cookie.Name+"-")
}
