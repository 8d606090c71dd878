package headers

import (
	"net/http"
	"strings"
	"testing"
)

// A list without end goes as a whole: names are folded one by one.
func TestStripEndlessLists(t *testing.T) {
	guard := guardOf(ours...)
	for name, values := range map[string][]string{
		"names": {strings.Repeat("a,", maxListed) + "X-Auth-Request-User"}, "lines": strings.Split(strings.Repeat("a\n", maxListed), "\n"),
		"commas": {strings.Repeat(",", 1<<20)},
	} {
		for _, list := range []string{"Connection", "Trailer"} {
			r := request(http.Header{list: values, "Accept": {"*/*"}})
			guard.Strip(r)
			if len(r.Header) != 1 || r.Header.Get("Accept") != "*/*" {
				t.Errorf("%s: %s: %d headers are left", list, name, len(r.Header))
			}
		}
	}
	r := request(http.Header{"Connection": {strings.Repeat("a, ", maxListed-1) + "x_auth_request_user"}})
	guard.Strip(r)
	if got := strings.Count(r.Header.Get("Connection"), "a"); got != maxListed-1 || strings.Contains(r.Header.Get("Connection"), "user") {
		t.Errorf("left: %q", r.Header)
	}
}
