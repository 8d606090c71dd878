package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// tunnel is an upstream that switches to whatever protocol it is asked for, and then takes what comes for requests.
type tunnel struct {
	url      string
	listener net.Listener

	mu     sync.Mutex
	heads  []string
	inside []string
}

func startTunnel(t *testing.T) *tunnel {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &tunnel{url: "http://" + listener.Addr().String(), listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go u.serve(c)
		}
	}()
	return u
}

func (u *tunnel) serve(c net.Conn) {
	defer c.Close()
	lines := bufio.NewReader(c)
	for {
		head := ""
		for !strings.HasSuffix(head, "\r\n\r\n") {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			head += line
		}
		u.mu.Lock()
		u.heads = append(u.heads, head)
		u.mu.Unlock()
		offer := ""
		for _, line := range strings.Split(head, "\r\n") {
			if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Upgrade") {
				offer = strings.TrimSpace(value)
			}
		}
		switch {
		case offer != "":
			fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", offer)
		case strings.HasPrefix(head, "CONNECT "):
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		default:
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			continue
		}
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			u.mu.Lock()
			u.inside = append(u.inside, line)
			u.mu.Unlock()
			fmt.Fprintf(c, "echo %s", line)
		}
	}
}

// taken are the requests since the last call, and what came after a switch of protocols.
func (u *tunnel) taken() (heads, inside []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	heads, inside = u.heads, u.inside
	u.heads, u.inside = nil, nil
	return heads, inside
}

// spellings of an offer that an upstream may take for h2c, and others that leave HTTP.
var offers = []string{
	"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
	"connection: upgrade\r\nUPGRADE: H2C\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
	"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
	"Connection: keep-alive, Upgrade\r\nUpgrade: h2c, websocket\r\nHTTP2_Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
	"Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\nConnection: HTTP2-Settings\r\nHTTP2-Settings: AA\r\n",
	"Connection: close, Upgrade, Upgrade\r\nUpgrade: \t h2c \t\r\n",
	"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
	"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n",
}

const websocketKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// upgradeSite is a site whose app is a tunnel, and the credentials with which one gets there.
func upgradeSite(t *testing.T) (b *bench, app *tunnel, credentials map[string]string) {
	t.Helper()
	app = startTunnel(t)
	b = start(t, plan{
		settings: func(_ *harness.Site, s harness.Settings) harness.Settings {
			return s.With("apiTokens", "file", filepath.Join(t.TempDir(), "tokens.json"))
		},
		dynamic: func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
			d.Services["tunnel"] = app.url
			d.Middlewares["sockets"] = d.Middlewares["login"].With("publicWebSockets", true)
			d.Routers["tunnel"] = harness.Router{Rule: "PathPrefix(`/t/`) || PathPrefix(`/public/t/`)", Middlewares: []string{"login"}, Service: "tunnel"}
			d.Routers["sockets"] = harness.Router{Rule: "PathPrefix(`/public/sockets/`)", Middlewares: []string{"sockets"}, Service: "tunnel"}
			return d
		},
	})
	client := b.session("alice")
	site, err := url.Parse(b.Traefik.TLSURL)
	if err != nil {
		t.Fatal(err)
	}
	var cookies []string
	for _, c := range client.Jar.Cookies(site) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	session := "Cookie: " + strings.Join(cookies, "; ") + "\r\n"
	a := b.raw(fmt.Sprintf("POST /oauth2/api/tokens HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"note\": \"x\"}",
		host(t, b.Traefik.URL), session))
	_, rest, _ := strings.Cut(a.body, `"credential":`)
	token := strings.Trim(strings.SplitN(rest, "\n", 2)[0], ` ",}`)
	if !strings.HasPrefix(token, "lk_") {
		t.Fatalf("no API token: status %d\n%s", a.status, a.body)
	}
	return b, app, map[string]string{
		"a session": session, "a bearer token": "Authorization: Bearer " + b.bearer("alice") + "\r\n",
		"an API token": "Authorization: Bearer " + token + "\r\n", "an API token apart": "X-API-Key: " + token + "\r\n", "nobody": "",
	}
}

// No request leaves HTTP with the app but for a WebSocket, whatever lets it in; on public paths none does.
func TestUpgradeIsNoTunnel(t *testing.T) {
	t.Parallel()
	b, app, credentials := upgradeSite(t)
	for what, credential := range credentials {
		paths := []string{"/t/", "/public/t/", "/public/sockets/"}
		if credential == "" {
			paths = paths[1:]
		}
		for _, path := range paths {
			plain := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n%s", path, host(t, b.Traefik.URL), credential)
			for i, offer := range offers {
				// Once as it is, and once when the credential was seen before.
				for _, request := range []string{plain + offer + websocketKey + "\r\n", plain + "\r\n", plain + offer + websocketKey + "\r\n"} {
					a := b.raw(request)
					heads, inside := app.taken()
					if a.status != http.StatusOK || len(heads) != 1 || len(inside) != 0 {
						t.Fatalf("%s, %s, offer %d: status %d, the app got %q", what, path, i, a.status, heads)
					}
					for _, line := range strings.Split(strings.ToLower(heads[0]), "\r\n") {
						if strings.Contains(line, "upgrade") || strings.Contains(line, "http2") || strings.Contains(line, "h2c") {
							t.Errorf("%s, %s, offer %d: the app got %q", what, path, i, line)
						}
					}
				}
			}
		}
	}
}

// WebSockets go on with a credential, and on public paths where the settings say so.
func TestUpgradeToWebSocket(t *testing.T) {
	t.Parallel()
	b, app, credentials := upgradeSite(t)
	for what, credential := range credentials {
		for path, want := range map[string]bool{"/t/": credential != "", "/public/t/": false, "/public/sockets/": true} {
			for _, offer := range []string{
				"Connection: Upgrade\r\nUpgrade: websocket\r\n", "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n",
				"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", // of which Traefik drops the second line
			} {
				got := b.switches(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", path, host(t, b.Traefik.URL), credential, offer, websocketKey))
				heads, _ := app.taken()
				if got != want || strings.Contains(strings.Join(heads, ""), "h2c") {
					t.Errorf("%s, %s: switches to a WebSocket: %v, want %v; the app got %q", what, path, got, want, heads)
				}
			}
		}
	}
	for path, want := range map[string]int{"/t/": http.StatusNotImplemented, "/public/t/": http.StatusNotImplemented} {
		a := b.raw(fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, host(t, b.Traefik.URL), credentials["a bearer token"]))
		if heads, _ := app.taken(); a.status != want || len(heads) != 0 {
			t.Errorf("CONNECT %s: status %d, want %d, the app got %q", path, a.status, want, heads)
		}
	}
}

// switches says whether the request is answered with another protocol, in which the app then hears a line.
func (b *bench) switches(request string) bool {
	b.t.Helper()
	c, err := net.DialTimeout("tcp", host(b.t, b.Traefik.URL), 10*time.Second)
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		b.t.Fatal(err)
	}
	lines := bufio.NewReader(c)
	res, err := http.ReadResponse(lines, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return false
	}
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		b.t.Fatal(err)
	}
	line, err := lines.ReadString('\n')
	if err != nil || line != "echo hello\n" {
		b.t.Errorf("in the other protocol the app says %q, %v", line, err)
	}
	return true
}
