package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// A header that any middleware of the process forwards cannot be sent by a client through another, in no spelling, on
// no path, with or without a login; nor can what the app may take for an identity or for the path.
func TestNeighboursHeaders(t *testing.T) {
	t.Parallel()
	b := start(t, plan{dynamic: func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
		login := d.Middlewares["login"]
		d.Middlewares["team"] = login.With("public", []string{"/team/public/"}).
			With("forward", "headers", map[string]string{"X-Team": "groups", "X-Who": "sub"}).With("forward", "accessTokenHeader", "X-Token")
		d.Middlewares["role"] = login.With("public", []string{"/role/public/"}).
			With("forward", "headers", map[string]string{"X-Role": "groups", "X-Who": "sub"}).With("forward", "idTokenHeader", "X-Identity")
		d.Middlewares["keep"] = login.With("public", []string{"/keep/public/"}).
			With("forward", "headers", map[string]string{"X-Who": "sub"}).With("forward", "keep", []string{"X-Team"})
		for _, name := range []string{"team", "role", "keep"} {
			d.Routers[name] = harness.Router{Rule: "PathPrefix(`/" + name + "/`)", Middlewares: []string{name}, Service: "app"}
		}
		return d
	}})
	client := b.session("alice")
	site, err := url.Parse(b.Traefik.TLSURL)
	if err != nil {
		t.Fatal(err)
	}
	session := "Cookie: "
	for _, c := range client.Jar.Cookies(site) {
		session += c.Name + "=" + c.Value + "; "
	}
	session += "x=y\r\n"
	names := []string{
		"X-Team", "x-team", "X_Team", "x_TEAM", "X.Team", "X!Team", "X-Role", "X_Role", "x~role", "X-Token", "x_token", "X-Identity", "X_Identity", "X-Who", "x_who",
		"X-Auth-Request-User", "X_Auth_Request_Email", "X-Auth-Request-Groups", "x.auth.request.groups", "X-Auth-Request-Preferred-Username", "X_AUTH_REQUEST_ACCESS_TOKEN",
		"X-Original-URL", "X_Original_URL", "X-Rewrite-URL", "x_rewrite_url",
	}
	forged := "TE: trailers\r\n"
	for _, name := range names {
		forged += name + ": mallory\r\n"
	}
	forged += "Connection: close, " + strings.Join(names, ", ") + "\r\n"
	trailers := "Transfer-Encoding: chunked\r\nTrailer: " + strings.Join(names, ", ") + "\r\n\r\n1\r\nx\r\n0\r\n" +
		strings.Join(names, ": mallory\r\n") + ": mallory\r\nX-Late_Role: mallory\r\n\r\n"
	bearer := "Authorization: Bearer " + b.bearer("alice") + "\r\n"
	for router, want := range map[string]string{"team": "", "role": "", "keep": "blue"} {
		a := b.raw(fmt.Sprintf("GET /%s/public/x HTTP/1.1\r\nHost: %s\r\nx-team: blue\r\n\r\n", router, host(t, b.Traefik.URL)))
		if got := a.seen(t).Header.Get("X-Team"); got != want {
			t.Errorf("%s: of a client's own team the app got %q, want %q", router, got, want)
		}
		for what, credential := range map[string]string{"a session": session, "a bearer token": bearer, "nobody": ""} {
			for _, path := range []string{"/" + router + "/x", "/" + router + "/public/x"} {
				if credential == "" && !strings.Contains(path, "public") {
					continue
				}
				head := fmt.Sprintf("%s HTTP/1.1\r\nHost: %s\r\n%s%s", path, host(t, b.Traefik.URL), credential, forged)
				for i, request := range []string{"GET " + head + "\r\n", "GET " + head + "\r\n", "OPTIONS " + head + "\r\n", "POST " + head + trailers} {
					a := b.raw(request)
					if a.status != http.StatusOK {
						t.Fatalf("%s, %s, request %d: status %d\n%s", path, what, i, a.status, a.body)
					}
					seen := a.seen(t)
					for name, values := range seen.Header {
						kept := router == "keep" && letters(name) == "xteam"
						if strings.Contains(strings.Join(values, ","), "mallory") && !kept {
							t.Errorf("%s, %s, request %d: the app got %s: %q", path, what, i, name, values)
						}
					}
					for name, values := range seen.Trailer {
						if len(values) > 0 && (router != "keep" || letters(name) != "xteam") {
							t.Errorf("%s, %s, request %d: the app got trailer %s: %q", path, what, i, name, values)
						}
					}
					if known := !strings.Contains(path, "public"); (seen.Header.Get("X-Who") != "") != known {
						t.Errorf("%s, %s, request %d: the app is told of %q", path, what, i, seen.Header["X-Who"])
					}
				}
			}
		}
	}
}

// letters are those of a header's name, in lower case.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// An answer that anybody's cache may keep is not kept with a renewed cookie in it, as Traefik sends it.
func TestRenewedCookieIsPrivate(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=600, s-maxage=600")
	}))
	t.Cleanup(app.Close)
	b := start(t, plan{
		settings: func(_ *harness.Site, s harness.Settings) harness.Settings {
			return s.With("session", "idleTimeout", "16s")
		},
		dynamic: func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
			d.Services["cached"] = app.URL
			d.Routers["cached"] = harness.Router{Rule: "PathPrefix(`/cached`)", Middlewares: []string{"login"}, Service: "cached"}
			return d
		},
	})
	client := b.session("alice")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		a := b.get(client, b.Traefik.TLSURL+"/cached")
		lines := strings.Join(a.header["Cache-Control"], ", ")
		if a.status != http.StatusOK || !strings.Contains(lines, "public") {
			t.Fatalf("status %d, Cache-Control: %s", a.status, lines)
		}
		renewed := len(a.header["Set-Cookie"]) > 0
		if strings.Contains(lines, "private") != renewed {
			t.Fatalf("cookies set: %v, Cache-Control: %s", renewed, lines)
		}
		if renewed {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no cookie was renewed")
		}
	}
}
