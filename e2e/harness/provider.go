package harness

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
)

const (
	// ClientID and ClientSecret are the client that Latchkey is registered as.
	ClientID     = "latchkey"
	ClientSecret = "latchkey-client-secret"
	// APIAudience is the audience of the provider's access tokens, which are JWTs. That of its ID tokens is ClientID.
	APIAudience = "latchkey-e2e-api"
	// Password is that of all users.
	Password = "latchkey"
)

// The paths of the provider that Count is asked about.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeysPath      = "/keys"
	RevokePath    = "/revoke"
	TokenPath     = "/oauth/token"
)

// ProviderOptions say how to start the provider.
type ProviderOptions struct {
	// Port is the port to listen on. 0: a free one.
	Port int
	// SingleSignOn makes the provider remember, in a cookie of its own, who logged in. Otherwise every login shows the form.
	SingleSignOn bool
	// AccessTokenLifetime is that of access tokens until SetAccessTokenLifetime says otherwise. 0: 5 minutes.
	AccessTokenLifetime time.Duration
}

// Provider is zitadel's example OpenID provider with users that have groups.
// It can be stopped and started again: same address, same keys, same grants.
type Provider struct {
	// Issuer ends in a slash.
	Issuer string
	// Allow registers redirect URIs of ClientID; their last segment is callback.
	// After a logout the client may send the browser to a segment logout instead of it.
	Allow func(redirectURIs ...string)

	address string
	handler http.Handler
	storage *providerStorage
	tokens  tokenEndpoint

	mu     sync.Mutex
	server *http.Server
	counts map[string]int
}

// NewProvider starts a provider. Its client ClientID may be used once Allow has said from where.
func NewProvider(options ProviderOptions) (*Provider, error) {
	listen, err := address(options.Port)
	if err != nil {
		return nil, err
	}
	// Browsers take it for another site than localhost, where the apps are; providers mostly are on another one.
	p := &Provider{Issuer: "http://" + listen + "/", address: listen, counts: map[string]int{}}
	p.storage = newProviderStorage()
	p.Allow = p.storage.allow
	p.SetAccessTokenLifetime(options.AccessTokenLifetime)
	handler := http.Handler(exampleop.SetupServer(p.Issuer, p.storage, slog.New(slog.NewTextHandler(io.Discard, nil)), false))
	if options.SingleSignOn {
		handler = singleSignOn(handler)
	}
	p.handler = p.count(p.tokens.guard(handler))
	if err := p.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// Start starts a stopped provider again.
func (p *Provider) Start() error {
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		return fmt.Errorf("start provider: %w", err)
	}
	server := &http.Server{Handler: p.handler, ReadHeaderTimeout: 10 * time.Second}
	p.mu.Lock()
	p.server = server
	p.mu.Unlock()
	go func() { _ = server.Serve(listener) }()
	return nil
}

// Stop closes the port and all connections.
func (p *Provider) Stop() {
	p.mu.Lock()
	server := p.server
	p.server = nil
	p.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
}

// Count is the number of requests that came for a path since the provider was made.
func (p *Provider) Count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[path]
}

func (p *Provider) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.counts[r.URL.Path]++
		p.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

const signOnCookie = "provider_session"

// singleSignOn answers the login form by itself for a browser that filled it in before, until that browser logs out.
func singleSignOn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(signOnCookie)
		switch {
		case r.URL.Path == "/login/username" && r.Method == http.MethodPost:
			next.ServeHTTP(&signOnWriter{ResponseWriter: w, user: r.PostFormValue("username")}, r)
		case r.URL.Path == "/login/username" && err == nil:
			next.ServeHTTP(w, formPost(r.Context(), r.FormValue("authRequestID"), cookie.Value))
		case r.URL.Path == "/end_session":
			http.SetCookie(w, &http.Cookie{Name: signOnCookie, Path: "/", MaxAge: -1})
			next.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// signOnWriter sets the cookie if the form was accepted, which shows in the redirect.
type signOnWriter struct {
	http.ResponseWriter
	user string
}

func (w *signOnWriter) WriteHeader(status int) {
	if status == http.StatusFound {
		http.SetCookie(w.ResponseWriter, &http.Cookie{Name: signOnCookie, Value: w.user, Path: "/", HttpOnly: true})
	}
	w.ResponseWriter.WriteHeader(status)
}

// formPost is the request that the login form sends.
func formPost(ctx context.Context, id, user string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/login/username", strings.NewReader(loginForm(id, user).Encode()))
	if err != nil {
		panic(err) // method and path are constants
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}
