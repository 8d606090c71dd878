// Package oidctest is an OpenID provider for tests, which misbehaves on command.
//
//	p := oidctest.New(t)                           // ends with the test
//	callback := p.Authorize(t, location, nil)      // the browser and the person
//	p.Set(func(b *oidctest.Behavior) { b.OmitIss = true })
//	p.Handle("/jwks", oidctest.Endless)            // another answer for a path
//	arrived, release := p.Hold("/token")           // requests wait: no sleeping
//	p.Down(true)                                   // 503 everywhere
//	p.Rotate()                                     // another RSA key, another kid
//	raw := p.Sign(map[string]interface{}{"alg": "ES256"}, p.Claims(nil))
//	p.Hits("/jwks")                                // how often it was asked
//	p.Grants()                                     // how often a refresh token was taken
//
// Its issuer is its URL. Its paths are the constants below; /authorize is never
// asked over HTTP, Authorize plays it. There is one client, ClientID with
// ClientSecret, and one person, Subject.
package oidctest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

// The paths.
const (
	Discovery  = "/.well-known/openid-configuration"
	JWKS       = "/jwks"
	Token      = "/token"
	UserInfo   = "/userinfo"
	EndSession = "/logout"
	Revocation = "/revoke"
)

// The one client and the one person. The secret has characters that HTTP Basic
// must carry encoded (RFC 6749, 2.3.1).
const (
	ClientID     = "app:1"
	ClientSecret = "s3cr%t+/ü: &"
	Subject      = "alice"
	Audience     = "https://api.example.com" // of JWT access tokens
)

// Provider is a running provider.
type Provider struct {
	server *httptest.Server
	t      testing.TB

	mu       sync.Mutex
	behavior Behavior
	down     bool
	handlers map[string]func(http.ResponseWriter, *http.Request)
	gates    map[string]*gate
	hits     map[string]int
	rotation int // of the RSA key
	codes    map[string]grant
	access   map[string]bool    // tokens for userinfo
	families map[string]*family // by each of their refresh tokens, also the old ones
	grants   int
}

// gate holds requests back until it is opened.
type gate struct {
	arrived chan struct{}
	open    chan struct{}
	once    sync.Once
}

// New starts a provider that ends with the test.
func New(t testing.TB) *Provider {
	makeKeys.Do(makePrivateKeys)
	p := &Provider{
		t:        t,
		handlers: map[string]func(http.ResponseWriter, *http.Request){},
		gates:    map[string]*gate{},
		hits:     map[string]int{},
		codes:    map[string]grant{},
		access:   map[string]bool{},
		families: map[string]*family{},
	}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.close)
	return p
}

func (p *Provider) close() {
	p.mu.Lock()
	var open []*gate
	for _, g := range p.gates {
		open = append(open, g)
	}
	p.mu.Unlock()
	for _, g := range open {
		g.release()
	}
	p.server.CloseClientConnections()
	p.server.Close()
}

// Issuer is the provider's URL, without a slash at the end.
func (p *Provider) Issuer() string { return p.server.URL }

// Client is an HTTP client for it.
func (p *Provider) Client() *http.Client { return p.server.Client() }

// Set changes the behavior.
func (p *Provider) Set(change func(*Behavior)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.behavior)
}

// Down lets every path answer 503, or no longer.
func (p *Provider) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Handle answers a path otherwise; nil: as before.
func (p *Provider) Handle(path string, h func(http.ResponseWriter, *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[path] = h
}

// Hits counts the requests for a path.
func (p *Provider) Hits(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits[path]
}

// Hold lets requests for a path wait until release is called. Each one that
// comes says so on arrived.
func (p *Provider) Hold(path string) (arrived <-chan struct{}, release func()) {
	g := &gate{arrived: make(chan struct{}, 1000), open: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gates[path] = g
	return g.arrived, g.release
}

func (g *gate) release() {
	g.once.Do(func() { close(g.open) })
}

func (g *gate) wait(r *http.Request) {
	g.arrived <- struct{}{}
	_ = wait.For(r.Context(), g.open)
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.hits[r.URL.Path]++
	g, h, down := p.gates[r.URL.Path], p.handlers[r.URL.Path], p.down
	p.mu.Unlock()

	if g != nil {
		g.wait(r)
	}
	if down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if h != nil {
		h(w, r)
		return
	}
	if r.URL.Path == Discovery {
		p.serveDiscovery(w)
		return
	}
	moved := p.now().Moved
	if !strings.HasPrefix(r.URL.Path, moved) {
		http.NotFound(w, r)
		return
	}
	switch strings.TrimPrefix(r.URL.Path, moved) {
	case JWKS:
		p.serveKeys(w)
	case Token:
		p.serveToken(w, r)
	case UserInfo:
		p.serveUserInfo(w, r)
	case Revocation:
		p.serveRevocation(w, r)
	case EndSession:
		_, _ = w.Write([]byte("logged out"))
	default:
		http.NotFound(w, r)
	}
}

func (p *Provider) serveDiscovery(w http.ResponseWriter) {
	b := p.now()
	at := p.Issuer() + b.Moved
	document := map[string]interface{}{
		"issuer":                                p.Issuer(),
		"authorization_endpoint":                p.Issuer() + "/authorize",
		"token_endpoint":                        at + Token,
		"jwks_uri":                              at + JWKS,
		"userinfo_endpoint":                     at + UserInfo,
		"end_session_endpoint":                  at + EndSession,
		"revocation_endpoint":                   at + Revocation,
		"id_token_signing_alg_values_supported": []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"},
		"authorization_response_iss_parameter_supported": !b.OmitIss,
	}
	if b.AuthMethods != nil {
		document["token_endpoint_auth_methods_supported"] = b.AuthMethods
		document["revocation_endpoint_auth_methods_supported"] = b.AuthMethods
	}
	over(document, b.Discovery)
	WriteJSON(w, http.StatusOK, document)
}

func (p *Provider) serveKeys(w http.ResponseWriter) {
	keys := p.now().Keys
	if keys == nil {
		keys = p.PublicKeys()
	}
	WriteJSON(w, http.StatusOK, map[string]interface{}{"keys": keys})
}

// WriteJSON answers with v.
func WriteJSON(w http.ResponseWriter, status int, v interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Endless is a handler whose body never ends, until the client leaves. After 64
// MiB it keeps the client waiting: one that reads without a bound is found out,
// and does not take all memory of the machine first.
func Endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"filler":"`))
	filler := bytes.Repeat([]byte("x"), 64<<10)
	for i := 0; i < 1024 && r.Context().Err() == nil; i++ {
		if _, err := w.Write(filler); err != nil {
			return
		}
	}
	<-r.Context().Done()
}
