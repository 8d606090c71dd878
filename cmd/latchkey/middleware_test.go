package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey"
	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

// A middleware of another process takes a token as long as it is there.
func TestTokenAtMiddleware(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens.json")
	fileYAML := strings.Replace(redisYAML(""), `redis: {addresses: [""]}`, "apiTokens: {checkEvery: 1s, file: "+file+"}", 1)
	for name, content := range map[string]string{
		"shadow file": fileYAML,
		"Redis":       redisYAML(redistest.Start(t).Addr()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "d.yml", content)
			middleware := middlewareOf(t, path)
			status := func(credential string) int {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://app.example.com/", nil)
				r.Header.Set("Authorization", "Bearer "+credential)
				w := httptest.NewRecorder()
				middleware.ServeHTTP(w, r)
				return w.Code
			}
			answers := func(credential string, want int) {
				t.Helper()
				got := 0
				// A refusal is remembered for 5 seconds, on top of the window of a second.
				for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
					if got = status(credential); got == want {
						return
					}
				}
				t.Errorf("status %d, want %d", got, want)
			}
			first := execute(t, "token", "create", "--owner", "ci", "--config", path)
			id := idOf(t, first)
			answers(strings.TrimSpace(first.stdout), http.StatusOK)
			second := execute(t, "token", "rotate", id, "--config", path)
			answers(strings.TrimSpace(first.stdout), http.StatusUnauthorized)
			answers(strings.TrimSpace(second.stdout), http.StatusOK)
			if r := execute(t, "token", "revoke", id, "--config", path); r.code != exitOK {
				t.Errorf("%+v", r)
			}
			answers(strings.TrimSpace(second.stdout), http.StatusUnauthorized)
		})
	}
}

// middlewareOf makes the middleware of a configuration, in front of an app that
// answers all.
func middlewareOf(t *testing.T, path string) http.Handler {
	t.Helper()
	c, err := readConfiguration(path, "latchkey", nil)
	if err != nil || len(c.sections) != 1 {
		t.Fatalf("%v: %+v", err, c)
	}
	config, mistakes := c.sections[0].config(false)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	config.Log.Level = "error"
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	middleware, err := latchkey.New(t.Context(), app, config, "test")
	if err != nil {
		t.Fatal(err)
	}
	return middleware
}
