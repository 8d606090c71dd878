package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// crowd is the client of requests that bring their own cookies: as many connections as there are requests.
var crowd = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 2000, IdleConnTimeout: 5 * time.Second},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask sends a background request with a Cookie header.
func (f *fleet) ask(ctx context.Context, replica int, path, cookie string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.Traefiks[replica].URL+path, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Cookie", cookie)
	res, err := crowd.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body)}, err
}

// status is that of the answer to ask, 0 when there was none.
func (f *fleet) status(replica int, cookie string) int {
	a, err := f.ask(f.t.Context(), replica, "/page", cookie)
	if err != nil {
		return 0
	}
	return a.status
}

// answers checks what every replica answers to a cookie.
func (f *fleet) answers(cookie string, want int, whose string) {
	f.t.Helper()
	for i := range f.Traefiks {
		a, err := f.ask(f.t.Context(), i, "/page", cookie)
		if err != nil || a.status != want {
			f.t.Errorf("%s at replica %d: status %d, error %v, want %d\n%s", whose, i, a.status, err, want, a.body)
		}
	}
}

// storm sends a request for each cookie, all at once and to the replicas in turn, and returns the answers. That of a
// request that was not answered has status 0.
func (f *fleet) storm(ctx context.Context, cookies []string) []answer {
	answers := make([]answer, len(cookies))
	var all sync.WaitGroup
	for i, cookie := range cookies {
		all.Go(func() { answers[i], _ = f.ask(ctx, i%len(f.Traefiks), fmt.Sprintf("/page/%d", i), cookie) })
	}
	all.Wait()
	return answers
}

// tally is how often each status came.
func tally(answers []answer) map[int]int {
	counts := map[int]int{}
	for _, a := range answers {
		counts[a.status]++
	}
	return counts
}

// isAll checks that there is no other status than this one.
func (f *fleet) isAll(answers []answer, status int) {
	f.t.Helper()
	if counts := tally(answers); counts[status] != len(answers) {
		f.t.Errorf("the answers by status are %v, want %d alone", counts, status)
	}
}

// granted checks what came of the refresh grants since the counts were reset.
func (f *fleet) granted(succeeded, refused int) {
	f.t.Helper()
	if g := f.Provider.Grants(); g.Succeeded != succeeded || g.Refused != refused {
		f.t.Errorf("%d refresh grants succeeded and %d were refused, want %d and %d", g.Succeeded, g.Refused, succeeded, refused)
	}
}

// outlast waits until the access tokens that people logged in with have ended. It goes by the clock, as they do.
func (f *fleet) outlast(lifetime time.Duration, people ...*person) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), lifetime+30*time.Second)
	defer cancel()
	last := people[0].since
	for _, p := range people {
		if p.since.After(last) {
			last = p.since
		}
	}
	f.until(ctx, "access tokens to end", func() error {
		if left := time.Until(last.Add(lifetime + time.Second)); left > 0 {
			return fmt.Errorf("%v left", left)
		}
		return nil
	})
}

// until is harness.Poll, and fails the test.
func (f *fleet) until(ctx context.Context, what string, ready func() error) {
	f.t.Helper()
	if err := harness.Poll(ctx, what, ready); err != nil {
		f.t.Fatal(err)
	}
}

// within is until with a time-out.
func (f *fleet) within(d time.Duration, what string, ready func() error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), d)
	defer cancel()
	f.until(ctx, what, ready)
}

// sid is what the provider calls the login.
func (f *fleet) sid(p *person) string {
	f.t.Helper()
	a, err := f.ask(f.t.Context(), 0, "/oauth2/userinfo", p.cookie)
	if err != nil {
		f.t.Fatal(err)
	}
	var claims struct{ SID string }
	if err := json.Unmarshal([]byte(a.body), &claims); err != nil || claims.SID == "" {
		f.t.Fatalf("userinfo has no sid: status %d, %v\n%s", a.status, err, a.body)
	}
	return claims.SID
}

// logout logs out at a replica and goes nowhere from there.
func (f *fleet) logout(replica int, cookie string) {
	f.t.Helper()
	a, err := f.ask(f.t.Context(), replica, "/oauth2/logout", cookie)
	if err != nil || a.status != http.StatusFound && a.status != http.StatusOK {
		f.t.Errorf("logout at replica %d: status %d, error %v", replica, a.status, err)
	}
}

// backchannel posts a logout token to a replica, as the provider would.
func (f *fleet) backchannel(replica int, token string) answer {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.Traefiks[replica].URL+"/oauth2/backchannel-logout", body)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := crowd.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// logoutToken is one for a user, a login, or both.
func (f *fleet) logoutToken(sub, sid string) string {
	f.t.Helper()
	token, err := f.Provider.LogoutToken(f.t.Context(), sub, sid)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}
