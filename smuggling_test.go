package latchkey

import (
	"net/http"
	"strings"
	"testing"
)

// A header that says something else to a proxy or an upstream is not for the
// identity, in whatever spelling.
func TestHeadersWithAnotherMeaning(t *testing.T) {
	for _, name := range []string{
		"Host", "Cookie", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Keep-Alive",
		"X-Forwarded-For", "X-Forwarded-Anything", "connection", "content_length", "Transfer.Encoding", "x_forwarded_host",
	} {
		for setting, change := range map[string]func(*Config){
			"forward.headers":           func(c *Config) { c.Forward.Headers = map[string]string{name: "sub"} },
			"forward.accessTokenHeader": func(c *Config) { c.Forward.AccessTokenHeader = name },
			"forward.idTokenHeader":     func(c *Config) { c.Forward.IDTokenHeader = name },
		} {
			c := validConfig()
			change(c)
			_, err := New(testContext(t), http.NotFoundHandler(), c, "test")
			if err == nil || !strings.Contains(err.Error(), setting+`: "`+name+`" has another meaning`) {
				t.Errorf("%s: %s: got %v", setting, name, err)
			}
		}
	}
}
