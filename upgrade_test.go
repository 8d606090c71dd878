package latchkey

import (
	"net/http"
	"strings"
	"testing"
)

// offers are Upgrade headers that are not for a WebSocket alone.
var offers = [][]string{{"h2c"}, {"H2C"}, {"h2c, websocket"}, {"websocket, h2c"}, {"websocket", "h2c"}, {"h2c", "websocket"}, {"TLS/1.0"}, {"SPDY/3.1"}}

func offering(r *http.Request, upgrade []string) *http.Request {
	r.Header["Upgrade"] = upgrade
	r.Header["Connection"] = []string{"keep-alive, Upgrade, HTTP2-Settings"}
	r.Header["Http2-Settings"] = []string{"AAMAAABkAAQAoAAAAAIAAAAA"}
	r.Header["Sec-Websocket-Key"] = []string{"dGhlIHNhbXBsZSBub25jZQ=="}
	return r
}

// upgradeRig has a request of each kind that gets to the upstream.
func upgradeRig(t *testing.T, change func(*Config)) (g *rig, send map[string]func(*http.Request) *http.Response) {
	g = tokenRig(t, func(c *Config) {
		c.Public = []string{"/open/"}
		if change != nil {
			change(c)
		}
	})
	_, credential := g.give(nil)
	token := g.accessToken(nil)
	g.login("/app", nil)
	jar := g.jar
	passes := g.router(func(c *Config) { c.Unauthenticated = "pass" })
	with := func(l *Latchkey, jar map[string]string, name, value string) func(*http.Request) *http.Response {
		return func(r *http.Request) *http.Response {
			g.jar = jar
			if name != "" {
				r.Header.Set(name, value)
			}
			return g.doAt(l, r)
		}
	}
	none := map[string]string{}
	return g, map[string]func(*http.Request) *http.Response{
		"a session":           with(g.l, jar, "", ""),
		"a bearer token":      with(g.l, none, "Authorization", "Bearer "+token),
		"an API token":        with(g.l, none, "Authorization", "Bearer "+credential),
		"an API token apart":  with(g.l, none, "X-Api-Key", credential),
		"nobody, let through": with(passes, none, "", ""),
	}
}

// No request reaches the upstream with an offer to switch to a protocol in which
// others follow that nobody looks at: neither cold nor warm, nor where nobody is
// asked for a credential.
func TestUpgradeStaysHere(t *testing.T) {
	g, send := upgradeRig(t, nil)
	clean := func(what string, response *http.Response) {
		t.Helper()
		g.expectStatus(what, response, http.StatusOK)
		h := g.upstream.Header
		if h["Upgrade"] != nil || h["Http2-Settings"] != nil || h.Get("Connection") != "keep-alive" {
			t.Errorf("%s: the upstream got Upgrade %q, Connection %q, settings %q", what, h["Upgrade"], h["Connection"], h["Http2-Settings"])
		}
	}
	for what, do := range send {
		for _, upgrade := range offers {
			clean(what+" with "+strings.Join(upgrade, "|"), do(offering(fetch(t, "/app"), upgrade)))
			clean(what+", public, with "+strings.Join(upgrade, "|"), do(offering(fetch(t, "/open/"), upgrade)))
			do(fetch(t, "/app")) // warm
		}
		g.forget()
		clean(what+" without a key", do(func() *http.Request {
			r := offering(fetch(t, "/app"), []string{"websocket"})
			delete(r.Header, "Sec-Websocket-Key")
			return r
		}()))
		post := offering(fetch(t, "/app"), []string{"websocket"})
		post.Method = "POST"
		clean(what+" with POST", do(post))
		if !strings.HasPrefix(what, "nobody") { // has no public paths
			clean(what+", public, a WebSocket", do(offering(fetch(t, "/open/"), []string{"websocket"})))
		}
	}
}

func TestWebSocketsGoOn(t *testing.T) {
	for _, public := range []bool{false, true} {
		g, send := upgradeRig(t, func(c *Config) { c.PublicWebSockets = public })
		for what, do := range send {
			for i := 0; i < 3; i++ {
				for _, path := range []string{"/app", "/open/"} {
					if path == "/open/" && (!public || strings.HasPrefix(what, "nobody")) {
						continue
					}
					g.expectStatus(what, do(offering(fetch(t, path), []string{"WebSocket"})), http.StatusOK)
					h := g.upstream.Header
					if h.Get("Upgrade") != "WebSocket" || h.Get("Connection") != "keep-alive, Upgrade" || h["Http2-Settings"] != nil {
						t.Errorf("%s: %s: the upstream got Upgrade %q, Connection %q", what, path, h["Upgrade"], h["Connection"])
					}
				}
				do(fetch(t, "/app")) // warm
			}
		}
	}
}

// CONNECT asks for a tunnel.
func TestConnectIsRefused(t *testing.T) {
	g, send := upgradeRig(t, nil)
	for what, do := range send {
		do(fetch(t, "/app")) // warm
		for _, path := range []string{"/app", "/open/", "/oauth2/userinfo"} {
			r := fetch(t, path)
			r.Method = http.MethodConnect
			g.expectStatus(what+": "+path, do(r), http.StatusNotImplemented)
		}
	}
}
