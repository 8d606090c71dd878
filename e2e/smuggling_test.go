package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// lookalikes are spellings of identity headers that a server behind Traefik may take for the real ones.
var lookalikes = []string{
	"X-Auth-Request-User", "x-auth-request-user", "X_Auth_Request_User", "X-Auth_Request-User", "X.Auth.Request.User",
	"X!Auth!Request!User", "X-AUTH-REQUEST-EMAIL", "X_AUTH_REQUEST_EMAIL", "x_auth_request_groups", "X-Auth-Request_Groups",
}

// Requests are written to the socket as they are: an HTTP client would not send all of this.
func TestLookalikeHeaders(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	bearer := "Authorization: Bearer " + b.bearer("alice") + "\r\n"
	forged := ""
	for _, name := range lookalikes {
		forged += name + ": mallory\r\n"
	}
	chunked := "Transfer-Encoding: chunked\r\nTrailer: X-Auth-Request-User, X_Auth_Request_User\r\n\r\n" +
		"1\r\nx\r\n0\r\nX-Auth-Request-User: mallory\r\nX_Auth_Request_User: mallory\r\n\r\n"
	for _, test := range []struct {
		name, request string
		user          string // as the app must see it; empty: anonymous
	}{
		{"protected", "GET /api HTTP/1.1\r\n" + bearer + forged + "\r\n", "alice"},
		{"protected, named as hop-by-hop", "GET /api HTTP/1.1\r\n" + bearer + forged +
			"Connection: X-Auth-Request-User, X-Auth-Request-Email, X-Auth-Request-Groups\r\n\r\n", "alice"},
		{"protected, trailers", "POST /api HTTP/1.1\r\n" + bearer + forged + chunked, "alice"},
		{"public", "GET /public/page HTTP/1.1\r\n" + forged + "\r\n", ""},
		{"public, with a credential", "GET /public/page HTTP/1.1\r\n" + bearer + forged + "\r\n", ""},
		{"public, OPTIONS", "OPTIONS /public/page HTTP/1.1\r\n" + forged + "\r\n", ""},
		{"public, trailers", "POST /public/page HTTP/1.1\r\n" + forged + chunked, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bench{b.Site, t}
			a := b.raw(strings.Replace(test.request, "\r\n", "\r\nHost: "+host(t, b.Traefik.URL)+"\r\n", 1))
			if a.status != http.StatusOK {
				t.Fatalf("status %d, want 200\n%s", a.status, a.body)
			}
			seen := a.seen(t)
			if test.user != "" {
				isIdentity(t, seen, test.user, "staff,ops")
			}
			for name, values := range seen.Header {
				if folded(name) && (test.user == "" || !strings.HasPrefix(name, "X-Auth-Request-")) {
					t.Errorf("the app got header %s: %q", name, values)
				}
			}
			for name, values := range seen.Trailer {
				if folded(name) && len(values) > 0 {
					t.Errorf("the app got trailer %s: %q", name, values)
				}
			}
		})
	}
}

// folded reports whether a server that folds header names might read this one as one of the identity.
func folded(name string) bool {
	letters := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	return strings.HasPrefix(letters, "xauthrequest")
}

// raw writes a request to the plain entry point and reads the response.
func (b *bench) raw(request string) answer {
	b.t.Helper()
	c, err := net.DialTimeout("tcp", host(b.t, b.Traefik.URL), 10*time.Second)
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		b.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		b.t.Fatalf("read the response: %v", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{status: res.StatusCode, header: res.Header, body: string(body)}
}

// The session stays between the browser and Latchkey; the app gets the other cookies, on public paths as well.
func TestOwnCookiesStay(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	client := b.session("alice")
	a := b.navigate(client, b.Traefik.TLSURL+"/oauth2/login") // a login under way has cookies, too
	if a.status != http.StatusFound || len(a.header.Values("Set-Cookie")) == 0 {
		t.Fatalf("login: status %d, cookies %q, want 302 and a cookie", a.status, a.header.Values("Set-Cookie"))
	}
	for _, path := range []string{"/page", "/public/page"} {
		a := b.get(client, b.Traefik.TLSURL+path, "Cookie", "theme=dark; latchkey_lookalike=1")
		if a.status != http.StatusOK {
			t.Fatalf("%s: status %d, want 200", path, a.status)
		}
		got := strings.Join(a.seen(t).Header["Cookie"], "; ")
		for _, pair := range strings.Split(got, "; ") {
			if name, _, _ := strings.Cut(pair, "="); name != "theme" && name != "latchkey_lookalike" {
				t.Errorf("%s: the app got cookie %q", path, name)
			}
		}
		if !strings.Contains(got, "theme=dark") {
			t.Errorf("%s: the app got cookies %q, want theme=dark among them", path, got)
		}
	}
}

// A path that could be read as public in one place and as protected in another is protected.
func TestPublicPathsAreNotAWayIn(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	for _, path := range []string{
		"/public/../api", "/public/%2e%2e/api", "/public/%2E%2E/api", "/public%2f..%2fapi", "/public/..%2fapi", "/public/..%5capi",
		"/public/%252e%252e/api", "/public//../api", "//public/../api", "/public/;/../../api", "/public/..;/api", "/public/%00/../../api",
		"/public%2fpage", "/public/a%2fb", "/public/a%5cb", "/public/a%3bb",
		"/Public/x", "/publicx", "/public", "/api?/public/", "/api;/public/", "/api%3f/public/",
	} {
		t.Run(path, func(t *testing.T) {
			b := &bench{b.Site, t}
			a := b.raw(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host(t, b.Traefik.URL)))
			if a.status < 400 || a.status >= 500 {
				t.Errorf("status %d, want a refusal\n%s", a.status, a.body)
			}
		})
	}
}
