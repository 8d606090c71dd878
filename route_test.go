package latchkey

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// request makes one as a server sees it: the path as it came over the wire.
func request(t *testing.T, method, target string) *http.Request {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	r := httptest.NewRequest(method, "/", nil)
	r.URL, r.RequestURI, r.Host = u, target, "app.example.com"
	return r
}

// routeTo is a middleware that knows these public paths.
func routeTo(public ...string) *Latchkey {
	l := &Latchkey{set: &settings{}}
	l.set.compilePaths(&mistakes{}, &Config{BasePath: "/oauth2", Public: public})
	return l
}

func TestRoute(t *testing.T) {
	l := routeTo("/healthz", "/a b", "/assets/")
	for target, want := range map[string]destination{
		"/":                       protected,
		"/app":                    protected,
		"/healthz":                public,
		"/healthz?x=/app":         public,
		"/a%20b":                  public,
		"/assets/":                public,
		"/assets/app.css":         public,
		"/assets/a/b.css":         public,
		"/oauth2":                 endpoint,
		"/oauth2/":                endpoint,
		"/oauth2/callback?code=x": endpoint,
		"/oauth2/anything":        endpoint,
		"http://x.test/healthz":   public,
		"http://x.test/app":       protected,
		"/healthz/":               protected,
		"/healthzadmin":           protected,
		"/healthz/admin":          protected,
		"/Healthz":                protected,
		"/assets":                 protected,
		"/assetsadmin":            protected,
		"/assets/../app":          protected,
		"/assets/./app":           protected,
		"/assets//app":            protected,
		"//assets/app":            protected,
		"/assets/%2e%2e/app":      protected,
		"/assets/%2E%2E/app":      protected,
		"/assets/..%2fapp":        protected,
		"/assets/..%5capp":        protected,
		"/assets/..%EF%BC%8Fapp":  protected, // U+FF0F, a slash by NFKC
		"/assets/%E2%80%A5/app":   protected, // U+2025, two dots
		"/assets/a%EF%BC%9Bapp":   protected, // U+FF1B, a semicolon
		"/assets/%C3%BC%E6%97%A5": public,
		"/assets/%2fapp":          protected,
		"/assets/a%00":            protected,
		"/assets/a%0a":            protected,
		"/assets/a%7f":            protected,
		"/assets/%252e%252e/app":  protected,
		"/assets/..;/app":         protected,
		"/assets/a;x=y":           protected,
		"/assets/a%3bx":           protected,
		"/assets/a%3fx":           protected,
		"/assets/a%23x":           protected,
		"/healthz;x":              protected,
		"/healthz%3f":             protected,
		"/%68ealthz":              public,
		"/health%7a":              public,
		"/oauth2x":                protected,
		"/oauth2/../app":          protected,
		"/oauth2/%2e%2e/app":      protected,
		"/oauth2//callback":       protected,
		"/app?next=/healthz":      protected,
		"/app?/assets/":           protected,
		"/app/healthz":            protected,
		"/app%2f..%2fassets%2fx":  protected,
	} {
		if got := l.route(request(t, "GET", target)); got != want {
			t.Errorf("%s: got %d, want %d", target, got, want)
		}
		if got := l.route(request(t, "HEAD", target)); got != want {
			t.Errorf("HEAD %s: got %d, want %d", target, got, want)
		}
	}
}

func TestForwardedHeadersDecideNothing(t *testing.T) {
	l := routeTo("/healthz")
	r := request(t, "GET", "/app")
	for _, name := range []string{"X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Prefix", "X-Forwarded-Path"} {
		r.Header.Set(name, "/healthz")
	}
	if got := l.route(r); got != protected {
		t.Errorf("got %d, want protected", got)
	}
}

func TestReturnTarget(t *testing.T) {
	for target, want := range map[string]string{
		"/":                           "/",
		"/app":                        "/app",
		"/app?x=1&y=https://e.com//z": "/app?x=1&y=https://e.com//z",
		"/app#part":                   "/app",
		"/a%20b":                      "/a%20b",
		"/a/../b":                     "/a/../b",
		"/a//b":                       "/a//b",
		"":                            "/",
		"app":                         "/",
		"https://evil.test/":          "/",
		"//evil.test":                 "/",
		"///evil.test":                "/",
		"/\\evil.test":                "/",
		"\\/evil.test":                "/",
		"/a\\b":                       "/",
		"/%09/evil.test":              "/",
		"/\t/evil.test":               "/",
		"/%0d%0aSet-Cookie:a=b":       "/",
		"/%2f/evil.test":              "/",
		"/%2fevil.test":               "/",
		"/%252fevil.test":             "/",
		"/%5cevil.test":               "/",
		"/%255cevil.test":             "/",
		"/a?x=%0d%0ay":                "/",
		"javascript:alert(1)":         "/",
		"user:pw@evil.test/":          "/",
		"//user:pw@evil.test/":        "/",
		"/%zz":                        "/",
		"/oauth2":                     "/",
		"/oauth2/login":               "/",
		"/oauth2x":                    "/oauth2x",
	} {
		if got := returnTarget(target, "/oauth2"); got != want {
			t.Errorf("%q: got %q, want %q", target, got, want)
		}
	}
	long := make([]byte, maxReturnTarget+1)
	for i := range long {
		long[i] = '/'
	}
	copy(long[1:], "app")
	if got := returnTarget(string(long), "/oauth2"); got != "/" {
		t.Errorf("%d bytes: got %d bytes, want /", len(long), len(got))
	}
}
