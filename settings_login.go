package latchkey

import (
	"net/http"
	"strings"
	"time"
)

// reservedParams are the authorization request's parameters that the code flow
// sets, or that would take a response elsewhere.
var reservedParams = map[string]bool{
	"response_type": true, "response_mode": true, "client_id": true, "redirect_uri": true, "scope": true,
	"state": true, "nonce": true, "code_challenge": true, "code_challenge_method": true,
	"request": true, "request_uri": true,
}

func (s *settings) compileProvider(m *mistakes, all *Config) {
	c := all.Provider
	m.unknown("provider.", c, c.Unknown)
	if apiTokensAlone(all) {
		s.timeout = duration(m, "provider.timeout", c.Timeout, time.Millisecond)
		if all.Unauthenticated == "redirect" {
			m.add("unauthenticated", `"redirect" needs a provider to redirect to`)
		}
		return
	}
	if c.Issuer == "" {
		m.add("provider.issuer", "is required, such as https://id.example.com/realms/main")
	} else {
		issuerURL(m, "provider.issuer", c.Issuer)
	}
	if c.DiscoveryURL != "" {
		absoluteURL(m, "provider.discoveryURL", c.DiscoveryURL)
	}
	if c.ClientID == "" {
		m.add("provider.clientID", "is required")
	}
	s.issuer, s.discoveryURL, s.clientID, s.userInfo = c.Issuer, c.DiscoveryURL, c.ClientID, c.UserInfo

	clientSecret, err := openSecret(c.ClientSecret)
	if err != nil {
		m.add("provider.clientSecret", "%v", err)
	}
	s.clientSecret, s.clientAuth = clientSecret, c.ClientAuth
	m.oneOf("provider.clientAuth", c.ClientAuth, "auto", "client_secret_basic", "client_secret_post", "none")
	switch {
	case c.ClientAuth == "none" && c.ClientSecret != "":
		m.add("provider.clientAuth", `"none" does not go with a clientSecret; drop one of the two`)
	case strings.HasPrefix(c.ClientAuth, "client_secret_") && c.ClientSecret == "":
		m.add("provider.clientAuth", "%q needs provider.clientSecret", c.ClientAuth)
	}

	scopes := c.Scopes
	if len(scopes) == 0 {
		scopes = defaultScopes()
	}
	s.scopes = strings.Join(scopes, " ")
	if !strings.Contains(" "+s.scopes+" ", " openid ") {
		m.add("provider.scopes", "%q lacks openid, without which there is no login", s.scopes)
	}
	s.authParams = c.AuthParams
	for name := range c.AuthParams {
		if reservedParams[strings.ToLower(name)] {
			m.add("provider.authParams", "%q is set by Latchkey", name)
		}
	}
	s.compileAsked(m, c.AuthParams)
	s.caCert = certificates(m, "provider.caCert", c.CACert)
	s.timeout = duration(m, "provider.timeout", c.Timeout, time.Millisecond)
}

// apiTokensAlone says whether neither logins nor JWTs are asked for, so that
// there need be no provider. Config itself has no methods: see CONTRIBUTING.md.
func apiTokensAlone(c *Config) bool {
	tokens := c.APITokens.Enabled && (c.APITokens.File != "" || len(c.Redis.Addresses) > 0)
	return tokens && !c.Bearer.Enabled && c.Provider.Issuer == "" && c.Provider.ClientID == ""
}

func issuerURL(m *mistakes, setting, value string) {
	// OpenID Connect Discovery, section 2: no query, no fragment.
	if u := absoluteURL(m, setting, value); u != nil && strings.ContainsAny(value, "?#") {
		m.add(setting, "%q has a query; an issuer has none", value)
	}
}

