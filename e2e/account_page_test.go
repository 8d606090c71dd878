package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// All that the account page is for, without a mouse: an API token is made, copied, used, rotated and revoked, and a
// session elsewhere is ended.
func TestAccountPageByKeyboard(t *testing.T) {
	t.Parallel()
	f := startAccounts(t)
	elsewhere := f.login(0, "alice")
	f.answers(elsewhere.cookie, http.StatusOK, "alice elsewhere")
	a := f.sit(f.tab(), "alice")

	a.fill("nightly backup", "deploy")
	a.submit("", "create")
	a.says("#notice", "The API token was created.")
	first := a.given()
	a.tabTo("Copy", func(on harness.Focus) bool { return on.ID == "copy" })
	a.press(kb.Enter)
	f.within(5*time.Second, "the token to be copied", func() error {
		if said := a.text("#copied"); said != "Copied" {
			return fmt.Errorf("the page says %q", said)
		}
		return nil
	})
	f.judges(first, http.StatusOK, "the new token")
	if got := f.listed(0, elsewhere)[first.id]; got.Note != "nightly backup" || !slices.Equal(got.Scopes, []string{"deploy"}) {
		t.Errorf("the token has note %q and scopes %q, want what was asked for", got.Note, got.Scopes)
	}

	a.unfold("token-"+first.id, "Rotate…", kb.Enter)
	a.submit("token-"+first.id, "rotate")
	a.says("#notice", "The API token has a new secret.")
	second := a.given()
	if second.id != first.id || second.credential == first.credential {
		t.Errorf("token %s was rotated to token %s, want the same with another secret", first.id, second.id)
	}
	f.judges(second, http.StatusOK, "the new secret")
	f.judges(first, http.StatusUnauthorized, "the old secret")

	a.unfold("token-"+first.id, "Revoke…", " ")
	a.submit("token-"+first.id, "revoke")
	a.says("#notice", "The API token is revoked.")
	f.judges(second, http.StatusUnauthorized, "the revoked token")
	if got := f.listed(0, elsewhere); len(got) != 0 {
		t.Errorf("alice has %d tokens, want none", len(got))
	}

	f.answers(elsewhere.cookie, http.StatusOK, "alice elsewhere")
	a.unfold("", "End session…", kb.Enter)
	a.submit("", "end-session")
	a.says("#notice", "The session has ended.")
	f.answers(elsewhere.cookie, http.StatusUnauthorized, "the session that was ended")
	if status, err := a.tab.Open(f.Traefik.URL + "/page"); err != nil || status != http.StatusOK {
		t.Errorf("the session that is left: status %d, error %v, want 200", status, err)
	}
}

// Nothing is offered that would be refused.
func TestAccountPageScopes(t *testing.T) {
	t.Parallel()
	f := startAccounts(t)
	for user, want := range map[string]string{"alice": `"scopes":["deploy","read"]`, "bob": `"scopes":["read"]`} {
		p := f.login(0, user)
		if a := f.call(0, p, http.MethodGet, "tokens", nil, http.StatusOK); !strings.Contains(a.body, want) {
			t.Errorf("%s: %s, want %s", user, a.body, want)
		}
		status := http.StatusCreated
		if user == "bob" {
			status = http.StatusForbidden
		}
		f.call(0, p, http.MethodPost, "tokens", map[string]any{"note": "mine", "scopes": []string{"deploy"}}, status)
	}
}

