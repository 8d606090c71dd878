package headers

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
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
	return &http.Request{Method: "GET", Header: header}
}

func TestStripEverySpelling(t *testing.T) {
	for _, name := range spellings {
		header := http.Header{"Accept": {"*/*"}, "X-Auth-Request-Users": {"kept"}}
		header[name] = []string{"admin", "root"}
		trailer := http.Header{"X-Checksum": nil, name: nil}
		r := request(header)
		r.Trailer = trailer

		guard := NewGuard(ours)
		for round := 0; round < 2; round++ { // the second with what the first has learnt
			guard.Strip(r)
			want := http.Header{"Accept": {"*/*"}, "X-Auth-Request-Users": {"kept"}}
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
	NewGuard(ours).Strip(r)
	if len(r.Header) != 1 || r.Header.Get("User-Agent") != "test" {
		t.Errorf("left: %q", r.Header)
	}
}

func TestStripKeepsTheRest(t *testing.T) {
	header := http.Header{
		"Accept": {"*/*", "text/html"}, "Cookie": {"a=b"}, "X-Auth-Request": {"a"}, "X-Auth-Request-User-Agent": {"b"},
		"Auth-Request-User": {"c"}, "x_other": {"d"}, "": {"e"}, "Connection": {"keep-alive"}, "Empty": nil,
	}
	r := request(header.Clone())
	NewGuard(ours).Strip(r)
	if !reflect.DeepEqual(r.Header, header) {
		t.Errorf("the headers are %q, were %q", r.Header, header)
	}
	if r.Trailer != nil {
		t.Errorf("a request without trailers got %q", r.Trailer)
	}
}

// A common name is known to be harmless, unless it is ours.
func TestStripCommonNameThatIsOurs(t *testing.T) {
	for _, name := range common {
		r := request(http.Header{name: {"a"}})
		NewGuard([]string{name}).Strip(r)
		if len(r.Header) != 0 {
			t.Errorf("%q is not stripped where it is ours", name)
		}
		r = request(http.Header{"Connection": {name}})
		NewGuard([]string{name}).Strip(r)
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
		{[]string{"Upgrade"}, []string{"Upgrade"}},
		{[]string{"keep-alive, Upgrade"}, []string{"keep-alive, Upgrade"}},
		{[]string{"close, X-Custom"}, []string{"close, X-Custom"}},
		{[]string{"X-Auth-Request-User"}, nil},
		{[]string{"x_auth.request~user"}, nil},
		{[]string{"X-Auth-Request-User, X-Auth-Request-Groups"}, nil},
		{[]string{"keep-alive, X-Auth-Request-User"}, []string{"keep-alive"}},
		{[]string{"X-Auth-Request-User,Upgrade"}, []string{"Upgrade"}},
		{[]string{"close,x-auth-request-user\t, ,X-Custom,"}, []string{"close, X-Custom"}},
		{[]string{"keep-alive", "X-AUTH-REQUEST-USER"}, []string{"keep-alive"}},
		{[]string{"X_Auth_Request_User", "Upgrade, x-auth-request-groups", "X-Custom"}, []string{"Upgrade", "X-Custom"}},
		{[]string{""}, nil},
		{nil, nil},
	}
	for _, list := range []string{"Connection", "connection", "CONNECTION", "Trailer", "trailer"} {
		guard := NewGuard(ours)
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
	NewGuard(nil).Strip(r)
	if r.Header != nil || r.Trailer != nil {
		t.Errorf("left: %q, %q", r.Header, r.Trailer)
	}
}

func known(g *Guard) map[string]bool { return g.harmless.Load().(map[string]bool) }

func TestGuardLearns(t *testing.T) {
	guard := NewGuard(ours)
	before := known(guard)
	size := len(before)
	long, short := strings.Repeat("a", maxName+1), strings.Repeat("b", maxName)
	guard.Strip(request(http.Header{
		"X-Custom": nil, "x-custom": nil, short: nil, long: nil, "Connection": {"close"},
		"X_Auth_Request_User": nil, "Trailer": {"X-Other"},
	}))
	for _, name := range []string{"X-Custom", "x-custom", short} {
		if !known(guard)[name] {
			t.Errorf("%q is not remembered", name)
		}
	}
	if got := len(known(guard)); got != size+3 {
		t.Errorf("%d names are remembered, want 3 more than %d: %v", got, size, known(guard))
	}
	if len(before) != size {
		t.Error("a map that readers may hold was changed")
	}
	after := reflect.ValueOf(known(guard)).Pointer()
	guard.Strip(request(http.Header{"X-Custom": nil, "x-custom": nil}))
	if reflect.ValueOf(known(guard)).Pointer() != after {
		t.Error("a name is learnt twice")
	}
}

func TestGuardMemoryIsBounded(t *testing.T) {
	guard := NewGuard(ours)
	flood := http.Header{}
	for i := 0; i < 2*maxNames; i++ {
		flood[fmt.Sprintf("X-Flood-%d", i)] = nil
	}
	guard.Strip(request(flood))
	if got := len(known(guard)); got != maxNames {
		t.Errorf("%d names are remembered, want %d", got, maxNames)
	}
	guard.replace("X-One-More") // as two goroutines that both found room do
	if got := len(known(guard)); got != maxNames {
		t.Errorf("%d names are remembered after one more, want %d", got, maxNames)
	}
	if len(flood) != 2*maxNames {
		t.Errorf("%d of %d harmless headers are left", len(flood), 2*maxNames)
	}
	r := request(http.Header{"X_Auth_Request_User": nil, "X-Late": nil, "User-Agent": nil})
	guard.Strip(r)
	if !reflect.DeepEqual(r.Header, http.Header{"X-Late": nil, "User-Agent": nil}) {
		t.Errorf("with the memory full, the headers are %q", r.Header)
	}
	if !known(guard)["User-Agent"] {
		t.Error("a flood has pushed out a common name")
	}
}

func TestGuardIsSharedByRequests(t *testing.T) {
	const workers, rounds = 8, 40
	guard := NewGuard(ours)
	left := make([]int, workers)
	var done sync.WaitGroup
	for w := 0; w < workers; w++ {
		done.Add(1)
		go func(w int) {
			defer done.Done()
			for i := 0; i < rounds; i++ {
				r := request(http.Header{
					"Accept": nil, fmt.Sprintf("X-%d-%d", w, i): nil, fmt.Sprintf("X-All-%d", i): nil,
					spellings[i%len(spellings)]: nil, "Connection": {"close, x_auth_request_user"},
				})
				guard.Strip(r)
				if len(r.Header) != 4 || r.Header.Get("Connection") != "close" {
					left[w]++
				}
			}
		}(w)
	}
	done.Wait()
	for w, wrong := range left {
		if wrong != 0 {
			t.Errorf("goroutine %d: %d requests were not stripped right", w, wrong)
		}
	}
	if got, want := len(known(guard)), len(common)+workers*rounds+rounds; got != want {
		t.Errorf("%d names are remembered, want %d: some were lost", got, want)
	}
}
