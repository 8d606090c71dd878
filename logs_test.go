package latchkey

import (
	"bytes"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// captured are the lines that go to the log's errors until the test ends.
func captured(t *testing.T) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	own := log.Writer()
	log.SetOutput(&out)
	t.Cleanup(func() { log.SetOutput(own) })
	return &out
}

// A line of the log is one line of a bounded length, whatever it quotes.
func TestLinesOfTheLog(t *testing.T) {
	out := captured(t)
	l := newLogs(slog.LevelDebug, "middleware", "test")
	for name, text := range map[string]string{
		"short":        "a cause",
		"long":         strings.Repeat("x", 100_000),
		"long, UTF-8":  strings.Repeat("ä", 100_000),
		"at the bound": strings.Repeat("x", maxLogged),
		"line ends":    "a\r\nlevel=ERROR msg=forged\nb\x00\x1b[31m\u2028c",
		"quotes":       `" level=ERROR msg="forged`,
		"no UTF-8":     strings.Repeat("\xff", 1000),
	} {
		out.Reset()
		l.warn("refused", "cause", text, "status", 401)
		line := out.String()
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, " status=401\n") || strings.ContainsAny(line, "\r\x00\x1b") {
			t.Errorf("%s: logged as %q", name, line)
		}
		if len(line) > 6*maxLogged {
			t.Errorf("%s: logged as %d bytes", name, len(line))
		}
		if whole := strings.Contains(line, text); whole != (name == "short" || name == "at the bound") {
			t.Errorf("%s: logged as %q", name, line)
		}
		if strings.Contains(line, "level=ERROR msg=forged") && !strings.Contains(line, `\nlevel=ERROR msg=forged`) {
			t.Errorf("%s: forged: %q", name, line)
		}
	}
}

// What clients and providers send reaches the log through many steps; none of them
// makes it long.
func TestLogOfWhatWasSent(t *testing.T) {
	long := strings.Repeat("long ", 2000)
	g := newRig(t, nil)
	out := captured(t)
	errs := newLogs(slog.LevelDebug, "middleware", "test")
	g.l.log = &logs{out: errs.err, err: errs.err}
	bearer := func(claims map[string]interface{}) *http.Request {
		r := fetch(t, "/app")
		all := map[string]interface{}{"aud": oidctest.Audience}
		for name, value := range claims {
			all[name] = value
		}
		r.Header.Set("Authorization", "Bearer "+g.provider.Sign(map[string]interface{}{"typ": "at+jwt"}, g.provider.Claims(all)))
		return r
	}
	callback := func(change func(url.Values)) *http.Request {
		u, err := url.Parse(g.begin("/app", nil))
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		change(query)
		return navigate(t, u.Path+"?"+query.Encode())
	}
	named := fetch(t, "/app")
	named.Header.Set("X-Request-Id", long)
	for name, r := range map[string]*http.Request{
		"iss":           bearer(map[string]interface{}{"iss": long}),
		"sub":           bearer(map[string]interface{}{"sub": long}),
		"aud":           bearer(map[string]interface{}{"aud": long}),
		"cnf":           bearer(map[string]interface{}{"cnf": long}),
		"an error":      callback(func(q url.Values) { q.Del("code"); q.Set("error", long) }),
		"another iss":   callback(func(q url.Values) { q.Set("iss", long) }),
		"a state":       callback(func(q url.Values) { q.Set("state", strings.ReplaceAll(long, " ", "-")) }),
		"a request id":  named,
		"a logout's":    request(t, http.MethodGet, "/oauth2/frontchannel-logout?iss="+url.QueryEscape(long)),
		"an API's path": request(t, http.MethodGet, "/oauth2/api/"+url.PathEscape(long)),
	} {
		out.Reset()
		g.do(r)
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			if len(line) > 3*maxLogged {
				t.Errorf("%s: a line of %d bytes: %.100s", name, len(line), line)
			}
		}
		if out.Len() == 0 {
			t.Errorf("%s: nothing was logged", name)
		}
	}
}
