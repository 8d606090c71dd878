package latchkey

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visit opens the account page as a browser.
func (g *rig) visit() (page string, response *http.Response) {
	g.t.Helper()
	response = g.do(navigate(g.t, "/oauth2/account"))
	return body(g.t, response), response
}

var onceField = regexp.MustCompile(`name="once" value="([0-9a-f]{32})"`)

// form is what a form of the page would send.
func form(t *testing.T, page string, fields ...string) *http.Request {
	t.Helper()
	values := url.Values{}
	if found := onceField.FindStringSubmatch(page); found != nil {
		values.Set("once", found[1])
	}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, "/oauth2/account", strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "app.example.com"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("X-Forwarded-Proto", "https")
	return r
}

var secretShown = regexp.MustCompile(`lk_[0-9a-f]{16}_[0-9a-f]{40}`)

// A token's life through the page.
func TestAccountTokens(t *testing.T) {
	g := tokenRig(t, withScopes)
	g.login("/app", map[string]interface{}{"groups": []string{"ops"}})
	page, response := g.visit()
	if response.StatusCode != http.StatusOK || !strings.Contains(page, "scope-1") {
		t.Fatalf("status %d: %s", response.StatusCode, page)
	}
	request := form(t, page, "do", "create", "note", "nightly <build>", "scope", "read", "days", "30")
	page = body(t, g.do(request))
	credential := secretShown.FindString(page)
	if !strings.Contains(page, "nightly &lt;build&gt;") || credential == "" {
		t.Fatalf("no new secret: %s", page)
	}
	g.expectStatus("the token", g.do(bearer(t, "/app", credential)), http.StatusOK)
	if page, _ := g.visit(); strings.Contains(page, credential) {
		t.Error("the secret is shown again")
	}
	id := credential[3:19]
	page, _ = g.visit()
	page = body(t, g.do(form(t, page, "do", "rotate", "id", id, "grace", "0")))
	rotated := secretShown.FindString(page)
	g.expectStatus("rotated", g.do(bearer(t, "/app", credential)), http.StatusUnauthorized)
	g.expectStatus("the new secret", g.do(bearer(t, "/app", rotated)), http.StatusOK)
	page, _ = g.visit()
	response = g.do(form(t, page, "do", "revoke", "id", id))
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/oauth2/account?done=revoke" {
		t.Errorf("revoke: status %d to %q", response.StatusCode, response.Header.Get("Location"))
	}
	g.expectStatus("revoked", g.do(bearer(t, "/app", rotated)), http.StatusUnauthorized)
}

// A form counts once, however often a browser sends it.
func TestAccountFormCountsOnce(t *testing.T) {
	g := tokenRig(t, nil)
	g.login("/app", nil)
	page, _ := g.visit()
	for i, want := range []int{http.StatusOK, http.StatusSeeOther} {
		if got := g.do(form(t, page, "do", "create", "days", "30")).StatusCode; got != want {
			t.Errorf("time %d: status %d, want %d", i+1, got, want)
		}
	}
	list, err := g.l.listTokens(testContext(t), "")
	if err != nil || len(list) != 1 {
		t.Errorf("%d tokens, %v", len(list), err)
	}
}

// What is wrong is said on the page, and nothing that was typed is lost.
func TestAccountProblems(t *testing.T) {
	g := tokenRig(t, withScopes)
	others, _ := g.give(func(n *NewToken) { n.Owner = "somebody else" })
	g.login("/app", nil)
	for what, c := range map[string]struct {
		fields []string
		want   int
		says   string
	}{
		"a scope that is not theirs": {[]string{"do", "create", "note", "my note", "scope", "deploy", "days", "30"}, 403, `&#34;deploy&#34; is not yours to give`},
		"for too long":               {[]string{"do", "create", "note", "my note", "days", "31"}, 400, "at the latest"},
		"no expiry":                  {[]string{"do", "create", "note", "my note"}, 400, "Choose when"},
		"a note of two lines":        {[]string{"do", "create", "note", "my note\nmore", "days", "30"}, 400, "control characters"},
		"another's token, rotated":   {[]string{"do", "rotate", "note", "my note", "id", others, "grace", "0"}, 404, "no such thing"},
		"another's token, revoked":   {[]string{"do", "revoke", "note", "my note", "id", others}, 404, "no such thing"},
		"another's session":          {[]string{"do", "end-session", "note", "my note", "id", "x"}, 404, "no such thing"},
		"nothing that is known":      {[]string{"do", "delete everything", "note", "my note"}, 400, "nothing that is known"},
	} {
		page, _ := g.visit()
		response := g.do(form(t, page, c.fields...))
		text := body(t, response)
		if response.StatusCode != c.want || !strings.Contains(text, c.says) || !strings.Contains(text, "my note") {
			t.Errorf("%s: status %d, want %d and %q: %s", what, response.StatusCode, c.want, c.says, text)
		}
	}
	page, _ := g.visit()
	for what, r := range map[string]*http.Request{
		"no nonce":       form(t, "", "do", "create", "days", "30"),
		"another site":   form(t, page, "do", "create", "days", "30"),
		"an endless one": form(t, page, "do", "create", "note", strings.Repeat("n", maxForm)),
	} {
		want := http.StatusBadRequest
		if what == "another site" {
			r.Header.Set("Sec-Fetch-Site", "same-site")
			want = http.StatusForbidden
		}
		if got := g.do(r).StatusCode; got != want {
			t.Errorf("%s: status %d, want %d", what, got, want)
		}
	}
	if list, err := g.l.listTokens(testContext(t), ""); err != nil || len(list) != 1 {
		t.Errorf("%d tokens, %v, want the other's alone", len(list), err)
	}
}

