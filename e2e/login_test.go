package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	for _, test := range []struct {
		user, groups string
		entry        string
	}{
		{"alice", "staff,ops", b.Traefik.URL},
		{"bob", "staff", b.Traefik.URL},
		{"alice", "staff,ops", b.Traefik.TLSURL},
	} {
		t.Run(test.user+" at "+test.entry[:strings.Index(test.entry, ":")], func(t *testing.T) {
			b := &bench{b.Site, t}
			tab := b.tab()
			if _, err := tab.Open(test.entry + "/reports/42?month=5&year=2026"); err != nil {
				t.Fatal(err)
			}
			b.atProvider(tab)
			status, err := tab.Login(test.user)
			if err != nil {
				t.Fatal(err)
			}
			if status != http.StatusOK {
				t.Errorf("status %d after the login, want 200", status)
			}
			at(t, tab, test.entry+"/reports/42?month=5&year=2026")
			seen, err := tab.Seen()
			if err != nil {
				t.Fatal(err)
			}
			isIdentity(t, seen, test.user, test.groups)
			if cookies := seen.Header["Cookie"]; cookies != nil {
				t.Errorf("the app got cookies %q, want none", cookies)
			}
			if status, err = tab.Open(test.entry + "/other"); err != nil || status != http.StatusOK {
				t.Errorf("second page: status %d, error %v, want 200 at once", status, err)
			}
			at(t, tab, test.entry+"/other")
		})
	}
}

func TestGroupsDecide(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	tab := b.tab()
	if _, err := tab.Open(b.Traefik.URL + "/ops/"); err != nil {
		t.Fatal(err)
	}
	status, err := tab.Login("bob")
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusForbidden {
		t.Errorf("bob at /ops/: status %d, want 403", status)
	}
	text, err := tab.Text()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "rule_denied") {
		t.Errorf("the page for bob at /ops/ does not tell the reason code rule_denied:\n%s", text)
	}
	if status, err = tab.Open(b.Traefik.URL + "/"); err != nil || status != http.StatusOK {
		t.Errorf("bob at /: status %d, error %v, want 200", status, err)
	}

	client := b.session("bob")
	a := b.get(client, b.Traefik.TLSURL+"/ops/", "Sec-Fetch-Mode", "cors", "Accept", "application/json")
	if a.status != http.StatusForbidden || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("bob's script at /ops/: status %d, %q, want 403, application/problem+json", a.status, a.header.Get("Content-Type"))
	}
	b.untouched("/ops/")

	a = b.get(b.session("alice"), b.Traefik.TLSURL+"/ops/")
	if a.status != http.StatusOK {
		t.Fatalf("alice at /ops/: status %d, want 200", a.status)
	}
	isIdentity(t, a.seen(t), "alice", "staff,ops")
}

// A strict cookie is not sent on the way back from another site, so a page of Latchkey's does the last step.
func TestStrictCookie(t *testing.T) {
	t.Parallel()
	b := start(t, plan{settings: func(_ *harness.Site, settings harness.Settings) harness.Settings {
		return settings.With("session", "cookie", "sameSite", "strict")
	}})
	tab := b.tab()
	if _, err := tab.Open(b.Traefik.URL + "/reports/42"); err != nil {
		t.Fatal(err)
	}
	if _, err := tab.Login("alice"); err != nil {
		t.Fatal(err)
	}
	seen, err := tab.Seen() // waits for the app's page
	if err != nil {
		t.Fatal(err)
	}
	at(t, tab, b.Traefik.URL+"/reports/42")
	isIdentity(t, seen, "alice", "staff,ops")
}

// Tabs that are opened together, as a browser does at its start, do not disturb one another.
func TestFiveTabs(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	tabs := b.tabs(5)
	target := func(i int) string { return fmt.Sprintf("%s/tab/%d?q=%d&q=a%%20b", b.Traefik.URL, i, i) }
	each(t, tabs, func(i int, tab *harness.Tab) error {
		_, err := tab.Open(target(i))
		return err
	})
	each(t, tabs, func(i int, tab *harness.Tab) error {
		status, err := tab.Login("alice")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d after the login, want 200", status)
		}
		return err
	})
	for i, tab := range tabs {
		at(t, tab, target(i))
		seen, err := tab.Seen()
		if err != nil {
			t.Fatal(err)
		}
		isIdentity(t, seen, "alice", "staff,ops")
	}
}

func each(t *testing.T, tabs []*harness.Tab, do func(int, *harness.Tab) error) {
	t.Helper()
	var all sync.WaitGroup
	for i, tab := range tabs {
		all.Go(func() {
			if err := do(i, tab); err != nil {
				t.Errorf("tab %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"up", "down"} {
		t.Run("provider "+provider, func(t *testing.T) {
			b := start(t, plan{provider: harness.ProviderOptions{SingleSignOn: true}})
			tab := b.tab()
			if _, err := tab.Open(b.Traefik.URL + "/"); err != nil {
				t.Fatal(err)
			}
			if _, err := tab.Login("alice"); err != nil {
				t.Fatal(err)
			}
			if provider == "down" {
				b.Provider.Stop()
				b.forgetReach()
			}
			status, err := tab.Open(b.Traefik.URL + "/oauth2/logout")
			if err != nil {
				t.Fatal(err)
			}
			if status != http.StatusOK {
				t.Errorf("status %d after the logout, want 200", status)
			}
			where, err := tab.URL()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(where, b.Traefik.URL+"/oauth2/logout") {
				t.Errorf("the logout ended at %q, want the page of Latchkey", where)
			}
			cookies, err := tab.Cookies()
			if err != nil {
				t.Fatal(err)
			}
			for _, cookie := range cookies {
				if strings.Contains(cookie.Name, "latchkey") {
					t.Errorf("cookie %q is still there", cookie.Name)
				}
			}
			if provider == "down" {
				return
			}
			if _, err := tab.Open(b.Traefik.URL + "/"); err != nil {
				t.Fatal(err)
			}
			b.atProvider(tab) // which shows its form: it, too, has logged alice out
		})
	}
}
