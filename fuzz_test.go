package latchkey

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Wherever the browser is sent back to, it stays on this host, and the answer's
// header is one.
func FuzzReturnTarget(f *testing.F) {
	for _, seed := range []string{
		"/", "/app?x=1&y=https://e.com//z", "/a%20b#part", "//evil.test", "/\\evil.test", "/\t/evil.test", "/%09/evil.test", "/%2f/evil.test",
		"/%252fevil.test", "/%5cevil.test", "/.//evil.test", "/x/../oauth2/login", "/a?x=%0d%0ay", "//user:pw@evil.test/", "/%zz", "javascript:alert(1)",
		" //evil.test", "/\u2028/evil.test", "/?//evil.test", "/a;@evil.test", "/oauth2/login",
		"/" + strings.Repeat(" ", maxReturnTarget/2),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got := returnTarget(target, "/oauth2")
		if host := browse(got); host != "app.example.com" {
			t.Fatalf("%q became %q, which a browser takes to %q", target, got, host)
		}
		if strings.ContainsAny(got, "\r\n\x00\\#") || len(got) > maxReturnTarget {
			t.Fatalf("%q became %q", target, got)
		}
		if again := returnTarget(got, "/oauth2"); again != got {
			t.Fatalf("%q became %q, and that %q", target, got, again)
		}
		if decoded := unescaped(got); browse(decoded) != "app.example.com" {
			t.Fatalf("%q became %q, which decoded leads to %q", target, got, browse(decoded))
		}
	})
}

// browse is the host that a browser on https://app.example.com goes to (WHATWG
// URL, section 4.4): spaces and controls around the target and tabs and line
// ends in it do not count, and a backslash is a slash.
func browse(target string) string {
	target = strings.TrimFunc(target, func(c rune) bool { return c <= ' ' })
	target = strings.NewReplacer("\t", "", "\r", "", "\n", "", "\\", "/").Replace(target)
	before, _, _ := strings.Cut(target, "/")
	if name, _, found := strings.Cut(before, ":"); found && name != "" && !strings.ContainsAny(name, "?#") {
		return "another scheme: " + name
	}
	if !strings.HasPrefix(target, "//") {
		return "app.example.com"
	}
	authority := strings.TrimLeft(target, "/")
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	return authority[strings.LastIndexByte(authority, '@')+1:]
}

// What is let by without a credential reads the same to everybody, and is what
// the settings name.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{
		"/", "/healthz", "/healthz?x=/app", "/assets/a/b.css", "/oauth2/callback?code=x", "/oauth2x", "/assets/../app", "/assets/%2e%2e/app", "/assets//app",
		"/assets/..%2fapp", "/assets/%252e%252e/app", "/assets/..;/app", "/assets/a%00", "/%68ealthz", "/assets%2fx", "http://x.test/healthz", "//assets/app",
		"/assets/%c0%ae%c0%ae/app", "/assets/%c0%ae", "/assets/a%ef%bc%8f", "*",
	} {
		f.Add(seed)
	}
	config := validConfig()
	config.Public = []string{"/healthz", "/assets/"}
	compiled, err := compile(config)
	if err != nil {
		f.Fatal(err)
	}
	l := &Latchkey{set: compiled}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		to := l.route(&http.Request{Method: "GET", URL: u, RequestURI: target, Header: http.Header{}})
		if to == protected {
			return
		}
		p := u.Path
		again, err := url.PathUnescape(p)
		if err != nil || again != p || strings.ContainsAny(p, "\\;?#\x00\r\n\t\x7f") {
			t.Fatalf("%q is let by as %d: %q may be read in another way", target, to, p)
		}
		if !utf8.ValidString(p) {
			t.Fatalf("%q is let by as %d: %q is no text", target, to, p)
		}
		if clean := path.Clean(p); clean != p && clean+"/" != p {
			t.Fatalf("%q is let by as %d: %q is %q", target, to, p, clean)
		}
		if raw := strings.ToLower(u.EscapedPath()); strings.Contains(raw, "%2f") || strings.Contains(raw, "%2e") {
			t.Fatalf("%q is let by as %d", target, to)
		}
		own := p == "/oauth2" || strings.HasPrefix(p, "/oauth2/")
		open := p == "/healthz" || strings.HasPrefix(p, "/assets/")
		if own != (to == endpoint) || open != (to == public) {
			t.Fatalf("%q is let by as %d", target, to)
		}
	})
}

// Whatever comes as cookies, nobody gets in without the whole sealed session,
// and nothing but a login or a refusal is answered.
func FuzzSessionCookie(f *testing.F) {
	config := validConfig()
	config.Provider.Issuer = "http://127.0.0.1:1" // nobody answers there
	config.Log.Level = "error"
	config.Cache.Tokens = 0 // each request is verified
	entered := false
	next := http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { entered = true })
	own := resources
	resources = &registry{after: func(_ time.Duration, _ func()) {}}
	f.Cleanup(func() { resources = own })
	now := func() time.Time { return time.Unix(1700000000, 0) }
	l, err := newLatchkey(context.Background(), next, config, "fuzz", now)
	if err != nil {
		f.Fatal(err)
	}
	// Each process of the fuzzer seals its own, so inputs say what to do to it.
	good := sealedSession(f, l)
	name := l.set.cookie.Name
	f.Add("", "", 0, byte(0))
	f.Add("a=b; ", "; c", 0, byte(0))
	f.Add("", "", 40, byte(1))
	f.Add("", "", 0, byte('1'^'9'))
	f.Add("", "; "+name+"-1=x", 0, byte('1'^'2'))
	f.Add("", "; "+name+"=1", 0, byte(0))
	f.Add(name+"=\"1\"; "+name+"-flow-a=b;", "", 0, byte(0))
	f.Add("\x00", "\"", 0, byte(0))
	f.Add("", "; "+name+" =1", 0, byte(0))
	f.Fuzz(func(t *testing.T, before, after string, at int, flip byte) {
		value := []byte(good)
		if at >= 0 && at < len(value) {
			value[at] ^= flip
		}
		entered = false
		r := httptest.NewRequest("GET", "/app", nil)
		r.Header["Cookie"] = []string{before + name + "=" + string(value) + after}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		// The first byte counts the chunks, which are sealed as a whole.
		if entered && string(value[1:]) != good[1:] {
			t.Fatalf("%q let somebody in, sealed was %q", value, good)
		}
		if !entered && w.Code != http.StatusUnauthorized {
			t.Fatalf("%q is answered with %d", r.Header["Cookie"], w.Code)
		}
		for _, c := range r.Cookies() {
			if entered && c.Name == name {
				t.Fatalf("%q: the app got our cookie", r.Header["Cookie"])
			}
		}
	})
}

// sealedSession is the value of a good session cookie.
func sealedSession(t testing.TB, l *Latchkey) string {
	t.Helper()
	s := &session{ID: "1", Born: l.now().UnixMilli(), IDToken: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.AA"}
	chunks, err := l.sealSession(s)
	if err != nil {
		t.Fatal(err)
	}
	return chunks[0]
}