func TestAccountSessions(t *testing.T) {
	g := newRig(t, nil)
	g.login("/app", nil)
	first := g.swap(nil)
	g.login("/app", nil)
	second := g.swap(nil)
	g.login("/app", nil)
	page, response := g.visit()
	ids := regexp.MustCompile(`name="id" value="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(ids) != 2 || strings.Contains(page, `id="tokens"`) {
		t.Fatalf("%d sessions can be ended, want 2, and no token made: %s", len(ids), page)
	}
	for name, want := range map[string]string{"Content-Security-Policy": "frame-ancestors 'none'", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"} {
		if got := response.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := g.do(form(t, page, "do", "end-session", "id", ids[1][1])); got.StatusCode != http.StatusSeeOther {
		t.Errorf("end one: status %d", got.StatusCode)
	}
	mine := g.swap(first)
	g.expectStatus("the one that was ended", g.do(fetch(t, "/app")), http.StatusUnauthorized)
	g.swap(second)
	g.expectStatus("another", g.do(fetch(t, "/app")), http.StatusOK)
	g.swap(mine)
	page, _ = g.visit()
	if got := g.do(form(t, page, "do", "end-others")); got.Header.Get("Location") != "/oauth2/account?done=others" {
		t.Errorf("end the others: to %q", got.Header.Get("Location"))
	}
	g.expectStatus("this one", g.do(fetch(t, "/app")), http.StatusOK)
	g.swap(second)
	g.expectStatus("the other", g.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// Nobody is sent to log in, and comes back to the page; no other credential
// opens it.
func TestAccountNeedsALogin(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.Authorize = "Equals(`sub`, `nobody`)" })
	if got := g.login("/oauth2/account", nil); got != "/oauth2/account" {
		t.Errorf("the login leads to %q", got)
	}
	if _, response := g.visit(); response.StatusCode != http.StatusOK {
		t.Errorf("somebody whom the rule keeps out: status %d", response.StatusCode)
	}
	g.swap(nil)
	_, credential := g.give(nil)
	for what, token := range map[string]string{"an API token": credential, "an access token": g.accessToken(nil)} {
		if got := g.do(bearer(t, "/oauth2/account", token)).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s: status %d", what, got)
		}
	}
	if got := g.do(fetch(t, "/oauth2/account")).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("a script: status %d", got)
	}
	page := `name="once" value="00000000000000000000000000000000"`
	if got := g.do(form(t, page, "do", "end-others")).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("a form of nobody: status %d", got)
	}
}

// The page offers the lives that the settings allow. Where it can be none of the
// usual ones, or has no limit, there is one more choice: as long as may be.
func TestOfferedLives(t *testing.T) {
	for limit, want := range map[string]string{
		"0":     "7=7 days, 30=30 days, 90=90 days, 365=365 days, 0=never",
		"8760h": "7=7 days, 30=30 days, 90=90 days, 365=365 days",
		"8759h": "7=7 days, 30=30 days, 90=90 days",
		"168h":  "7=7 days",
		"24h":   "0=24h0m0s",
	} {
		g := tokenRig(t, func(c *Config) { c.APITokens.MaxLifetime = limit })
		var got []string
		for _, choice := range g.l.set.apiTokens.expiries() {
			got = append(got, choice.Value+"="+choice.Text)
		}
		if list := strings.Join(got, ", "); list != want {
			t.Errorf("%s: the page offers %s, want %s", limit, list, want)
		}
	}
}
