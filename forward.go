package latchkey

import (
	"net/http"
	"strings"
)

// forward hands the request on: whatever a client sent in the place of our
// headers is gone, ours are set, our cookies and API tokens stay here. What let
// the request in goes on in Authorization, unless this router sets that itself.
func (l *Latchkey) forward(w http.ResponseWriter, r *http.Request, view *view) {
	authorization := r.Header["Authorization"]
	l.passes.guard.Strip(r)
	if view.bearer && !l.set.setsAuthorization {
		r.Header["Authorization"] = authorization // which another router may set
	}
	cookie := r.Header["Cookie"]
	if l.apiTokens != nil {
		l.dropAPITokens(r.Header)
	}
	for _, f := range view.fields {
		r.Header[f.name] = f.values
	}
	if cookie != nil {
		r.Header["Cookie"] = l.otherCookies(cookie)
	}
	l.next.ServeHTTP(w, r)
}

// maxMentions is how often a Cookie header may mention our cookies' name: chunks
// and flows are a dozen.
const maxMentions = 200

// otherCookies takes our own cookies out of a Cookie header, in whatever number
// of lines it came; the others stay as they were written. Without any left the
// header is nil, and so not sent.
func (l *Latchkey) otherCookies(lines []string) []string {
	all := strings.Join(lines, "; ")
	if !strings.Contains(all, l.set.cookie.Name) {
		return lines
	}
	_, others := l.splitCookies(all)
	if others = strings.Trim(others, " \t\r\n;"); others != "" {
		return []string{others}
	}
	return nil
}

// splitCookies parts ours from the others, in a header that mentions our name no
// more often than it may; else there is neither.
//
// It goes from one mention of our name to the next and not from cookie to
// cookie: a megabyte of small ones, which takes HTTP/2 no more than some
// kilobytes to send, would keep the interpreter busy for seconds.
func (l *Latchkey) splitCookies(rest string) (own, others string) {
	mentions := strings.Count(rest, l.set.cookie.Name)
	if mentions > maxMentions {
		return "", ""
	}
	var mine, kept []string
	for i := 0; i < mentions && rest != ""; i++ {
		at := strings.Index(rest, l.set.cookie.Name)
		if at < 0 {
			break
		}
		start := strings.LastIndexByte(rest[:at], ';') + 1
		end := len(rest)
		if n := strings.IndexByte(rest[at:], ';'); n >= 0 {
			end = at + n + 1
		}
		kept = append(kept, rest[:start])
		pair := strings.Trim(rest[start:end], " \t\r\n;")
		if name, _, _ := strings.Cut(pair, "="); l.ownCookie(strings.TrimRight(name, " \t\r\n")) {
			mine = append(mine, pair)
		} else {
			kept = append(kept, rest[start:end])
		}
		rest = rest[end:]
	}
	own = strings.Join(mine, "; ")
	others = strings.Join(kept, "") + rest
	return own, others
}

// ownCookie says whether the cookie is the session's, a chunk of it, or a login
// flow's.
func (l *Latchkey) ownCookie(name string) bool {
	return name == l.set.cookie.Name || strings.HasPrefix(name, l.set.cookie.Name+"-")
}
