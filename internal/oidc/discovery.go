package oidc

import (
	"fmt"
	"net/url"
	"strings"
)

// Metadata is what a provider says about itself (OIDC Discovery 1.0, 3; RFC 8414).
type Metadata struct {
	Issuer                        string
	AuthorizationEndpoint         string
	TokenEndpoint                 string
	UserInfoEndpoint              string // "": none
	JWKSURI                       string
	EndSessionEndpoint            string   // "": none (RP-Initiated Logout 1.0)
	RevocationEndpoint            string   // "": none (RFC 7009)
	TokenEndpointAuthMethods      []string // nil: not said, which means client_secret_basic
	RevocationEndpointAuthMethods []string // the same
	IDTokenAlgorithms             []string // the asymmetric ones; RS256 where none is said
	ResponseIssuer                bool     // authorization responses carry iss (RFC 9207)
}

// SameEndpoints says whether both name the same addresses for what is called
// here.
func (m *Metadata) SameEndpoints(other *Metadata) bool {
	return m.TokenEndpoint == other.TokenEndpoint && m.UserInfoEndpoint == other.UserInfoEndpoint &&
		m.RevocationEndpoint == other.RevocationEndpoint
}

// parseMetadata checks a discovery document and maps its endpoints.
func parseMetadata(object map[string]interface{}, issuer, discoveryURL string) (*Metadata, error) {
	// OIDC Discovery 1.0, 4.3: exactly equal, else this is another provider's
	// document and its keys are not ours to trust.
	if found := stringOf(object["issuer"]); found != issuer {
		return nil, fmt.Errorf("%w: issuer: found %s, wanted %q", errDocument, quote(found), issuer)
	}
	h, err := newHorizon(issuer, discoveryURL)
	if err != nil {
		return nil, err
	}
	m := &Metadata{Issuer: issuer}
	for _, e := range []struct {
		name     string
		required bool
		browser  bool // the person's browser goes there, not we
		to       *string
	}{
		{"authorization_endpoint", true, true, &m.AuthorizationEndpoint},
		{"token_endpoint", true, false, &m.TokenEndpoint},
		{"jwks_uri", true, false, &m.JWKSURI},
		{"userinfo_endpoint", false, false, &m.UserInfoEndpoint},
		{"end_session_endpoint", false, true, &m.EndSessionEndpoint},
		{"revocation_endpoint", false, false, &m.RevocationEndpoint},
	} {
		if _, present := object[e.name]; !present && !e.required {
			continue
		}
		address, err := h.endpoint(stringOf(object[e.name]), e.browser)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errDocument, e.name, err)
		}
		*e.to = address
	}
	m.TokenEndpointAuthMethods = stringsOf(object["token_endpoint_auth_methods_supported"])
	m.RevocationEndpointAuthMethods = stringsOf(object["revocation_endpoint_auth_methods_supported"])
	for _, alg := range stringsOf(object["id_token_signing_alg_values_supported"]) {
		if _, ok := algorithms[alg]; ok {
			m.IDTokenAlgorithms = append(m.IDTokenAlgorithms, alg)
		}
	}
	if len(m.IDTokenAlgorithms) == 0 {
		m.IDTokenAlgorithms = []string{"RS256"}
	}
	m.ResponseIssuer, _ = object["authorization_response_iss_parameter_supported"].(bool)
	return m, nil
}

// horizon maps endpoints where we reach the provider at another origin than the
// browsers do: those that we call go to the origin of the discovery URL.
type horizon struct {
	issuer string // origin
	inside string // origin of the discovery URL; "": the issuer's
}

func newHorizon(issuer, discoveryURL string) (horizon, error) {
	u, err := absolute(issuer)
	if err != nil {
		return horizon{}, fmt.Errorf("issuer: %w", err)
	}
	h := horizon{issuer: origin(u)}
	if discoveryURL == "" {
		return h, nil
	}
	if u, err = absolute(discoveryURL); err != nil {
		return horizon{}, fmt.Errorf("discovery URL: %w", err)
	}
	if o := origin(u); o != h.issuer {
		h.inside = o
	}
	return h, nil
}

func (h horizon) endpoint(address string, browser bool) (string, error) {
	u, err := absolute(address)
	if err != nil {
		return "", err
	}
	o := origin(u)
	// The operator named the inside origin, so http is theirs to choose there.
	ours := !browser && h.inside != "" && o == h.inside
	if u.Scheme == "http" && strings.HasPrefix(h.issuer, "https:") && !ours {
		return "", fmt.Errorf("found %s, wanted https, as the issuer has", quote(address))
	}
	if browser || h.inside == "" || o != h.issuer {
		return address, nil
	}
	inside := strings.SplitN(h.inside, "://", 2)
	u.Scheme = inside[0]
	u.Host = inside[1]
	return u.String(), nil
}

func absolute(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("found %s, wanted an absolute http or https URL", quote(address))
	}
	return u, nil
}

func origin(u *url.URL) string {
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// stringsOf returns the strings of a list, nil for anything else.
func stringsOf(v interface{}) []string {
	list, _ := v.([]interface{})
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
