package latchkey

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// stored are the two stores that leave the browser an id alone.
var stored = []string{"memory", "redis"}

func TestCookieIsAnID(t *testing.T) {
	for _, store := range stored {
		kept := store
		p := newPair(t, func(c *Config) { c.Session.Store = kept })
		p.login("/app", map[string]interface{}{"large": noise(6000)})
		if names := p.sessionCookies(); len(names) != 1 || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(p.jar[names[0]]) {
			t.Errorf("%s: the cookies are %v", store, p.jar)
		}
		first := p.jar[p.l.set.cookie.Name]
		p.expectStatus(store, p.do(fetch(t, "/app")), http.StatusOK)
		p.swap(nil)
		p.login("/app", nil)
		if p.jar[p.l.set.cookie.Name] == first {
			t.Errorf("%s: two logins have one id", store)
		}
	}
}

// What is no id never gets as far as Redis.
func TestNoSessionOfAnotherShape(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	id := p.jar[p.l.set.cookie.Name]
	before := p.l.redis.Health().Commands
	for _, value := range []string{"x", strings.ToUpper(id) + "A", id[1:], id + "0", "g" + id[1:], id[:31] + "*"} {
		p.jar[p.l.set.cookie.Name] = value
		p.expectStatus(value, p.do(fetch(t, "/app")), http.StatusUnauthorized)
	}
	if after := p.l.redis.Health().Commands; after > before+10 { // those of the revocation log's reader
		t.Errorf("%d commands were sent", after-before)
	}
	p.jar[p.l.set.cookie.Name] = strings.Repeat("0", 32)
	p.expectStatus("an id that nobody was given", p.do(fetch(t, "/app")), http.StatusUnauthorized)
}

// Nobody who reads Redis can be somebody, and nobody who writes there either.
func TestRecordsInRedis(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", map[string]interface{}{"email": "alice@example.com"})
	id := p.jar[p.l.set.cookie.Name]
	for _, key := range p.keys("") {
		kind := p.server.Command("TYPE", key)
		content := key
		if kind == "string" {
			content += p.server.Command("GET", key)
		}
		if strings.Contains(content, id) || strings.Contains(content, "alice") {
			t.Errorf("%s of kind %s tells who", key, kind)
		}
	}
	record := p.record()
	good := p.server.Command("GET", record)
	for name, value := range map[string]string{
		"garbage": "garbage", "empty": "", "cut": good[:len(good)/2], "longer": good + "A", "changed": "B" + good[1:],
	} {
		p.server.Command("SET", record, value)
		p.expectStatus(name, p.doAt(p.other, fetch(t, "/app")), http.StatusUnauthorized)
		if left := p.server.Command("GET", record); left != value {
			t.Errorf("%s: the bad record was changed to %q", name, left)
		}
		// Forget that it is bad.
		p.other = p.replica(func(c *Config) { c.Redis.Addresses = []string{p.server.Addr()} })
	}
	// Under another id, it is none either.
	stranger := strings.Repeat("1", 32)
	p.server.Command("SET", strings.Replace(record, sessionID(id), sessionID(stranger), 1), good)
	p.jar[p.l.set.cookie.Name] = stranger
	p.expectStatus("a record under another key", p.doAt(p.other, fetch(t, "/app")), http.StatusUnauthorized)
}

// An ended session stays ended, in the store and in every copy.
func TestEndedSessionDoesNotComeBack(t *testing.T) {
	for _, store := range stored {
		kept := store
		p := newPair(t, func(c *Config) { c.Session.Store = kept })
		p.login("/app", nil)
		credential := p.jar[p.l.set.cookie.Name]
		s, err := p.l.openSession(testContext(t), credential)
		if err != nil {
			t.Fatal(err)
		}
		jar := p.swap(p.jar)
		p.do(navigate(t, "/oauth2/logout"))
		if there, err := p.l.sessions.update(testContext(t), s, credential, time.Hour); there || err != nil {
			t.Errorf("%s: an ended session was written again: %v", store, err)
		}
		if err := p.l.sessions.create(testContext(t), s, credential, time.Hour); err != nil {
			t.Fatal(err)
		}
		p.swap(jar)
		p.expectStatus(store+": a copy of the record", p.do(fetch(t, "/app")), http.StatusUnauthorized)
	}
}

