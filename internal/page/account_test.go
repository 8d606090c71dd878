package page

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// full is an account in which every field that is shown holds fill.
func full(fill string) Account {
	return Account{
		User: "user" + fill, Action: "/oauth2/account", Logout: "/oauth2/logout", Once: "once" + fill,
		Notice: "notice" + fill, Problem: "problem" + fill, Secret: "secret" + fill, SecretFor: "for" + fill,
		Sessions: []Session{
			{ID: "s1" + fill, Where: "where" + fill, Agent: "agent" + fill, Since: "since" + fill, This: true},
			{ID: "s2" + fill, Where: "elsewhere" + fill, Agent: "other" + fill, Since: "before" + fill},
		},
		Tokens: []Token{
			{ID: "t1" + fill, Note: "laptop" + fill, Created: "created" + fill, LastUsed: "used" + fill, Expires: "expires" + fill, Scopes: []string{"held" + fill}},
			{ID: "t2" + fill, Expired: true},
		},
		TokensOn: true, Scopes: []string{"read" + fill, "write" + fill}, Note: "typed" + fill, Chosen: []string{"write" + fill},
		Expiry: "90", Expiries: []Choice{{"30" + fill, "30 days" + fill}, {"90", "90 days"}, {"0", "never"}},
	}
}

func account(t *testing.T, a Account) (body, policy string) {
	t.Helper()
	w := httptest.NewRecorder()
	WriteAccount(w, 400, a)
	if w.Code != 400 {
		t.Errorf("got status %d, want 400", w.Code)
	}
	return w.Body.String(), w.Header().Get("Content-Security-Policy")
}

// part is what stands in body between two texts.
func part(t *testing.T, body, from, to string) string {
	t.Helper()
	_, rest, _ := strings.Cut(body, from)
	inner, _, found := strings.Cut(rest, to)
	if !found {
		t.Fatalf("nothing between %s and %s in\n%s", from, to, body)
	}
	return inner
}

