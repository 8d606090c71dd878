package latchkey

import "testing"

// An encoded slash or dot separates segments for some servers and is a letter
// to others: such a path is protected, though it decodes to a public one.
func TestEncodedSeparators(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/healthz", "/assets/"} })
	for _, target := range []string{
		"/assets%2fx", "/assets%2Fx", "/assets/a%2fb", "/assets/a%2Fb.css", "/assets/a%2ecss", "/assets/a%2Ecss", "/assets/%2ewell-known", "/%2fhealthz",
		"/healthz%2f", "/oauth2%2fstatus", "/oauth2/status%2f", "/oauth2/%2estatus", "/assets/..%c0%af/app%2f",
	} {
		g.expectStatus(target, g.do(fetch(t, target)), 401)
	}
}

// Lenient decoders read overlong sequences as dots and slashes.
func TestPathsThatAreNotUTF8(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Public = []string{"/assets/"} })
	for target, want := range map[string]int{
		"/assets/%c0%ae%c0%ae/app": 401, "/assets/..%c0%afapp": 401, "/assets/%e0%80%ae": 401, "/assets/%ff": 401, "/assets/%ed%a0%80": 401,
		"/assets/%e2%98%83.png": 200, "/assets/\u2603.png": 200,
	} {
		g.expectStatus(target, g.do(fetch(t, target)), want)
	}
}
