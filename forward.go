package latchkey

import (
	"net/http"
	"strings"
)

// forward hands the request on: whatever a client sent in the place of our
// headers is gone, ours are set, our cookies stay here.
func (l *Latchkey) forward(w http.ResponseWriter, r *http.Request, view *view) {
	l.guard.Strip(r)
	for name, value := range view.headers {
		r.Header.Set(name, value)
	}
	if r.Header["Cookie"] != nil {
		l.keepCookies(r)
	}
	l.next.ServeHTTP(w, r)
}

// keepCookies takes our own cookies out of the request, in whatever number of
// Cookie lines they came; the others stay as they were written.
func (l *Latchkey) keepCookies(r *http.Request) {
	joined := strings.Join(r.Header["Cookie"], "; ")
	if !strings.Contains(joined, l.set.cookie.Name) {
		return
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
		r.Header.Del("Cookie")
		return
	}
	r.Header["Cookie"] = []string{strings.Join(kept, "; ")}
}

// ownCookie says whether the cookie is the session's, a chunk of it, or a login
// flow's.
func (l *Latchkey) ownCookie(name string) bool {
	return name == l.set.cookie.Name || strings.HasPrefix(name, l.set.cookie.Name+"-")
}
