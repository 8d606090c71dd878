package headers

import (
	"net/http"
	"strings"
	"testing"
)

// upgrading is a request with this offer, once with each value.
func upgrading(method string, connection string, upgrade ...string) *http.Request {
	r := request(http.Header{
		"Connection": {connection}, "Upgrade": upgrade, "Http2-Settings": {"AAMAAABkAAQAoAAAAAIAAAAA"}, "http2_settings": {"x"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Accept": {"*/*"},
	})
	r.Method = method
	return r
}

// An upstream that is asked to speak HTTP/2 in the open takes further requests
// that nobody has looked at.
func TestStripUpgrade(t *testing.T) {
	guard := guardOf(ours...)
	for _, upgrade := range [][]string{
		{"h2c"}, {"H2C"}, {" h2c"}, {"h2"}, {"h2c, websocket"}, {"websocket, h2c"}, {"websocket,h2c"}, {"websocket", "h2c"}, {"h2c", "websocket"},
		{"websocket", "websocket"}, {"websocket/13"}, {"TLS/1.0"}, {"TLS/1.2, HTTP/2.0"}, {"SPDY/3.1"}, {"web socket"}, {""}, {"websocket\x00"}, {"*"}, {},
	} {
		for _, connection := range []string{"Upgrade", "upgrade, HTTP2-Settings", "keep-alive, UPGRADE,http2-settings", "Upgrade, close, Upgrade", "http2_settings, upgrade"} {
			r := upgrading("GET", connection, upgrade...)
			guard.Learn(r.Header)
			guard.Strip(r)
			for name, values := range r.Header {
				text := strings.ToLower(name + strings.Join(values, ","))
				if strings.Contains(text, "upgrade") || strings.Contains(text, "http2") || strings.Contains(text, "h2c") {
					t.Errorf("%q, %q: left: %s: %q", upgrade, connection, name, values)
				}
			}
			if r.Header.Get("Accept") != "*/*" {
				t.Errorf("%q, %q: another header is gone", upgrade, connection)
			}
		}
	}
	for name, change := range map[string]func(*http.Request){
		"another method":   func(r *http.Request) { r.Method = "POST" },
		"HTTP/1.0":         func(r *http.Request) { r.ProtoMinor = 0 },
		"HTTP/2":           func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 2, 0 },
		"no key":           func(r *http.Request) { delete(r.Header, "Sec-Websocket-Key") },
		"two keys":         func(r *http.Request) { r.Header.Add("Sec-Websocket-Key", "x") },
		"another spelling": func(r *http.Request) { respell(r.Header, "Upgrade", "upgrade") },
	} {
		r := upgrading("GET", "Upgrade", "websocket")
		change(r)
		guard.Strip(r)
		if r.Header["Upgrade"] != nil || spelled(r.Header, "upgrade") || r.Header["Connection"] != nil {
			t.Errorf("%s: left: %q", name, r.Header)
		}
	}
}

func TestWebSocketGoesOn(t *testing.T) {
	guard := guardOf(ours...)
	for _, upgrade := range []string{"websocket", "WebSocket", "WEBSOCKET", " websocket\t"} {
		r := upgrading("GET", "keep-alive, Upgrade, HTTP2-Settings", upgrade)
		guard.Learn(r.Header)
		guard.Strip(r)
		if r.Header.Get("Upgrade") != upgrade || r.Header.Get("Connection") != "keep-alive, Upgrade" {
			t.Errorf("%q: left: %q", upgrade, r.Header)
		}
		if r.Header["Http2-Settings"] != nil || spelled(r.Header, "http2_settings") {
			t.Errorf("%q: it goes on with settings of HTTP/2", upgrade)
		}
		if harmless(guard)["Upgrade"] {
			t.Error("Upgrade is taken for harmless")
		}
	}
}

// respell gives a header a name as no canonical one is.
func respell(h http.Header, name, other string) {
	h[other] = h[name]
	delete(h, name)
}

// spelled says whether there is a header of exactly that name.
func spelled(h http.Header, name string) bool { return h[name] != nil }
