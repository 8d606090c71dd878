package latchkey

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// No number that somebody says becomes another one.
func TestNumbersStayTheirs(t *testing.T) {
	g := tokenRig(t, func(c *Config) { c.APITokens.MaxLifetime = "720h"; c.Admin = "Equals(`sub`, `alice`)" })
	g.login("/app", nil)
	for _, expires := range []string{
		"9223372036854775807", "9223372036854775806", "9223371974719179007", "253402300800", "9223372036", "-1", "-9223372036854775808",
		"18446744073709551615", "1e18", "1e3", "1.5", "-0.5", "\"9223372036854775807\"", "1e400", "true", "[1]",
	} {
		for _, user := range []string{"", "?user=bob"} {
			r := g.call("POST", "/oauth2/api/tokens"+user, `{"expires":`+expires+`}`)
			// Within the bounds an administrator may give it to somebody else.
			want := http.StatusBadRequest
			if expires == "9223372036" && user != "" {
				want = http.StatusCreated
			}
			if r.StatusCode != want {
				t.Errorf("expires %s%s: status %d, want %d", expires, user, r.StatusCode, want)
			}
			// What the end is once it is computed with says nothing of what was asked for.
			at, err := strconv.ParseInt(expires, 10, 64)
			if text := body(t, r); err == nil && (at < 0 || at > endless) && !strings.Contains(text, " is "+expires+", want Unix seconds up to ") {
				t.Errorf("expires %s%s: the answer says %s", expires, user, text)
			}
		}
	}
	for _, at := range []time.Time{time.Unix(endless+1, 0), time.Unix(1<<62, 0), time.Unix(1, 0)} {
		if _, credential, err := g.l.createToken(context.Background(), NewToken{Owner: "alice", Expires: at}); err == nil || credential != "" {
			t.Errorf("a token that expires at %d was made", at.Unix())
		}
	}
	id, _ := g.give(nil)
	for _, grace := range []string{"9223372036854775807", "123456789012", "-1", "2562047h47m17s", "9223372037s", "1e9s", "-9223372036854775808"} {
		if got := g.call("POST", "/oauth2/api/tokens/"+id+"/rotate", `{"grace":"`+grace+`"}`).StatusCode; got != http.StatusBadRequest {
			t.Errorf("grace %s: status %d", grace, got)
		}
	}
}

// A token whose end is out of bounds in its file is one without an end, and is
// good for as long as others.
func TestEndOutOfBounds(t *testing.T) {
	g := tokenRig(t, nil)
	id, credential := g.give(nil)
	g.changeFile(g.l.set.apiTokens.file, func(tokens map[string]map[string]interface{}) { tokens[id]["expires"] = int64(1<<63 - 1) })
	for i := 0; i < 3; i++ {
		g.expectStatus("the token", g.do(bearer(t, "/app", credential)), http.StatusOK)
	}
	if v := g.l.tokens.get(g.l.keyOf(g.l.credential(bearer(t, "/app", credential)))); v == nil || v.ends != endless {
		t.Errorf("its end is not %d: %+v", int64(endless), v)
	}
}

// Each setting that is a duration refuses one that a Duration does not hold, or
// that could not be added to another.
func TestDurationsAreBounded(t *testing.T) {
	for _, value := range []string{"123456789012", "9223372036854775807", "18446744074", "876001h", "2562047h", "3153600001", "-9223372036854775808", "-18446744074"} {
		for name, set := range durations() {
			config := validConfig()
			config.APITokens.File = t.TempDir() + "/tokens.json"
			config.Delegate.Kind, config.Delegate.Service = "internal", "query"
			set(config, value)
			_, err := New(testContext(t), nil, config, "test")
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%s: %q is ", name, value)) {
				t.Errorf("%s: %s: %v", name, value, err)
			}
		}
	}
}

// durations are the settings of that kind, each with what sets it.
func durations() map[string]func(c *Config, v string) {
	return map[string]func(c *Config, v string){
		"provider.timeout":         func(c *Config, v string) { c.Provider.Timeout = v },
		"session.lifetime":         func(c *Config, v string) { c.Session.Lifetime = v },
		"session.idleTimeout":      func(c *Config, v string) { c.Session.IdleTimeout = v },
		"refresh.before":           func(c *Config, v string) { c.Refresh.Before = v },
		"refresh.maxTokenAge":      func(c *Config, v string) { c.Refresh.MaxTokenAge = v },
		"refresh.shareFor":         func(c *Config, v string) { c.Refresh.ShareFor = v },
		"refresh.timeout":          func(c *Config, v string) { c.Refresh.Timeout = v },
		"apiTokens.checkEvery":     func(c *Config, v string) { c.APITokens.CheckEvery = v },
		"apiTokens.maxLifetime":    func(c *Config, v string) { c.APITokens.MaxLifetime = v },
		"delegate.lifetime":        func(c *Config, v string) { c.Delegate.Lifetime = v },
		"delegate.minimumLifetime": func(c *Config, v string) { c.Delegate.MinimumLifetime = v },
		"redis.timeout":            func(c *Config, v string) { c.Redis.Timeout = v },
		"redis.staleFor":           func(c *Config, v string) { c.Redis.StaleFor = v },
	}
}

