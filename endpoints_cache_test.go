package latchkey

import (
	"net/http"
	"testing"
)

// Whatever an endpoint answers, or that there is none, is not for a cache.
func TestNothingIsForCaches(t *testing.T) {
	g := newRig(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodOptions, http.MethodHead} {
		for _, name := range []string{"login", "callback", "logout", "backchannel-logout", "frontchannel-logout", "userinfo", "status", "metrics", "nothing"} {
			response := g.do(request(t, method, "/oauth2/"+name))
			if got := response.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s of %s: got %d with Cache-Control %q, want no-store", method, name, response.StatusCode, got)
			}
		}
	}
}
