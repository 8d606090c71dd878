package headers

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

var ours = []string{"X-Auth-Request-User", "X-Auth-Request-Groups", ""}

// spellings are what an upstream may take for X-Auth-Request-User or -Groups.
var spellings = []string{
	"X-Auth-Request-User", "x-auth-request-user", "X-AUTH-REQUEST-USER",
	"X_Auth_Request_User", "x_auth_request_user", "X_AUTH_REQUEST_USER", "X-Auth_Request-User",
	"X.Auth.Request.User", "x-auth.request~user", "x!auth#request$user", "X%Auth&Request'User",
	"X*Auth+Request^User", "x`auth|request-user", "X Auth Request User", "X\xffAuth-Request-User",
	"X_Auth_Request_Groups", "x-auth-request-groups",
}

func request(header http.Header) *http.Request {
	return &http.Request{Method: "GET", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header}
}

// guardOf is a guard of a process whose middlewares forward these names.
func guardOf(names ...string) *Guard {
	n := NewNames()
	n.Add(names)
	return NewGuard(n, nil, func() {})
}

func TestStripEverySpelling(t *testing.T) {
	for _, name := range spellings {
		header := http.Header{"Accept": {"*/*"}, "X-Auth-Requests": {"kept"}}
		header[name] = []string{"admin", "root"}
		trailer := http.Header{"X-Checksum": nil, name: nil}
		r := request(header)
		r.Trailer = trailer

		guard := guardOf(ours...)
		for round := 0; round < 2; round++ { // the second with what the first has learnt
			guard.Learn(r.Header)
			guard.Strip(r)
			want := http.Header{"Accept": {"*/*"}, "X-Auth-Requests": {"kept"}}
			if !reflect.DeepEqual(r.Header, want) {
				t.Errorf("%q: the headers are %q", name, r.Header)
			}
			if !reflect.DeepEqual(r.Trailer, http.Header{"X-Checksum": nil}) {
				t.Errorf("%q: the trailers are %q", name, r.Trailer)
			}
			r.Header[name] = []string{"again"}
		}
	}
}

func TestStripAllSpellingsAtOnce(t *testing.T) {
	header := http.Header{"User-Agent": {"test"}}
	for _, name := range spellings {
		header[name] = []string{"admin"}
	}
	r := request(header)
	guardOf(ours...).Strip(r)
	if len(r.Header) != 1 || r.Header.Get("User-Agent") != "test" {
		t.Errorf("left: %q", r.Header)
	}
}

func TestStripKeepsTheRest(t *testing.T) {
	header := http.Header{
		"Accept": {"*/*", "text/html"}, "Cookie": {"a=b"}, "X-Auth-Request": {"a"}, "X-Auth-Requests-User": {"b"},
		"Auth-Request-User": {"c"}, "X-Authrequest-User": {"f"}, "x_other": {"d"}, "": {"e"}, "Connection": {"keep-alive"}, "Empty": nil,
	}
	r := request(header.Clone())
	guardOf(ours...).Strip(r)
	if !reflect.DeepEqual(r.Header, header) {
		t.Errorf("the headers are %q, were %q", r.Header, header)
	}
	if r.Trailer != nil {
		t.Errorf("a request without trailers got %q", r.Trailer)
	}
}

// A common name is known to be harmless, unless it is ours.
func TestStripCommonNameThatIsOurs(t *testing.T) {
	for _, name := range commonNames {
		r := request(http.Header{name: {"a"}})
		guardOf(name).Strip(r)
		if len(r.Header) != 0 {
			t.Errorf("%q is not stripped where it is ours", name)
		}
		r = request(http.Header{"Connection": {name}})
		guardOf(name).Strip(r)
		if len(r.Header) != 0 {
			t.Errorf("%q is not taken out of Connection where it is ours", name)
		}
	}
}

func TestStripLists(t *testing.T) {
	cases := []struct {
		sent, want []string // want: nil where the header goes
	}{
		{[]string{"keep-alive"}, []string{"keep-alive"}},
		{[]string{"Upgrade"}, nil},
		{[]string{"keep-alive, Upgrade"}, []string{"keep-alive"}},
		{[]string{"HTTP2-Settings, te"}, []string{"te"}},
		{[]string{"close, X-Custom"}, []string{"close, X-Custom"}},
		{[]string{"X-Auth-Request-User"}, nil},
		{[]string{"x_auth.request~user"}, nil},
		{[]string{"X-Auth-Request-User, X-Auth-Request-Groups"}, nil},
		{[]string{"keep-alive, X-Auth-Request-User"}, []string{"keep-alive"}},
		{[]string{"X-Auth-Request-User,X-Custom"}, []string{"X-Custom"}},
		{[]string{"X-Auth-Request-Anything, x_auth.request-else", "close"}, []string{"close"}},
		{[]string{"close,x-auth-request-user\t, ,X-Custom,"}, []string{"close, X-Custom"}},
		{[]string{"keep-alive", "X-AUTH-REQUEST-USER"}, []string{"keep-alive"}},
		{[]string{"X_Auth_Request_User", "close, x-auth-request-groups", "X-Custom"}, []string{"close, X-Custom"}},
		{[]string{""}, nil},
		{nil, nil},
	}
	for _, list := range []string{"Connection", "connection", "CONNECTION", "Trailer", "trailer"} {
		guard := guardOf(ours...)
		for _, c := range cases {
			for round := 0; round < 2; round++ {
				r := request(http.Header{list: append([]string{}, c.sent...), "Accept": {"*/*"}})
				guard.Strip(r)
				got := r.Header[list]
				if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
					t.Errorf("%s: %q\n got %q\nwant %q", list, c.sent, got, c.want)
				}
				if _, there := r.Header[list]; there != (c.want != nil) {
					t.Errorf("%s: %q: the header's presence is %v", list, c.sent, there)
				}
				if r.Header.Get("Accept") != "*/*" {
					t.Errorf("%s: %q: another header is gone", list, c.sent)
				}
			}
		}
	}
}

func TestStripNothing(t *testing.T) {
	r := &http.Request{}
	guardOf().Strip(r)
	if r.Header != nil || r.Trailer != nil {
		t.Errorf("left: %q, %q", r.Header, r.Trailer)
	}
}
