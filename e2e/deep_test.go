package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// Tokens that nobody signed cost Traefik next to nothing, whatever is in them: here, lists and objects in one another.
func TestDeepTokens(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	client := harness.Client()
	deep := func(open, inside, end string, n int) string {
		return strings.Repeat(open, n) + inside + strings.Repeat(end, n)
	}
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	// No two tokens of a line are the same: one that was bad a moment ago is known to be.
	token := func(header, member string) func(n int) string {
		claims := fmt.Sprintf(`{"iss":%q,"sub":"a","exp":4102444800,"a":%s}`, b.Provider.Issuer, member)
		return func(n int) string {
			return part(header) + "." + part(claims) + "." + part(fmt.Sprintf("no signature %02d", n))
		}
	}
	const header = `{"alg":"RS256","kid":"k"}`
	for _, test := range []struct {
		name  string
		token func(n int) string
	}{
		{"lists", token(header, deep("[", "", "]", 5900))},
		{"objects", token(header, deep(`{"a":`, "1", "}", 1850))},
		{"objects without a name", token(header, deep(`{"":`, "1", "}", 2300))},
		{"lists and objects", token(header, deep(`[{"":`, "1", "}]", 1600))},
		{"lists of as many as may be", token(header, deep("[", "", "]", 1000))},
		{"objects of as many as may be, and a long text", token(header, deep(`{"a":`, `"`+strings.Repeat("x", 5000)+`"`, "}", 1000))},
		{"lists that do not end", token(header, strings.Repeat("[", 11_000))},
		{"side by side", token(header, "["+strings.Repeat("[],", 3800)+"[]]")},
		{"a header", token(`{"alg":"RS256","kid":"k","a":`+deep("[", "", "]", 5900)+"}", "1")},
		{"brackets in texts", token(header, `["`+strings.Repeat(`[{\"`, 2900)+`"]`)},
	} {
		if size := len(test.token(0)); size > 16<<10 {
			t.Fatalf("%s: %d bytes, which are too many to be looked at", test.name, size)
		}
		before := b.peak()
		var wait sync.WaitGroup
		for n := range 25 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				token := test.token(n)
				if a := b.get(client, b.Traefik.URL+"/refused", "Authorization", "Bearer "+token); a.status != http.StatusUnauthorized {
					t.Errorf("%s: status %d, want 401", test.name, a.status)
				}
				res, err := client.PostForm(b.Traefik.URL+"/oauth2/backchannel-logout", url.Values{"logout_token": {token}})
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				if res.StatusCode != http.StatusBadRequest {
					t.Errorf("%s: status %d of a logout, want 400", test.name, res.StatusCode)
				}
			}()
		}
		wait.Wait()
		moved := b.peak() - before
		t.Logf("%s: the peak moved by %.1f MB", test.name, float64(moved)/1e6)
		if moved > 50e6 {
			t.Errorf("%s: the peak moved by %d MB, want less than 50", test.name, moved/1e6)
		}
	}
	b.untouched("/refused")
}

// peak is the most memory that Traefik's process has held since it was last asked for, in bytes.
func (b *bench) peak() int64 {
	b.t.Helper()
	dir := "/proc/" + strconv.Itoa(b.Traefik.PID())
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		b.t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if found == nil {
		b.t.Fatal("the system does not tell the peak")
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		b.t.Fatal(err)
	}
	// The start of Traefik takes more than what is measured: it must not hide it (proc(5), clear_refs).
	if err := os.WriteFile(dir+"/clear_refs", []byte("5"), 0); err != nil {
		b.t.Fatal(err)
	}
	return kilobytes * 1024
}
