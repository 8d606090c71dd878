package page

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"testing"
)

func write(t *testing.T, p Page) (body, policy string) {
	t.Helper()
	w := httptest.NewRecorder()
	Write(w, 403, p)
	if w.Code != 403 {
		t.Errorf("got status %d, want 403", w.Code)
	}
	return w.Body.String(), w.Header().Get("Content-Security-Policy")
}

func TestWriteShowsWhatIsGiven(t *testing.T) {
	body, _ := write(t, Page{Title: "No access", Text: "Not open.", Reason: "rule_denied", Request: "ab12", Link: "/again", LinkText: "Try again"})
	for _, want := range []string{"<title>No access</title>", "<h1>No access</h1>", "<p>Not open.</p>", "<dd>rule_denied</dd>", "<dd>ab12</dd>", `<a href="/again">Try again</a>`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	body, _ = write(t, Page{Title: "Logged out"})
	for _, unwanted := range []string{"<a ", "<aside>", "<dl>", "refresh"} {
		if strings.Contains(body, unwanted) {
			t.Errorf("%s in\n%s", unwanted, body)
		}
	}
}

func TestWriteEscapes(t *testing.T) {
	body, _ := write(t, Page{
		Title: "<b>1", Text: "<b>2", Reason: "<b>3", Request: "<b>4", Link: `javascript:alert("5")`, LinkText: "<b>6", Refresh: `/a"><b>7`,
	})
	if strings.Contains(body, "<b>") || strings.Contains(body, "javascript:") {
		t.Errorf("markup or script went through:\n%s", body)
	}
}

// A browser applies the style only if the policy has the hash of what stands
// between its tags.
func TestPolicyMatchesTheStyle(t *testing.T) {
	body, policy := write(t, Page{Title: "x"})
	_, rest, _ := strings.Cut(body, "<style>")
	css, _, found := strings.Cut(rest, "</style>")
	if !found {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(css))
	if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(policy, "'sha256-"+hash+"'") {
		t.Errorf("the policy %q lacks the style's hash %s", policy, hash)
	}
}
