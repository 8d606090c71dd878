package latchkey

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/costtest"
	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// anybody is what a request may allocate whose sender has proven nothing: a few
// hundred KiB are the answer's own, as the interpreter makes it.
const anybody = 4 << 20

// What anybody can send is answered at a price in proportion to its length, or at
// none where it is too long to be looked at.
func TestRequestsCostTheirLength(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Public = []string{"/public/"}
		c.Cache.Tokens = 0 // what was bad a moment ago is not known to be
		c.APITokens.File = t.TempDir() + "/tokens.json"
	})
	name := g.l.set.cookie.Name
	get := func(target string) *http.Request { return fetch(t, target) }
	with := func(r *http.Request, header string, values ...string) *http.Request {
		r.Header[header] = values
		return r
	}
	post := func(target, kind, body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return r
	}
	const form = "application/x-www-form-urlencoded"
	for what, request := range map[string]func(n int) *http.Request{
		"a bearer token that is no JWT": func(n int) *http.Request {
			return with(get("/app"), "Authorization", "Bearer "+strings.Repeat("x", n))
		},
		"a bearer token of dots": func(n int) *http.Request {
			return with(get("/app"), "Authorization", "Bearer "+strings.Repeat(".", n))
		},
		"a bearer token behind spaces": func(n int) *http.Request {
			return with(get("/app"), "Authorization", "Bearer "+strings.Repeat(" ", n)+"x")
		},
		"an Authorization of many lines": func(n int) *http.Request {
			return with(get("/app"), "Authorization", strings.Split(strings.Repeat("Bearer x,", n/9), ",")...)
		},
		"an API token's look": func(n int) *http.Request {
			return with(get("/app"), "X-Api-Key", "lk_"+strings.Repeat("0", n))
		},
		"a cookie that is none of ours": func(n int) *http.Request {
			return with(get("/app"), "Cookie", "a="+strings.Repeat("x", n))
		},
		"a session cookie of garbage": func(n int) *http.Request {
			return with(get("/app"), "Cookie", name+"=1"+strings.Repeat("x", n))
		},
		"a cookie without a value, many times": func(n int) *http.Request {
			return with(get("/app"), "Cookie", strings.Repeat("a;", n/2))
		},
		"many cookies": func(n int) *http.Request {
			return with(get("/app"), "Cookie", strings.Repeat("a=b;", n/4))
		},
		"many cookies, and a login begins": func(n int) *http.Request {
			return with(navigate(t, "/app"), "Cookie", strings.Repeat("a=b;", n/4))
		},
		"many flow cookies, and a login begins": func(n int) *http.Request {
			return with(navigate(t, "/app"), "Cookie", strings.Repeat(name+"-flow-a=b;", n/26))
		},
		"chunks, many times": func(n int) *http.Request {
			var all strings.Builder
			for i := 0; i < n/20; i++ {
				all.WriteString(name + "-" + strconv.Itoa(i%8) + "=8x;")
			}
			return with(get("/app"), "Cookie", name+"=8x;"+all.String())
		},
		"a path":            func(n int) *http.Request { return navigate(t, "/"+strings.Repeat("a/", n/2)) },
		"a path of escapes": func(n int) *http.Request { return navigate(t, "/"+strings.Repeat("%61", n/3)) },
		"a path of dots":    func(n int) *http.Request { return navigate(t, "/"+strings.Repeat("../", n/3)) },
		"a query":           func(n int) *http.Request { return navigate(t, "/?"+strings.Repeat("a=b&", n/4)) },
		"a login's target": func(n int) *http.Request {
			return navigate(t, "/oauth2/login?return_to="+strings.Repeat("%2525", n/5))
		},
		"a callback of many parameters": func(n int) *http.Request {
			return get("/oauth2/callback?" + strings.Repeat("a=b&", n/4))
		},
		"a callback of one parameter, many times": func(n int) *http.Request {
			return get("/oauth2/callback?" + strings.Repeat("state=b&", n/8))
		},
		"a callback of a long state": func(n int) *http.Request {
			return get("/oauth2/callback?code=x&state=" + strings.Repeat("a", n))
		},
		"a callback's flow cookie of garbage": func(n int) *http.Request {
			return with(get("/oauth2/callback?code=x&state=s"), "Cookie", name+"-flow-s="+strings.Repeat("a", n))
		},
		"a logout's state": func(n int) *http.Request { return get("/oauth2/logout?state=" + strings.Repeat("a", n)) },
		"a logout token that is none": func(n int) *http.Request {
			return post("/oauth2/backchannel-logout", form, "logout_token="+strings.Repeat("a", n))
		},
		"a logout of many tokens": func(n int) *http.Request {
			return post("/oauth2/backchannel-logout", form, strings.Repeat("logout_token=a&", n/15))
		},
		"a logout of many fields": func(n int) *http.Request {
			return post("/oauth2/backchannel-logout", form, strings.Repeat("a=b&", n/4))
		},
		"a logout in another form": func(n int) *http.Request {
			return post("/oauth2/backchannel-logout", "multipart/form-data; boundary=x", strings.Repeat("--x\r\n", n/5))
		},
		"a front-channel logout": func(n int) *http.Request {
			return get("/oauth2/frontchannel-logout?" + strings.Repeat("sid=b&", n/6))
		},
		"a call of the API": func(n int) *http.Request {
			return post("/oauth2/api/tokens", "application/json", strings.Repeat("[", n))
		},
		"a path of the API":      func(n int) *http.Request { return get("/oauth2/api/" + strings.Repeat("a/", n/2)) },
		"header names":           func(n int) *http.Request { return named(get("/app"), n/8) },
		"header names, public":   func(n int) *http.Request { return named(get("/public/a"), n/8) },
		"header names, endpoint": func(n int) *http.Request { return named(get("/oauth2/status"), n/8) },
		"lines of one header": func(n int) *http.Request {
			return with(get("/public/a"), "X-A", make([]string, n)...)
		},
		"lines of X-API-Key": func(n int) *http.Request {
			return with(get("/app"), "X-Api-Key", make([]string, n)...)
		},
		"lines of Cookie": func(n int) *http.Request {
			return with(get("/app"), "Cookie", strings.Split(strings.Repeat("a=b,", n/4), ",")...)
		},
		"lines of Accept": func(n int) *http.Request {
			return with(get("/app"), "Accept", make([]string, n)...)
		},
		"a list in Connection": func(n int) *http.Request {
			return with(get("/public/a"), "Connection", strings.Repeat("a,", n/2))
		},
		"lines of Connection": func(n int) *http.Request {
			return with(get("/public/a"), "Connection", strings.Split(strings.Repeat("a,", n/2), ",")...)
		},
		"lines of Upgrade": func(n int) *http.Request {
			return with(get("/public/a"), "Upgrade", strings.Split(strings.Repeat("h2c,", n/4), ",")...)
		},
		"a list in Trailer": func(n int) *http.Request {
			r := get("/public/a")
			r.Trailer = http.Header{}
			for i := 0; i < n/8; i++ {
				r.Trailer["X-T"+strconv.Itoa(i)] = nil
			}
			return r
		},
		"a request's name": func(n int) *http.Request { return with(get("/app"), "X-Request-Id", strings.Repeat("a", n)) },
		"an Accept":        func(n int) *http.Request { return with(get("/app"), "Accept", strings.Repeat("a/b,", n/4)) },
		"a host":           func(n int) *http.Request { r := navigate(t, "/"); r.Host = strings.Repeat("a.", n/2); return r },
		"an origin": func(n int) *http.Request {
			return with(post("/oauth2/logout", form, ""), "Origin", "https://"+strings.Repeat("a.", n/2))
		},
	} {
		costtest.Linear(t, what, 4000, anybody, func(n int) func() {
			r := request(n)
			return func() {
				g.l.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

// named has many header names that nobody knows.
func named(r *http.Request, names int) *http.Request {
	for i := 0; i < names; i++ {
		r.Header["X-A"+strconv.Itoa(i)] = []string{"1"}
	}
	return r
}

// With a session, too: its body is JSON that anybody may write who has logged in.
func TestCallsCostTheirLength(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.APITokens.File = t.TempDir() + "/tokens.json"
		c.APITokens.Scopes = map[string]string{"read": ""}
	})
	g.login("/app", nil)
	for what, body := range map[string]func(n int) string{
		"lists in lists":   func(n int) string { return strings.Repeat("[", n) },
		"lists in a scope": func(n int) string { return `{"scopes":` + strings.Repeat("[", n/2) + strings.Repeat("]", n/2) + "}" },
		"scopes":           func(n int) string { return `{"scopes":[` + strings.Repeat(`"a",`, n/4) + `"a"]}` },
		"a scope":          func(n int) string { return `{"scopes":["` + strings.Repeat("a", n) + `"]}` },
		"a note":           func(n int) string { return `{"note":"` + strings.Repeat(`\n`, n/2) + `"}` },
		"unknown members":  func(n int) string { return "{" + strings.Repeat(`"a":1,`, n/6) + `"b":1}` },
	} {
		costtest.Linear(t, what, 4000, anybody, func(n int) func() {
			content := body(n)
			return func() {
				r := httptest.NewRequest(http.MethodPost, "/oauth2/api/tokens", strings.NewReader(content))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				w := httptest.NewRecorder()
				g.l.ServeHTTP(w, g.withJar(r))
				if w.Code == http.StatusCreated {
					t.Errorf("%s: a token was made", what)
				}
			}
		})
	}
}

// And what the provider answers, whose users choose their claims.
func TestAnswersCostTheirLength(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Provider.UserInfo = true })
	for what, claim := range map[string]func(n int) interface{}{
		"groups": func(n int) interface{} { return strings.Split(strings.Repeat("a,", n/2), ",") },
		"a text": func(n int) interface{} { return strings.Repeat("\n", n) },
		"objects": func(n int) interface{} {
			var v interface{} = "end"
			for i := 0; i < n/8; i++ {
				v = map[string]interface{}{"a": v}
			}
			return v
		},
	} {
		costtest.Linear(t, what, 4000, 16*anybody, func(n int) func() {
			value := claim(n)
			g.provider.Set(func(b *oidctest.Behavior) { b.UserInfo = map[string]interface{}{"groups": value} })
			return func() {
				g.swap(nil)
				callback, err := url.Parse(g.begin("/app", nil))
				if err != nil {
					t.Fatal(err)
				}
				g.do(navigate(t, callback.RequestURI()))
				g.do(fetch(t, "/app"))
			}
		})
	}
}