// A hundred years are as long as may be.
func TestLongestDuration(t *testing.T) {
	for _, value := range []string{"876000h", "3153600000"} {
		config := validConfig()
		config.Session.Lifetime = value
		if _, err := New(testContext(t), nil, config, "test"); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// A router that is to remember nothing does not, though another one with the same
// rules does.
func TestNothingIsRememberedHere(t *testing.T) {
	g := newRig(t, nil)
	forgetful := g.router(func(c *Config) { c.Cache.Tokens = 0 })
	access := g.accessToken(nil)
	g.login("/app", nil)
	for _, first := range []*Latchkey{g.l, forgetful} {
		for i := 0; i < 3; i++ {
			g.expectStatus("an access token", g.doAt(first, bearer(t, "/app", access)), http.StatusOK)
			g.expectStatus("a session", g.doAt(first, fetch(t, "/app")), http.StatusOK)
		}
	}
	if g.l.passes.budget.held == 0 {
		t.Error("the other router remembers nothing")
	}
	before := forgetful.counters.verifications.Load()
	const times = 4
	for i := 0; i < times; i++ {
		g.expectStatus("an access token", g.doAt(forgetful, bearer(t, "/app", access)), http.StatusOK)
		g.expectStatus("a session", g.doAt(forgetful, fetch(t, "/app")), http.StatusOK)
		g.expectStatus("a bad token", g.doAt(forgetful, bearer(t, "/app", access+"x")), http.StatusUnauthorized)
	}
	if got := forgetful.counters.verifications.Load() - before; got != 3*times {
		t.Errorf("%d requests were verified, want all %d", got, 3*times)
	}
	if n := forgetful.tokens.size(); n != 0 {
		t.Errorf("%d verdicts are remembered", n)
	}
}

// A body says what it is, if there is one; a rotation needs none.
func TestAPIBodies(t *testing.T) {
	g := tokenRig(t, nil)
	g.login("/app", nil)
	id, _ := g.give(nil)
	rotate := "tokens/" + id + "/rotate"
	for _, c := range []struct {
		what, method, path, body string
		header                   map[string]string
		want                     int
	}{
		{"a rotation with nothing", "POST", rotate, "", nil, 200},
		{"a rotation with a type", "POST", rotate, "", map[string]string{"Content-Type": "application/json"}, 200},
		{"a rotation with a body", "POST", rotate, `{"grace":"1h"}`, map[string]string{"Content-Type": "application/json; charset=UTF-8"}, 200},
		{"a body without a type", "POST", rotate, `{"grace":"1h"}`, nil, 400},
		{"a body of a form", "POST", rotate, `grace=1h`, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 400},
		{"an empty form", "POST", rotate, ``, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 400},
		{"a form of files", "POST", rotate, ``, map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, 400},
		{"plain text", "POST", "tokens", `{}`, map[string]string{"Content-Type": "text/plain"}, 400},
		{"another encoding", "POST", "tokens", `{}`, map[string]string{"Content-Type": "application/json; charset=utf-16"}, 400},
		{"a type that is like it", "POST", "tokens", `{}`, map[string]string{"Content-Type": "application/jsonp"}, 400},
		{"packed", "POST", "tokens", `{}`, map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400},
		{"a token of nothing", "POST", "tokens", ``, nil, 400},
		{"a body to read with", "GET", "tokens", `x=1`, map[string]string{"Content-Type": "text/plain"}, 400},
		{"too much to read with", "GET", "tokens", strings.Repeat(" ", maxAPIBody+1), map[string]string{"Content-Type": "application/json"}, 400},
		{"too much to end with", "DELETE", "sessions", strings.Repeat(" ", maxAPIBody+1), map[string]string{"Content-Type": "application/json"}, 400},
		{"null to end with", "DELETE", "sessions", `null`, map[string]string{"Content-Type": "application/json"}, 200},
		{"nothing to end with", "DELETE", "sessions", ``, nil, 200},
	} {
		r := apiRequest(t, c.method, "/oauth2/api/"+c.path, c.body)
		r.Header.Del("Content-Type")
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		if got := g.do(r); got.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d: %s", c.what, got.StatusCode, c.want, body(t, got))
		}
	}
	r := apiRequest(t, "POST", "/oauth2/api/tokens", "{}")
	r.Header.Add("Content-Type", "text/plain")
	if got := g.do(r).StatusCode; got != http.StatusBadRequest {
		t.Errorf("two types: status %d", got)
	}
}
