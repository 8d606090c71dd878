package headers

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func harmless(g *Guard) map[string]bool {
	names, _ := g.Harmless()
	return names
}

func TestGuardLearns(t *testing.T) {
	guard := guardOf(ours...)
	before, version := guard.Harmless()
	size := len(before)
	long, short := strings.Repeat("a", maxName+1), strings.Repeat("b", maxName)
	names := http.Header{
		"X-Custom": nil, "x-custom": nil, short: nil, long: nil, "Connection": {"close"}, "Upgrade": {"websocket"},
		"Http2-Settings": nil, "http2_settings": nil, "X_Auth_Request_User": nil, "X-Auth-Request-Else": nil, "Trailer": {"X-Other"},
	}
	guard.Strip(request(names.Clone()))
	if got := len(harmless(guard)); got != size {
		t.Errorf("%d names were learnt from a request of a stranger", got-size)
	}
	guard.Learn(names)
	for _, name := range []string{"X-Custom", "x-custom", short} {
		if !harmless(guard)[name] {
			t.Errorf("%q is not remembered", name)
		}
	}
	if got := len(harmless(guard)); got != size+3 {
		t.Errorf("%d names are remembered, want 3 more than %d: %v", got, size, harmless(guard))
	}
	if len(before) != size {
		t.Error("a map that readers may hold was changed")
	}
	after, later := guard.Harmless()
	if later == version {
		t.Error("two maps have one version")
	}
	guard.Learn(http.Header{"X-Custom": nil, "x-custom": nil})
	if reflect.ValueOf(harmless(guard)).Pointer() != reflect.ValueOf(after).Pointer() {
		t.Error("a name is learnt twice")
	}
}

// A request with more names than are allowed never has harmless ones alone.
func TestGuardMemoryIsBounded(t *testing.T) {
	guard := guardOf(ours...)
	for round := 0; round < 5; round++ {
		flood := http.Header{}
		for i := 0; i < MaxNames/2; i++ {
			flood[fmt.Sprintf("X-Flood-%d-%d", round, i)] = nil
		}
		guard.Learn(flood)
		if got := len(harmless(guard)); got > MaxNames {
			t.Fatalf("%d names are remembered, want at most %d", got, MaxNames)
		}
		if !harmless(guard)[fmt.Sprintf("X-Flood-%d-0", round)] {
			t.Error("with the memory full it does not begin anew")
		}
		if !harmless(guard)["User-Agent"] {
			t.Error("a flood has pushed out a common name")
		}
	}
	many := http.Header{}
	for i := 0; i < 3*MaxNames; i++ {
		many[fmt.Sprintf("X-Many-%d", i)] = nil
	}
	guard.Learn(many)
	if got := len(harmless(guard)); got > MaxNames {
		t.Errorf("%d names are remembered, want at most %d", got, MaxNames)
	}
}

func TestGuardIsSharedByRequests(t *testing.T) {
	const workers, rounds = 4, 10
	names := NewNames()
	guard := NewGuard(names, nil, func() {})
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
				names.Add([]string{fmt.Sprintf("X-Late-%d", i)})
				guard.Learn(r.Header)
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
	for i := 0; i < rounds; i++ {
		if harmless(guard)[fmt.Sprintf("X-Late-%d", i)] {
			t.Error("a name that became ours is harmless")
		}
	}
}
