package headers

import (
	"net/http"
	"strings"
	"testing"
)

// Whatever a client calls its header, nothing that an upstream may fold to
// ours is left, in no place that could hold it.
func FuzzStrip(f *testing.F) {
	for _, name := range spellings {
		f.Add(name, "keep-alive, "+name)
	}
	f.Add("Connection", "x_auth_request_user")
	f.Add("Trailer", "x_auth_request_user,,\t")
	guard := guardOf(ours...)
	f.Fuzz(func(t *testing.T, name, list string) {
		if Fold(Fold(name)) != Fold(name) || len(Fold(name)) != len(name) {
			t.Fatalf("%q is folded to %q", name, Fold(name))
		}
		r := request(http.Header{name: {list}, "Connection": {list, list}, "Accept": {"*/*"}})
		r.Trailer = http.Header{name: nil, list: nil}
		guard.Strip(r)
		for left := range r.Trailer {
			checkNotOurs(t, left)
		}
		for left, values := range r.Header {
			checkNotOurs(t, left)
			if Fold(left) == "connection" || Fold(left) == "trailer" {
				for _, token := range strings.Split(strings.Join(values, ","), ",") {
					checkNotOurs(t, strings.TrimSpace(token))
				}
			}
		}
		if len(r.Header["Accept"]) == 0 {
			t.Fatalf("%q, %q: a harmless header is gone", name, list)
		}
	})
}

// checkNotOurs folds on its own, byte by byte.
func checkNotOurs(t *testing.T, name string) {
	t.Helper()
	folded := []byte(strings.ToLower(name))
	for i, c := range folded {
		if !strings.Contains("abcdefghijklmnopqrstuvwxyz0123456789", string(rune(c))) {
			folded[i] = '-'
		}
	}
	for _, our := range []string{"x-auth-request-", "upgrade", "http2-settings", "x-original-url", "x-rewrite-url"} {
		if strings.HasPrefix(string(folded), our) && (strings.HasSuffix(our, "-") || len(folded) == len(our)) {
			t.Fatalf("%q is left, which may be taken for %s", name, our)
		}
	}
}