func has(t *testing.T, body string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

func lacks(t *testing.T, body string, unwanted ...string) {
	t.Helper()
	for _, un := range unwanted {
		if strings.Contains(body, un) {
			t.Errorf("%s in\n%s", un, body)
		}
	}
}

func TestAccountShowsWhatIsGiven(t *testing.T) {
	body, _ := account(t, full(""))
	has(t, body, "<title>Problem: Your account</title>", "<strong>user</strong>", `<a href="/oauth2/logout">Log out</a>`,
		`role="alert" tabindex="-1" autofocus><p>problem</p>`, `role="status" tabindex="-1"><p>notice</p>`,
		`<code id="secret" tabindex="0">secret</code>`, "<strong>for</strong>", "it is shown this once",
		`<button id="copy" type="button" hidden>`, `<input id="note" `, `value="typed"`,
		`id="scope-0" type="checkbox" name="scope" value="read">`, `id="scope-1" type="checkbox" name="scope" value="write" checked>`,
		`<select id="days" name="days">`, `<option value="30">30 days</option><option value="90" selected>90 days</option><option value="0">never</option>`)

	this, other := part(t, body, `<li id="session-s1">`, "</li>"), part(t, body, `<li id="session-s2">`, "</li>")
	has(t, this, "agent", "where", "since", "This session")
	lacks(t, this, "<form", "<button")
	has(t, other, "other", "elsewhere", "before", "<form")
	lacks(t, other, "This session")

	token, expired := part(t, body, `<li id="token-t1">`, "</li>"), part(t, body, `<li id="token-t2">`, "</li>")
	has(t, token, "laptop", "created", "used", "expires", "held", `name="do" value="rotate"`, `name="do" value="revoke"`)
	lacks(t, token, "Never", "Expired")
	has(t, expired, "<h3>t2", "Never", "None", "Expired</span>", `name="do" value="revoke"`)
	lacks(t, expired, `value="rotate"`)
}

func TestAccountWithoutAnything(t *testing.T) {
	body, _ := account(t, Account{TokensOn: true})
	has(t, body, "<title>Your account</title>", "There are no sessions to show.", "You have no API tokens yet.", `<form id="create"`)
	lacks(t, body, "autofocus", `id="problem"`, `id="notice"`, `id="secret"`, `id="copy"`, "<script", "Log out", "logged in as", "<fieldset", `id="days"`, "end-others")

	body, _ = account(t, Account{Notice: "Done.", Sessions: []Session{{ID: "a", This: true}}})
	has(t, body, `role="status" tabindex="-1" autofocus>`, "Unknown browser", "You are logged in nowhere else.")
	lacks(t, body, "end-others", "no sessions")
}

func TestAccountWithoutTokens(t *testing.T) {
	a := full("")
	a.TokensOn = false
	body, _ := account(t, a)
	has(t, body, `id="sessions"`)
	lacks(t, body, `id="tokens"`, `id="create"`, "laptop", `value="rotate"`)
}

func TestAccountEscapes(t *testing.T) {
	const fill, escaped = `"'></title></code><u onclick=x>&amp;`, "&#34;&#39;&gt;&lt;/title&gt;&lt;/code&gt;&lt;u onclick=x&gt;&amp;amp;"
	body, _ := account(t, full(fill))
	lacks(t, body, "<u ", `"'>`, "</title></code>")
	for _, field := range strings.Split("user once notice problem secret for where agent since elsewhere other before"+
		" s1 s2 t1 t2 laptop created used expires held read write typed 30", " ") {
		has(t, body, field+escaped)
	}
	body, _ = account(t, Account{Action: `javascript:alert(1)`, Logout: `javascript:alert(2)`, TokensOn: true})
	lacks(t, body, "javascript:")
}

// The secret stands once: in no title, attribute or script.
func TestAccountSecretStandsOnce(t *testing.T) {
	a := full("")
	a.Secret = "lk_9x8y7z"
	body, _ := account(t, a)
	if n := strings.Count(body, a.Secret); n != 1 {
		t.Errorf("the secret stands %d times in\n%s", n, body)
	}
}

// A form counts once, and does one thing.
func TestAccountForms(t *testing.T) {
	body, _ := account(t, full(""))
	var does []string
	for _, form := range strings.Split(body, "<form ")[1:] {
		form, _, _ = strings.Cut(form, "</form>")
		has(t, form, `method="post" action="/oauth2/account"`, `<input type="hidden" name="once" value="once">`)
		does = append(does, part(t, form, `<input type="hidden" name="do" value="`, `"`))
		if n := strings.Count(form, "<button"); n != 1 {
			t.Errorf("%d buttons in\n%s", n, form)
		}
	}
	if got, want := strings.Join(does, " "), "end-session end-others rotate revoke revoke create"; got != want {
		t.Errorf("got forms %s, want %s", got, want)
	}
}

// What cannot be undone is asked twice: its form stands in a closed details,
// whose summary says what it is about.
func TestAccountAsksTwice(t *testing.T) {
	body, _ := account(t, full(""))
	want := []string{
		"End session…other, elsewhere, since before", "End all other sessions…", "Rotate…laptop", "Revoke…laptop", "Revoke…t2",
	}
	all := strings.Split(body, "<details")[1:]
	if len(all) != len(want) {
		t.Fatalf("got %d details, want %d, in\n%s", len(all), len(want), body)
	}
	for i, details := range all {
		details, _, _ = strings.Cut(details, "</details>")
		tag, _, _ := strings.Cut(details, ">")
		lacks(t, tag, "open")
		has(t, details, "<form ", "<p>", "<button")
		summary := strings.NewReplacer(`<span class="unseen"> `, "", "</span>", "").Replace(part(t, details, "<summary>", "</summary>"))
		if summary != want[i] {
			t.Errorf("got summary %q, want %q", summary, want[i])
		}
	}
	outside := regexp.MustCompile(`(?s)<details.*?</details>`).ReplaceAllString(body, "")
	if n := strings.Count(outside, "<form "); n != 1 {
		t.Errorf("%d forms outside of details, want 1, in\n%s", n, outside)
	}
}

// A browser applies the style and runs the script only if the policy has the
// hash of what stands between their tags.
func TestAccountPolicy(t *testing.T) {
	body, policy := account(t, full(""))
	want := "default-src 'none'; style-src " + hash(part(t, body, "<style>", "</style>")) +
		"; script-src " + hash(part(t, body, "<script>", "</script>")) +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	if policy != want {
		t.Errorf("got policy %s\nwant %s", policy, want)
	}
	if inline := regexp.MustCompile(`<[^>]*\s(on\w+|style)=`).FindString(body); inline != "" {
		t.Errorf("the policy forbids %s", inline)
	}
	if n := strings.Count(body, "<script"); n != 1 {
		t.Errorf("%d scripts, want 1", n)
	}
	lacks(t, body, " src=", "url(", "@import", "<link", "http:", "https:")
}

func TestAccountHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	WriteAccount(w, 200, Account{})
	for name, want := range map[string]string{
		"Content-Type":                 "text/html; charset=utf-8",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cache-Control":                "no-store",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("got %s: %q, want %q", name, got, want)
		}
	}
}

// Labels, descriptions and names refer to something, and to one thing.
func TestAccountReferences(t *testing.T) {
	body, _ := account(t, full(""))
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		ids[m[1]]++
		if ids[m[1]] > 1 {
			t.Errorf("the id %s stands twice", m[1])
		}
	}
	for _, m := range regexp.MustCompile(` (?:for|aria-labelledby|aria-describedby)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if ids[m[1]] != 1 {
			t.Errorf("%s refers to nothing", m[0])
		}
	}
	for _, m := range regexp.MustCompile(`<(?:input|select) [^>]*>`).FindAllString(body, -1) {
		if !strings.Contains(m, `type="hidden"`) && !strings.Contains(body, `<label for="`+part(t, m, `id="`, `"`)+`"`) {
			t.Errorf("no label for %s", m)
		}
	}
}
