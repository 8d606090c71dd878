package harness

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Seen is a request as an app behind Traefik got it.
type Seen struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Query   string      `json:"query"`
	Host    string      `json:"host"`
	Header  http.Header `json:"header"`
	Trailer http.Header `json:"trailer"`
}

// Apps is an upstream that never asks who comes. A path ending in /events streams server-sent events,
// one ending in /ws echoes WebSocket messages; every other path answers with the request as it came.
type Apps struct {
	// URL is where Traefik finds the apps.
	URL string

	server *http.Server

	mu   sync.Mutex
	seen []Seen
}

// StartApps starts the upstream on a free port.
func StartApps() (*Apps, error) {
	listen, err := address(0)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("start apps: %w", err)
	}
	a := &Apps{URL: localURL("http", listen)}
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = a.server.Serve(listener) }()
	return a, nil
}

// Stop closes the port and all connections.
func (a *Apps) Stop() { _ = a.server.Close() }

// HangUp closes the connections that nothing is asked on just now.
func (a *Apps) HangUp() {
	a.server.SetKeepAlivesEnabled(false)
	a.server.SetKeepAlivesEnabled(true)
}

// Seen are the requests that came for a path, the oldest first.
func (a *Apps) Seen(path string) []Seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	var seen []Seen
	for _, s := range a.seen {
		if s.Path == path {
			seen = append(seen, s)
		}
	}
	return seen
}

func (a *Apps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // trailers come after the body
	seen := Seen{
		Method:  r.Method,
		Path:    r.URL.Path,
		Query:   r.URL.RawQuery,
		Host:    r.Host,
		Header:  r.Header.Clone(),
		Trailer: r.Trailer.Clone(),
	}
	a.mu.Lock()
	a.seen = append(a.seen, seen)
	a.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/events"):
		events(w, r)
	case strings.HasSuffix(r.URL.Path, "/ws"):
		echo(w, r)
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, seen)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(seen)
	}
}

// events sends one event every 100 ms until the client goes.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := 1; ; i++ {
		fmt.Fprintf(w, "data: %d\n\n", i)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// echo sends every message back until the client goes.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Path}}</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
nav { margin: 1rem 0 }
nav a { display: inline-block; margin-right: 1.5rem }
th { text-align: left; padding-right: 2rem; vertical-align: top; white-space: nowrap; font-weight: normal; opacity: .7 }
td { overflow-wrap: anywhere }
.identity :is(th, td) { font-weight: bold; color: light-dark(#074, #6d9); opacity: 1 }
@media (max-width: 40rem) { th, td { display: block; padding: 0 } td { padding-bottom: .5rem } }
</style></head>
<body>
<h1>{{.Method}} {{.Path}}</h1>
<p>This app never asks who you are. Here is what came with the request; bold is what Latchkey added.</p>
<nav><a href="/">/</a><a href="/ops/">/ops/</a><a href="/public/">/public/</a><a href="/oauth2/logout">log out</a></nav>
<table id="headers">
{{range $name, $values := .Header}}{{range $values}}<tr{{if eq $name "X-Auth-Request-User" "X-Auth-Request-Email" "X-Auth-Request-Groups"}} class="identity"{{end}}><th>{{$name}}</th><td>{{.}}</td></tr>
{{end}}{{end}}</table>
<script id="request" type="application/json">{{.}}</script>
</body>
</html>
`))
