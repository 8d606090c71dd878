package redis

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

func password(text string) func() string { return func() string { return text } }

func TestSecure(t *testing.T) {
	s := redistest.StartSecure(t)
	localhost := strings.Replace(s.Addr(), "127.0.0.1", "localhost", 1)
	named := s.TLS()
	named.ServerName = "redis.example.com"
	cases := map[string]struct {
		config Config
		want   string // in the error; "": it works
	}{
		"the user":                  {Config{TLS: s.TLS(), Username: redistest.User, Password: password(redistest.Password)}, ""},
		"by name":                   {Config{Addresses: []string{localhost}, TLS: s.TLS(), Username: redistest.User, Password: password(redistest.Password)}, ""},
		"a wrong password":          {Config{TLS: s.TLS(), Username: redistest.User, Password: password("guess")}, "WRONGPASS"},
		"an empty password":         {Config{TLS: s.TLS(), Username: redistest.User}, "WRONGPASS"},
		"another user":              {Config{TLS: s.TLS(), Username: "root", Password: password(redistest.Password)}, "WRONGPASS"},
		"the default user":          {Config{TLS: s.TLS(), Password: password(redistest.Password)}, "WRONGPASS"},
		"nobody":                    {Config{TLS: s.TLS()}, "NOAUTH"},
		"another authority":         {Config{TLS: &tls.Config{}, Username: redistest.User, Password: password(redistest.Password)}, "tls"},
		"a certificate for another": {Config{TLS: named, Username: redistest.User, Password: password(redistest.Password)}, "tls"},
		"without TLS":               {Config{Username: redistest.User, Password: password(redistest.Password)}, ""},
	}
	for name, test := range cases {
		config := test.config
		config.Timeout = generous
		if config.Addresses == nil {
			config.Addresses = []string{s.Addr()}
		}
		c := open1(t, config)
		_, err := c.Do(background, "PING")
		if name == "without TLS" {
			expectError(t, name, err, ErrUnavailable)
			continue
		}
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		expectError(t, name, err, ErrUnavailable, test.want)
		if strings.Contains(err.Error(), redistest.Password) || strings.Contains(err.Error(), "guess") {
			t.Errorf("%s: the password is in %q", name, err)
		}
		if h := c.Health(); h.LastError != test.want || h.Connections != 0 {
			t.Errorf("%s: health %+v, want the error %s and no connection", name, h, test.want)
		}
	}
}

// TestPasswordIsAskedForEachConnection: it may be replaced while we run.
func TestPasswordIsAskedForEachConnection(t *testing.T) {
	s := redistest.Start(t)
	current := "first"
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous, Username: "u", Password: func() string { return current }})
	s.Command("ACL", "SETUSER", "u", "on", ">first", "~*", "+@all")
	do(t, c, "PING")
	s.Command("ACL", "SETUSER", "u", "resetpass", ">second")
	s.Command("CLIENT", "KILL", "USER", "u")
	current = "second"
	do(t, c, "PING")
}

// TestNoRightToPing: such a user is let in.
func TestNoRightToPing(t *testing.T) {
	s := redistest.Start(t)
	s.Command("ACL", "SETUSER", "u", "on", ">p", "~*", "+get")
	c := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous, Username: "u", Password: password("p")})
	expect(t, "what it may", do(t, c, "GET", "k"), "nil")
	_, err := c.Do(background, "SET", "k", "v")
	expectError(t, "what it may not", err, ErrCommand, "NOPERM")
}

// TestTooManyClients: the server says so instead of an answer.
func TestTooManyClients(t *testing.T) {
	s := redistest.Start(t)
	s.Command("CONFIG", "SET", "maxclients", "1")
	first := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	do(t, first, "PING")
	second := open1(t, Config{Addresses: []string{s.Addr()}, Timeout: generous})
	_, err := second.Do(background, "PING")
	expectError(t, "one too many", err, ErrUnavailable)
}
