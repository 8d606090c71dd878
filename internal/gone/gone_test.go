package gone

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestStatus(t *testing.T) {
	for status, want := range map[int]bool{404: true, 405: true, 410: true, 200: false, 302: false, 400: false, 401: false, 403: false, 429: false, 500: false, 503: false} {
		if Status(status) != want {
			t.Errorf("status %d: gone: %v, want %v", status, !want, want)
		}
	}
}

func TestUnreached(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			conn.Close()
		}
	}))
	client := server.Client()
	_, err := client.Get(server.URL)
	if err == nil || Unreached(err) {
		t.Errorf("a connection that is closed: found error %v, and unreached", err)
	}
	server.Close()
	if _, err = client.Get(server.URL); !Unreached(err) {
		t.Errorf("a port where nobody listens: found error %v, wanted unreached", err)
	}
	if _, err = client.Get("http://nobody.invalid/"); !Unreached(err) {
		t.Errorf("a name that is not known: found error %v, wanted unreached", err)
	}
	if Unreached(nil) || Unreached(context.DeadlineExceeded) || Unreached(errors.New("dial")) {
		t.Error("an error of another kind is unreached")
	}
}
