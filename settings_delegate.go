package latchkey

import (
	"fmt"
	"net/http"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/delegation"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// delegateSettings are DelegateConfig, checked.
type delegateSettings struct {
	request   delegation.Request
	exchange  bool // at the provider, instead of signing
	header    string
	resources []string
}

// compileDelegate leaves delegate nil where no token is asked for. compileSession
// and compileProvider come before it.
func (s *settings) compileDelegate(m *mistakes, c DelegateConfig) {
	m.unknown("delegate.", c, c.Unknown)
	if c.Kind != "" {
		m.oneOf("delegate.kind", c.Kind, delegation.Internal, delegation.Notebook)
	}
	m.oneOf("delegate.mode", c.Mode, "sign", "exchange")
	d := &delegateSettings{exchange: c.Mode == "exchange", header: http.CanonicalHeaderKey(c.Header), resources: c.Resources}
	d.request = delegation.Request{
		Kind: c.Kind, Service: c.Service, Scopes: c.Scopes,
		Lifetime: duration(m, "delegate.lifetime", c.Lifetime, time.Second),
		Minimum:  duration(m, "delegate.minimumLifetime", c.MinimumLifetime, 0),
	}
	if c.Kind != "" || d.header != "Authorization" {
		s.delegateHeader = d.header
	}
	if s.delegateIssuer = c.Issuer; c.Issuer == "" {
		m.add("delegate.issuer", "is empty; a token has to say whose it is")
	}
	if c.Kind == "" {
		if c.Service != "" || len(c.Scopes) > 0 || len(c.Resources) > 0 {
			m.add("delegate.kind", "is required with the other settings of delegate: internal or notebook")
		}
		return
	}
	d.check(m, s)
	s.delegate = d
}

func (d *delegateSettings) check(m *mistakes, s *settings) {
	r := d.request
	switch {
	case r.Kind == delegation.Internal && r.Service == "":
		m.add("delegate.service", "is required with delegate.kind: internal")
	case r.Kind == delegation.Notebook && (r.Service != "" || len(r.Scopes) > 0):
		m.add("delegate.kind", `"notebook" has neither service nor scopes; drop them`)
	case r.Service != "" && r.Service == s.delegateIssuer:
		m.add("delegate.service", "%q is what delegate.issuer is; choose another", r.Service)
	}
	for _, scope := range r.Scopes {
		if !apitoken.ValidScope(scope) {
			m.add("delegate.scopes", "%q is not a scope (RFC 6749, section 3.3)", scope)
		}
	}
	if r.Minimum >= r.Lifetime {
		m.add("delegate.minimumLifetime", "%s is not less than delegate.lifetime %s: no token would serve twice", r.Minimum, r.Lifetime)
	}
	if r.Minimum > s.lifetime {
		m.add("delegate.minimumLifetime", "%s is more than session.lifetime %s: no session would do", r.Minimum, s.lifetime)
	}
	if d.exchange && s.issuer == "" {
		m.add("delegate.mode", `"exchange" needs a provider`)
	}
	if !d.exchange && len(d.resources) > 0 {
		m.add("delegate.resources", "are for delegate.mode: exchange")
	}
	if d.header == "" {
		m.add("delegate.header", "is required with delegate.kind")
	}
}

// exchanges says whether access tokens have to be kept for the provider.
func (s *settings) exchanges() bool { return s.delegate != nil && s.delegate.exchange }

// delegatePolicy is what a verdict depends on: whose tokens of our own are
// accepted, for which services, and what is kept of a parent.
func (s *settings) delegatePolicy(c *Config) string {
	return seal.Context(s.delegateIssuer, seal.Context(c.Bearer.Audiences...), fmt.Sprint(s.delegate != nil, s.exchanges()))
}

// delegateView is what a router makes of an identity with it.
func (s *settings) delegateView() string {
	if s.delegate == nil {
		return ""
	}
	d := s.delegate
	giving := ""
	if s.apiTokens != nil {
		giving = s.apiTokens.giving // the scopes that a session has
	}
	return seal.Context(giving, d.request.Kind, d.request.Service, seal.Context(d.request.Scopes...), fmt.Sprint(d.exchange), d.request.Lifetime.String(),
		d.request.Minimum.String(), d.header, seal.Context(d.resources...))
}
