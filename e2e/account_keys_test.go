package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const accountPage = "/oauth2/account"

// account is somebody in front of the account page, with a keyboard and no mouse.
type account struct {
	*fleet
	tab *harness.Tab
}

// startAccounts starts a site whose API tokens are in Redis and have scopes.
func startAccounts(t *testing.T) *fleet {
	t.Helper()
	return startFleet(t, fleetPlan{replicas: 1, store: "redis", settings: func(s harness.Settings) harness.Settings {
		return s.With("apiTokens", "scopes", map[string]string{"read": "", "deploy": "OneOf(`groups`, `ops`)"})
	}})
}

// sit opens the account page, and logs user in on the way there.
func (f *fleet) sit(tab *harness.Tab, user string) *account {
	f.t.Helper()
	a := &account{f, tab}
	if _, err := tab.Open(f.Traefik.URL + accountPage); err != nil {
		f.t.Fatal(err)
	}
	f.atProvider(tab)
	a.tabTo("the name", func(on harness.Focus) bool { return on.ID == "username" })
	a.press(user + kb.Tab + harness.Password)
	a.enter(http.StatusOK)
	at(f.t, tab, f.Traefik.URL+accountPage)
	return a
}

func (a *account) press(keys string) {
	a.t.Helper()
	if err := a.tab.Type(keys); err != nil {
		a.t.Fatal(err)
	}
}

func (a *account) tabTo(what string, wanted func(harness.Focus) bool) {
	a.t.Helper()
	if err := a.tab.TabTo(what, wanted); err != nil {
		a.t.Fatal(err)
	}
}

// enter presses Enter, which leads to a page of that status.
func (a *account) enter(want int) {
	a.t.Helper()
	status, err := a.tab.Enter()
	if err != nil {
		a.t.Fatal(err)
	}
	if status != want {
		text, _ := a.tab.Text()
		a.t.Fatalf("Enter led to status %d, want %d\n%s", status, want, text)
	}
}

// unfold opens what hides behind a summary that begins with a text, in the list item of that ID, with the key.
func (a *account) unfold(item, text, key string) {
	a.t.Helper()
	a.tabTo(text, func(on harness.Focus) bool {
		return on.Tag == "summary" && strings.HasPrefix(on.Text, text) && (item == "" || on.Item == item)
	})
	a.press(key)
}

// submit goes to the button of the form that does something, in the list item of that ID, and presses it.
func (a *account) submit(item, do string) {
	a.t.Helper()
	a.tabTo("the button of "+do, func(on harness.Focus) bool {
		return on.Tag == "button" && on.Do == do && (item == "" || on.Item == item)
	})
	a.enter(http.StatusOK)
}

// fill goes through the form for a new token: the note, and each of the scopes by its checkbox.
func (a *account) fill(note string, scopes ...string) {
	a.t.Helper()
	a.tabTo("the note", func(on harness.Focus) bool { return on.ID == "note" })
	a.press(note)
	for _, scope := range scopes {
		a.tabTo("scope "+scope, func(on harness.Focus) bool { return on.Name == "scope" && on.Value == scope })
		a.press(" ")
	}
}

// given is the token that the page shows.
func (a *account) given() apiToken {
	a.t.Helper()
	credential := a.text("#secret")
	parts := strings.Split(credential, "_")
	if len(parts) != 3 || parts[0] != "lk" {
		a.t.Fatalf("the page shows %d characters in place of a token", len(credential))
	}
	return apiToken{parts[1], credential}
}

// text is that of the element, as long as it is to be seen.
func (a *account) text(selector string) string {
	a.t.Helper()
	var text string
	script := `(e => e && e.checkVisibility() ? e.innerText.trim() : "")(document.querySelector("` + selector + `"))`
	if err := a.tab.Evaluate(script, &text); err != nil {
		a.t.Fatal(err)
	}
	return text
}

// says checks that the element can be seen and has the text.
func (a *account) says(selector, want string) {
	a.t.Helper()
	if got := a.text(selector); !strings.Contains(got, want) {
		a.t.Errorf("%s says %q, want %q", selector, got, want)
	}
}
