package oauth2

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Some servers answer with a form, or in a language of their own, unless they are
// asked for JSON.
func TestJSONIsAskedFor(t *testing.T) {
	asked := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path] = r.Header.Get("Accept") + ", " + r.Header.Get("Content-Type")
		http.Error(w, "no", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	c := &Client{ID: "app", Secret: secret, HTTPClient: server.Client()}
	_, _ = c.Refresh(context.Background(), Endpoint{URL: server.URL + "/token"}, "token")
	_ = c.Revoke(context.Background(), Endpoint{URL: server.URL + "/revoke"}, "token", "refresh_token")
	_, _ = UserInfo(context.Background(), server.Client(), server.URL+"/userinfo", "token")
	const form = "application/json, application/x-www-form-urlencoded"
	for path, want := range map[string]string{"/token": form, "/revoke": form, "/userinfo": "application/json, "} {
		if asked[path] != want {
			t.Errorf("%s is asked for %q, want %q", path, asked[path], want)
		}
	}
}
