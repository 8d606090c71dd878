// Package latchkey is an authentication middleware for Traefik: a plugin, run
// by the Yaegi interpreter, that logs people in with OpenID Connect, checks JWT
// access tokens and API tokens, and tells the service behind who is asking.
//
// A request whose credential was seen before costs ServeHTTP one look (passes.go).
// Any other goes through these steps, each a function in a file of that name:
//
//	route         own endpoint, public path, or protected
//	authenticate  Authorization, else the session; the token cache first
//	refresh       a session whose access token is about to end
//	authorize     this router's rule over the identity's claims
//	delegate      a token for the service behind, if it gets one
//	forward       client-sent look-alikes gone, ours set, own cookies removed
//	challenge     where a step refused: one table from reason to answer
//
// The endpoints under basePath are endpoints.go (the table), login.go,
// callback.go, logout.go, logout_channels.go, account.go, api.go, status.go and
// metrics.go. A
// session's life:
//
//	login.go     GET of a protected path -> 302 to the provider, flow cookie set
//	callback.go  GET callback?code&state -> code for tokens, session cookie set
//	session.go   the session; session_record.go how it is written small,
//	             session_cookie.go how it is sealed into cookies,
//	             session_store.go how it is kept in memory or Redis instead
//	refresh.go   its tokens renewed; refresh_coordinator.go once for all requests,
//	             refresh_replicas.go once for all replicas
//	revoke.go    its end, told to all replicas; streams.go what goes on until then
//
// Tokens for the services behind are delegate.go (made) and delegated.go (accepted).
// API tokens are api_token.go (a request with one), token_admin.go and
// session_admin.go (what can be done with tokens and sessions); account.go is
// the page for that, api.go the same in JSON, admin.go the same for the command.
//
// Settings are declared in config.go, and checked in settings.go into the form
// that the flows use. What the middlewares of a process share, and how it is
// released after a reload, is in shared.go; token_cache.go is the cache that
// makes the second request cheap.
//
// Below are the mechanisms, each of which could serve another project:
// internal/oidc, internal/oauth2, internal/seal, internal/redis,
// internal/cache, internal/revocation, internal/apitoken, internal/delegation,
// internal/claims, internal/headers, internal/page; and internal/identity, which
// all of them may know.
//
// Functions on the way of a warm request are short, for a reason that no
// compiled program has: see CONTRIBUTING.md on what the interpreter costs.
package latchkey

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/headers"
	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// Latchkey is one middleware in front of one router.
type Latchkey struct {
	next http.Handler
	set  *settings
	now  func() time.Time
	log  *logs

	provider *oidc.Provider
	client   *oauth2.Client
	verifier map[string]*oidc.Provider // by issuer of bearer tokens

	tokens    *tokenCache
	passes    *passTables
	negatives cache.Cache // bad credentials, for seconds
	once      cache.Cache // states of login flows that came back, logout tokens that were posted
	counters  *counters
	ends      *ends
	quota     *quota // of what a user is given

	redis         *redis.Client  // nil: this process is alone
	sessions      *sessionStore  // nil: the cookies are the sessions
	users         userSessions   // which sessions a user has
	about         cache.Cache    // what is told of them
	apiTokens     apitoken.Store // nil: none are accepted
	tokenFiles    *tokenFiles    // of the process
	revocations   *revocation.Log
	streams       *streams
	refreshes     *RefreshCoordinator
	delegations   *RefreshCoordinator // nil: no token is made for the service behind
	own           *oidc.Provider      // of delegated tokens
	refreshClient *oauth2.Client      // with refresh.timeout

	endpoints map[string]endpointHandler
	api       map[string]apiHandler

	// What ServeHTTP itself needs, without a hop to the structs that hold it.
	unprotected            *regexp.Regexp
	byCookie, byCredential *passTable
	keyHeader              string // of API tokens; "": there is none
	nowhere                io.Writer
	left                   func(time.Time) time.Duration // until then, by the clock
}

// New makes the middleware called name. It opens no connection: the provider
// is asked when it is first needed, and Traefik starts while it is down. The
// error names all mistakes in the settings. What the middleware shares with
// others is released when ctx ends.
func New(ctx context.Context, next http.Handler, config *Config, name string) (http.Handler, error) {
	l, err := newLatchkey(ctx, next, config, name, time.Now)
	if err != nil {
		return nil, fmt.Errorf("latchkey %s: %w", name, err)
	}
	l.openResealer(ctx)
	return l, nil
}

func newLatchkey(ctx context.Context, next http.Handler, config *Config, name string, now func() time.Time) (*Latchkey, error) {
	set, err := compile(config)
	if err != nil {
		return nil, err
	}
	l := &Latchkey{
		next:        next,
		set:         set,
		now:         now,
		log:         newLogs(set.level, "middleware", name),
		unprotected: set.unprotected,
		nowhere:     headers.Nowhere,
		left:        time.Until,
	}
	if err := l.openShared(ctx); err != nil {
		return nil, err
	}
	l.endpoints = l.endpointTable()
	l.api = l.apiTable()
	return l, nil
}

// ServeHTTP lets a request by whose credential header was seen before, to the
// letter, and decided alone: all that it takes is in the pass. Any other goes
// through the steps, and so does a stream, which has to be found again when what
// let it in is revoked.
//
// Every request pays for each expression in here, executed or not: nothing else
// belongs here. An && is one of them, which is why the conditions are nested.
func (l *Latchkey) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := r.Header
	t := l.byCookie
	header := h["Cookie"]
	if header == nil {
		t = l.byCredential
		header = h["Authorization"]
	}
	if len(header) == 1 && !l.unprotected.MatchString(r.URL.Path) {
		t.mu.RLock()
		p := t.passes[header[0]]
		known := t.shapes[r.Method+strings.Join(h["Accept"], ",")]
		t.mu.RUnlock()
		if known && p != nil {
			if l.left(p.until) > 0 {
				if r.Trailer == nil && h.WriteSubset(l.nowhere, p.harmless) == nil {
					for _, f := range p.fields {
						h[f.name] = f.values
					}
					l.next.ServeHTTP(w, r)
					return
				}
			}
		}
	}
	l.serve(w, r)
}

// serve is for a request without a pass by its cookies or its Authorization.
func (l *Latchkey) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header[l.keyHeader] == nil || !l.servedByKey(w, r) {
		l.take(w, r)
	}
}

// take takes the request through the steps.
func (l *Latchkey) take(w http.ResponseWriter, r *http.Request) {
	if len(r.Header)+len(r.Trailer) > headers.MaxNames || r.Method == http.MethodConnect {
		l.refuse(w, r, misshapen(r), "")
		return
	}
	if to := l.route(r); to != protected {
		l.serveUnprotected(w, r, to)
		return
	}
	v, err := l.authenticate(w, r)
	if err != nil {
		l.challenge(w, r, err)
		return
	}
	view, err := l.authorize(v)
	if err != nil {
		l.challenge(w, r, err)
		return
	}
	view, err = l.delegate(r.Context(), v, view)
	if err != nil {
		l.challenge(w, r, err)
		return
	}
	if isStream(r) {
		l.forwardStream(w, r, v, view)
		return
	}
	l.remember(r, v, view)
	l.forward(w, r, view)
}

// serveUnprotected answers for an endpoint, or lets a public path by.
func (l *Latchkey) serveUnprotected(w http.ResponseWriter, r *http.Request, to destination) {
	if to == endpoint {
		l.serveEndpoint(w, r)
		return
	}
	if !l.set.publicWebSockets {
		delete(r.Header, "Upgrade") // the rest of the offer goes with it
	}
	l.forward(w, r, anonymous)
}