// With one session too many, the oldest ends, on every replica.
func TestSessionsPerUser(t *testing.T) {
	for _, store := range []string{"cookie", "memory", "redis"} {
		for _, others := range []bool{false, true} {
			kept, end := store, others
			p := newPair(t, func(c *Config) {
				c.Session.Store = kept
				c.Session.MaxPerUser = 2
				if end {
					c.Session.OnLogin = "endOthers"
				}
			})
			var jars []map[string]string
			p.login("/app", map[string]interface{}{"sub": "bob"})
			bob := p.swap(nil)
			for i := 0; i < 3; i++ {
				p.clock.advance(time.Second)
				p.login("/app", nil)
				jars = append(jars, p.swap(nil))
			}
			want := []int{http.StatusUnauthorized, http.StatusOK, http.StatusOK}
			if others {
				want[1] = http.StatusUnauthorized
			}
			for i, jar := range jars {
				p.swap(jar)
				p.expectStatus(store+": a session of three", p.do(fetch(t, "/app")), want[i])
			}
			if store != "memory" {
				p.swap(jars[0])
				eventually(t, store+": the other replica to know", func() bool {
					return p.doAt(p.other, fetch(t, "/app")).StatusCode == http.StatusUnauthorized
				})
			}
			p.swap(bob)
			p.expectStatus(store+": another user's", p.do(fetch(t, "/app")), http.StatusOK)
		}
	}
}

// A logout makes room for a login.
func TestLogoutMakesRoom(t *testing.T) {
	for _, redis := range []bool{false, true} {
		alone := !redis
		p := newPair(t, func(c *Config) {
			c.Session.MaxPerUser = 2
			if alone {
				c.Redis.Addresses = nil
				c.Session.Store = "memory"
			}
		})
		p.login("/app", nil)
		first := p.swap(nil)
		p.clock.advance(time.Second)
		p.login("/app", nil)
		p.do(navigate(t, "/oauth2/logout"))
		p.login("/app", nil)
		p.swap(first)
		p.expectStatus("the first session", p.do(fetch(t, "/app")), http.StatusOK)
	}
}

// A replica whose copy is old takes neither the session's idle time-out nor its
// new tokens back.
func TestIdleTimeoutAcrossReplicas(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Session.IdleTimeout = "4m" })
	p.login("/app", nil)
	p.expectStatus("there", p.doAt(p.other, fetch(t, "/app")), http.StatusOK)
	for i := 0; i < 4; i++ {
		p.clock.advance(time.Minute)
		p.expectStatus("here", p.do(fetch(t, "/app")), http.StatusOK)
	}
	p.expectStatus("there, by a copy of four minutes ago", p.doAt(p.other, fetch(t, "/app")), http.StatusOK)
	p.clock.advance(4 * time.Minute)
	p.expectStatus("here, at its end", p.do(fetch(t, "/app")), http.StatusUnauthorized)
	p.expectStatus("there, at its end", p.doAt(p.other, fetch(t, "/app")), http.StatusUnauthorized)
}

// Records outlive the rotation of the secret.
func TestSecretRotationKeepsRecords(t *testing.T) {
	p := newPair(t, nil)
	p.login("/app", nil)
	rotated := p.replica(func(c *Config) {
		c.Redis.Addresses = []string{p.server.Addr()}
		c.Redis.Timeout = "10s"
		c.Secret = []string{"another secret of more than 32 bytes", testSecret}
	})
	p.expectStatus("a session of the old secret", p.doAt(rotated, fetch(t, "/app")), http.StatusOK)
}

// Known identities go on for staleFor, then nobody; with deny nobody at once.
func TestRedisAway(t *testing.T) {
	for _, whenDown := range []string{"stale", "deny"} {
		kept := whenDown
		p := newPair(t, func(c *Config) {
			c.Redis.WhenDown = kept
			c.Redis.Timeout = "500ms"
		})
		p.login("/app", nil)
		p.expectStatus(whenDown+": before", p.do(fetch(t, "/app")), http.StatusOK)
		p.stop()
		if whenDown == "stale" {
			p.expectStatus("a known session", p.do(fetch(t, "/app")), http.StatusOK)
			p.expectStatus("an unknown one", p.doAt(p.other, fetch(t, "/app")), http.StatusServiceUnavailable)
			p.clock.advance(31 * time.Second)
		}
		eventually(t, whenDown+": 503", func() bool {
			return p.do(fetch(t, "/app")).StatusCode == http.StatusServiceUnavailable
		})
		response := p.do(fetch(t, "/app"))
		p.expectStatus(whenDown+": when it is too long", response, http.StatusServiceUnavailable)
		if response.Header.Get("Retry-After") == "" || !strings.Contains(body(t, response), "store_unavailable") {
			t.Errorf("%s: the answer does not say why, or until when", whenDown)
		}
		jar := p.swap(nil)
		callback := p.begin("/app", nil)
		p.expectStatus(whenDown+": a new login", p.do(navigate(t, callback)), http.StatusServiceUnavailable)
		p.swap(jar)
	}
}