func (s *settings) compileSession(m *mistakes, c SessionConfig) {
	m.unknown("session.", c, c.Unknown)
	m.unknown("session.cookie.", c.Cookie, c.Cookie.Unknown)
	s.lifetime = duration(m, "session.lifetime", c.Lifetime, time.Second)
	s.idleTimeout = duration(m, "session.idleTimeout", c.IdleTimeout, 0)

	cookie := c.Cookie
	m.oneOf("session.cookie.sameSite", cookie.SameSite, "lax", "strict", "none")
	s.cookie = http.Cookie{
		Name: cookie.Name, Domain: cookie.Domain, Path: cookie.Path, Secure: cookie.Secure, HttpOnly: true,
		SameSite: map[string]http.SameSite{
			"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode,
		}[cookie.SameSite],
	}
	if err := (&http.Cookie{Name: cookie.Name, Value: "v", Domain: cookie.Domain, Path: cookie.Path}).Valid(); err != nil {
		m.add("session.cookie", "%v", err)
	}
	prefix := hostPrefix(&s.cookie)
	switch {
	case strings.HasPrefix(cookie.Name, securePrefix) && prefix == "" && cookie.Secure:
	case strings.HasPrefix(cookie.Name, "__"):
		m.add("session.cookie.name", "%q: __Host- is added where it is allowed; %s may begin the name of a secure cookie with a domain or a path", cookie.Name, securePrefix)
	}
	if cookie.SameSite == "none" && !cookie.Secure {
		m.add("session.cookie.sameSite", `"none" needs secure: true; browsers drop the cookie otherwise`)
	}
	if path := strings.TrimSuffix(cookie.Path, "/"); !strings.HasPrefix(s.basePath+"/", path+"/") {
		m.add("session.cookie.path", "%q does not cover basePath %q", cookie.Path, s.basePath)
	}
	if s.redirectURL != nil && cookie.Domain != "" && !withinDomain(s.redirectURL.Hostname(), cookie.Domain) {
		m.add("redirectURL", "its host %q is not within session.cookie.domain %q", s.redirectURL.Hostname(), cookie.Domain)
	}
	s.cookie.Name = prefix + cookie.Name
}

// securePrefix keeps plain connections from setting a cookie, but not other hosts
// (RFC 6265bis, section 4.1.3.1). It is the operator's to choose: the session is
// sealed for its cookie's name, so a new name ends all.
const securePrefix = "__Secure-"

// hostPrefix is __Host- where the cookie may have it (RFC 6265bis, section
// 4.1.3.2): then no other host and no plain connection can set it.
func hostPrefix(c *http.Cookie) string {
	if c.Secure && c.Domain == "" && c.Path == "/" {
		return "__Host-"
	}
	return ""
}

func withinDomain(host, domain string) bool {
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	host = strings.ToLower(host)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// bearerAlgorithms are those that can be verified with a public key.
var bearerAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

const maxBearerLifetime = 366 * 24 * time.Hour

func (s *settings) compileBearer(m *mistakes, c *Config) {
	m.unknown("bearer.", c.Bearer, c.Bearer.Unknown)
	if !c.Bearer.Enabled {
		if len(c.Bearer.Issuers) > 0 || len(c.Bearer.Audiences) > 0 {
			m.add("bearer.enabled", "is false, and issuers or audiences are given; drop one")
		}
		return
	}
	s.bearerLifetime = duration(m, "bearer.maxLifetime", c.Bearer.MaxLifetime, time.Second)
	if s.bearerLifetime > maxBearerLifetime {
		m.add("bearer.maxLifetime", "%q is more than %s: revocations are not remembered for longer", c.Bearer.MaxLifetime, maxBearerLifetime)
	}
	s.audiences = c.Bearer.Audiences
	configured := c.Bearer.Issuers
	if len(configured) == 0 {
		configured = []IssuerConfig{{Issuer: c.Provider.Issuer}}
	}
	for _, i := range configured {
		m.unknown("bearer.issuers.", i, i.Unknown)
		if len(c.Bearer.Issuers) > 0 {
			issuerURL(m, "bearer.issuers.issuer", i.Issuer)
		}
		if i.JWKSURL != "" {
			absoluteURL(m, "bearer.issuers.jwksURL", i.JWKSURL)
		}
		for _, algorithm := range i.Algorithms {
			m.oneOf("bearer.issuers.algorithms", algorithm, bearerAlgorithms...)
		}
		audiences := i.Audiences
		if len(audiences) == 0 {
			audiences = c.Bearer.Audiences
		}
		if len(audiences) == 0 || contains(audiences, "") {
			m.add("bearer.audiences", "name what access tokens must be meant for, or set bearer.enabled: false")
		}
		for _, earlier := range s.issuers {
			if earlier.name == i.Issuer {
				m.add("bearer.issuers", "%q is given twice", i.Issuer)
			}
		}
		s.issuers = append(s.issuers, issuer{
			name: i.Issuer, jwksURL: i.JWKSURL, audiences: audiences, algorithms: i.Algorithms, types: i.Types,
		})
	}
}

func contains(list []string, wanted string) bool {
	for _, s := range list {
		if s == wanted {
			return true
		}
	}
	return false
}