// A page of another origin can neither have a form sent nor show the account page, whether it is another site, or a
// neighbour that our cookies are good for.
func TestAccountPageOfOthers(t *testing.T) {
	t.Parallel()
	f := startAccounts(t)
	strangers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><title>Win</title><form method="post" action="%s%s">
			<input type="hidden" name="do" value="create"><input type="hidden" name="once" value="%032d">
			<input type="hidden" name="days" value="7"><button>Win</button></form>`,
			f.Traefik.URL, accountPage, 1)
	}))
	t.Cleanup(strangers.Close)
	neighbours := strings.Replace(strangers.URL, "127.0.0.1", "localhost", 1)
	a := f.sit(f.tab(), "alice")
	for name, at := range map[string]string{"another site": strangers.URL, "a neighbour": neighbours} {
		if _, err := a.tab.Open(at + "/"); err != nil {
			t.Fatal(err)
		}
		a.tabTo("the button of "+name, func(on harness.Focus) bool { return on.Tag == "button" })
		a.enter(http.StatusForbidden)
	}
	p := f.login(0, "alice")
	form := url.Values{"do": {"create"}, "once": {strings.Repeat("1", 32)}, "days": {"7"}}.Encode()
	for name, headers := range map[string][]string{
		"another origin":             {"Origin", neighbours},
		"no origin that it will say": {"Origin", "null"},
		"the same site":              {"Sec-Fetch-Site", "same-site"},
	} {
		headers = append(headers, "Cookie", p.cookie, "Content-Type", "application/x-www-form-urlencoded")
		got, err := f.send(t.Context(), 0, http.MethodPost, accountPage, form, headers...)
		if err != nil || got.status != http.StatusForbidden {
			t.Errorf("a form of %s: status %d, error %v, want 403", name, got.status, err)
		}
	}
	if got := f.listed(0, p); len(got) != 0 {
		t.Errorf("%d tokens were made, want none", len(got))
	}

	// Not even a page of the same origin can frame it.
	if _, err := a.tab.Open(f.Traefik.URL + "/page"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/framed": "/framed", accountPage: "nothing"} {
		var shown string
		script := `new Promise(done => {
			const frame = document.createElement("iframe")
			frame.onload = () => done(frame.contentDocument ? frame.contentDocument.title : "nothing")
			frame.src = "` + path + `"
			document.body.append(frame)
		})`
		if err := a.tab.Evaluate(script, &shown); err != nil {
			t.Fatal(err)
		}
		if shown != want {
			t.Errorf("a frame of %s shows %q, want %q", path, shown, want)
		}
	}
}

// It is all forms: without scripts only the button that copies is not there.
func TestAccountPageWithoutScript(t *testing.T) {
	t.Parallel()
	f := startAccounts(t)
	tab := f.tab()
	if err := tab.WithoutScript(); err != nil {
		t.Fatal(err)
	}
	a := f.sit(tab, "bob")
	a.fill("no scripts here", "read")
	a.submit("", "create")
	f.judges(a.given(), http.StatusOK, "the new token")
	if got := a.text("#copy"); got != "" {
		t.Errorf("there is a button %q, which would do nothing", got)
	}
}

// A form that is sent again, as a browser does when a page is loaded again, counts once.
func TestAccountPageAgain(t *testing.T) {
	t.Parallel()
	f := startAccounts(t)
	a := f.sit(f.tab(), "alice")
	a.fill("just one")
	a.submit("", "create")
	first := a.given()
	status, err := a.tab.Again()
	if err != nil || status != http.StatusOK {
		t.Errorf("loaded again: status %d, error %v, want 200", status, err)
	}
	a.says("#notice", "That form had been sent before")
	at(t, a.tab, f.Traefik.URL+accountPage+"?done=again")
	if got := f.listed(0, f.login(0, "alice")); len(got) != 1 || got[first.id].ID == "" {
		t.Errorf("alice has the tokens %v, want the one that was made", got)
	}
	f.judges(first, http.StatusOK, "the token")
}

// It fits into a telephone's window and a large one, in light and in dark, with all that can be on it.
func TestAccountPageFits(t *testing.T) {
	t.Parallel()
	f := startAccounts(t)
	p := f.login(0, "alice")
	f.create(0, p, "a note with a very long word: "+strings.Repeat("unbreakable", 15))
	a := f.sit(f.tab(), "alice")
	a.fill("the newest one", "read", "deploy")
	a.submit("", "create")
	token := a.given()
	a.unfold("", "End session…", kb.Enter)
	a.unfold("token-"+token.id, "Rotate…", kb.Enter)
	a.unfold("token-"+token.id, "Revoke…", kb.Enter)
	folder := t.TempDir()
	grounds := map[string]string{}
	for _, width := range []int64{390, 1280} {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			if err := a.tab.Look(width, 900, dark); err != nil {
				t.Fatal(err)
			}
			var shown struct {
				Inner, Scroll int64
				Ground        string
			}
			script := `({Inner: innerWidth, Scroll: document.documentElement.scrollWidth,
				Ground: getComputedStyle(document.body).backgroundColor})`
			if err := a.tab.Evaluate(script, &shown); err != nil {
				t.Fatal(err)
			}
			if shown.Inner != width || shown.Scroll > shown.Inner {
				t.Errorf("%s at %d: the page is %d wide in a window of %d", scheme, width, shown.Scroll, shown.Inner)
			}
			grounds[scheme] = shown.Ground
			if err := a.tab.Screenshot(filepath.Join(folder, fmt.Sprintf("%s-%d.png", scheme, width))); err != nil {
				t.Error(err)
			}
		}
	}
	if grounds["light"] == grounds["dark"] {
		t.Errorf("the ground is %s in light and in dark", grounds["light"])
	}
}
