// Package oidc knows one OpenID provider: where its endpoints are, which keys
// it signs with, and whether a token is its own.
//
// A Provider opens no connection until somebody asks. Then:
//
//	discovery.go    issuer -> Metadata               (OIDC Discovery 1.0)
//	keyset.go       jwks_uri -> keys, chosen by kid  (RFC 7517)
//	document.go     both are documents: fetched one at a time, kept while good
//	token.go        the shape of a JWS, before any crypto
//	idtoken.go      VerifyIDToken                    (OIDC Core 3.1.3.7)
//	accesstoken.go  VerifyAccessToken                (RFC 9068, and what came before it)
//	logouttoken.go  VerifyLogoutToken                (OIDC Back-Channel Logout 1.0)
//
// The documents outlive a provider that is away: a good one serves for a day,
// is renewed behind the requests once it is ten minutes old, and a fetch that
// failed is tried again two seconds later. Only with nothing good left is the
// answer ErrUnavailable. A token is either proven or ErrToken.
//
// A token never chooses its own key (RFC 8725, 3.1, 3.10): jku, x5u and jwk in a
// header are refused, since only somebody who hopes for a credulous verifier
// sends them to us; x5c and x5t are inert descriptions and are not looked at.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

var (
	// ErrUnavailable says that the provider does not answer, or with nonsense,
	// and that nothing good is left of earlier answers.
	ErrUnavailable = errors.New("provider unavailable")
	// ErrToken is wrapped by every refusal of a token. The message names the
	// claim, what was found and what was wanted; never the token.
	ErrToken = errors.New("invalid token")
)

const (
	defaultTimeout = 10 * time.Second
	reachAge       = time.Second
)

// Config says which provider, and how to reach it.
type Config struct {
	Issuer       string           // as the tokens spell it, to the letter
	DiscoveryURL string           // "": Issuer + /.well-known/openid-configuration
	JWKSURL      string           // set: the keys are here, and there is no discovery
	HTTPClient   *http.Client     // with time-out, and without redirects: NewHTTPClient
	Now          func() time.Time // nil: time.Now
	Log          *slog.Logger     // nil: silent

	// Keys is set where the tokens are our own: it returns their JWK Set, is asked
	// as often as JWKSURL would be, and nothing is fetched.
	Keys func() (map[string]interface{}, error)
}

// Provider is one issuer. All its methods may be called at the same time.
type Provider struct {
	issuer       string
	discoveryURL string
	jwksURL      string
	ownKeys      func() (map[string]interface{}, error) // nil: the keys are the provider's
	client       *http.Client
	now          func() time.Time

	discovery *document // of *Metadata
	keys      *document // of *keySet
}

// NewProvider opens no connection.
func NewProvider(c Config) *Provider {
	p := &Provider{issuer: c.Issuer, discoveryURL: c.DiscoveryURL, jwksURL: c.JWKSURL, ownKeys: c.Keys, client: c.HTTPClient, now: c.Now}
	if p.now == nil {
		p.now = time.Now
	}
	timeout := defaultTimeout
	if p.client != nil && p.client.Timeout > 0 {
		timeout = p.client.Timeout
	}

	p.discovery = &document{name: "discovery", issuer: c.Issuer, timeout: timeout, now: p.now, log: c.Log}
	p.discovery.load = func(ctx context.Context) (interface{}, error) {
		m, err := p.fetchMetadata(ctx)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
	// The key set may have to wait for discovery first.
	p.keys = &document{name: "key set", issuer: c.Issuer, timeout: 2 * timeout, now: p.now, log: c.Log}
	p.keys.load = func(ctx context.Context) (interface{}, error) {
		s, err := p.fetchKeySet(ctx)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	return p
}

// Metadata returns what discovery says, fetched or remembered. It is shared:
// read only. The error wraps ErrUnavailable.
func (p *Provider) Metadata(ctx context.Context) (*Metadata, error) {
	return p.metadata(ctx, freshFor, goodFor)
}

// Reach is Metadata no older than a second: it says whether the provider
// answers now.
func (p *Provider) Reach(ctx context.Context) (*Metadata, error) {
	return p.metadata(ctx, reachAge, reachAge)
}

// Rediscover is Metadata for a caller to whom what it says seems to be over, such
// as where an endpoint is: fetched anew, unless it was a moment ago. Where that
// fails, it is what was known.
func (p *Provider) Rediscover(ctx context.Context) (*Metadata, error) {
	since := p.now()
	known, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	v, err := p.discovery.renew(ctx, since, unknownKidPause)
	if m, ok := v.(*Metadata); ok && (err == nil || errors.Is(err, errPaused)) {
		known = m
	}
	return known, nil
}

func (p *Provider) metadata(ctx context.Context, fresh, good time.Duration) (*Metadata, error) {
	if p.ownKeys != nil {
		return nil, fmt.Errorf("discovery of %q: off, its keys are our own: %w", p.issuer, ErrUnavailable)
	}
	if p.jwksURL != "" {
		return nil, fmt.Errorf("discovery of %q: off, its keys are at %q: %w", p.issuer, p.jwksURL, ErrUnavailable)
	}
	v, err := p.discovery.get(ctx, fresh, good)
	if err != nil {
		return nil, err
	}
	return v.(*Metadata), nil
}

func (p *Provider) fetchMetadata(ctx context.Context) (*Metadata, error) {
	address := p.discoveryURL
	if address == "" {
		address = strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration"
	}
	object, err := fetchObject(ctx, p.client, address)
	if err != nil {
		return nil, err
	}
	return parseMetadata(object, p.issuer, p.discoveryURL)
}

// Health is what the status endpoint shows of a provider.
type Health struct {
	Issuer     string `json:"issuer"`
	Discovered bool   `json:"discovered"`          // the metadata is at hand
	Keys       int    `json:"keys"`                // usable ones at hand
	FetchedAt  string `json:"fetchedAt,omitempty"` // RFC 3339, of the last good fetch
	LastError  string `json:"lastError,omitempty"` // "", "unreachable" or "invalid_document", of the last fetches
}

// Health says how things stand, without asking the provider.
func (p *Provider) Health() Health {
	metadata := p.discovery.snapshot()
	keys := p.keys.snapshot()
	h := Health{Issuer: p.issuer, Discovered: metadata.value != nil, LastError: metadata.reason}
	if keys.value != nil {
		h.Keys = len(keys.value.(*keySet).keys)
	}
	if h.LastError == "" {
		h.LastError = keys.reason
	}
	at := metadata.fetched
	if keys.fetched.After(at) {
		at = keys.fetched
	}
	if !at.IsZero() {
		h.FetchedAt = at.UTC().Format(time.RFC3339)
	}
	return h
}

// Stats counts since the start of the process.
type Stats struct {
	DiscoveryFetches uint64
	KeyFetches       uint64
	Failures         uint64 // of either
}

// Stats returns the counters for metrics.
func (p *Provider) Stats() Stats {
	metadata := p.discovery.snapshot()
	keys := p.keys.snapshot()
	return Stats{
		DiscoveryFetches: metadata.fetches,
		KeyFetches:       keys.fetches,
		Failures:         metadata.failures + keys.failures,
	}
}
