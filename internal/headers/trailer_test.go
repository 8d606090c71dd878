package headers

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// net/http puts trailers into the map it handed out once the body is read,
// those that nobody announced too: after Strip.
func TestStripTrailersThatComeLate(t *testing.T) {
	guard := guardOf(ours...)
	trailers := make(chan http.Header, 2) // as net/http has them, as seen behind Strip
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, sent *http.Request) {
		r := sent.WithContext(sent.Context()) // as every middleware in front does
		guard.Strip(r)
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Errorf("read the body: %v", err)
		}
		trailers <- sent.Trailer
		trailers <- r.Trailer
	}))
	defer server.Close()

	send(t, server.Listener.Addr().String(), strings.Join([]string{
		"POST / HTTP/1.1", "Host: x", "Connection: close", "Transfer-Encoding: chunked", "Trailer: X-Checksum", "",
		"4", "body", "0", "X-Checksum: 1", "X-Auth-Request-User: admin", "X_auth_request_user: admin", "", "",
	}, "\r\n"))
	late, seen := <-trailers, <-trailers
	if late.Get("X-Auth-Request-User") != "admin" {
		t.Fatalf("the attack has changed: net/http made %q of it", late)
	}
	if _, announced := seen["X-Checksum"]; !announced || len(seen) != 1 {
		t.Errorf("behind Strip the trailers are %q", seen)
	}
}

// send writes a request as it is and waits for the response.
func send(t *testing.T, address, request string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the server answers %s", response.Status)
	}
}
