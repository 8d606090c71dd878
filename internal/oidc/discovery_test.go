package oidc

import (
	"reflect"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

func TestMetadata(t *testing.T) {
	op, p, _ := start(t)
	op.Set(func(b *oidctest.Behavior) {
		b.AuthMethods = []string{"client_secret_post"}
		b.Discovery = object{"revocation_endpoint_auth_methods_supported": []string{"client_secret_basic"}}
	})
	m, err := p.Metadata(background)
	if err != nil {
		t.Fatal(err)
	}
	want := &Metadata{
		Issuer:                        op.Issuer(),
		AuthorizationEndpoint:         op.Issuer() + "/authorize",
		TokenEndpoint:                 op.Issuer() + "/token",
		UserInfoEndpoint:              op.Issuer() + "/userinfo",
		JWKSURI:                       op.Issuer() + "/jwks",
		EndSessionEndpoint:            op.Issuer() + "/logout",
		RevocationEndpoint:            op.Issuer() + "/revoke",
		TokenEndpointAuthMethods:      []string{"client_secret_post"},
		RevocationEndpointAuthMethods: []string{"client_secret_basic"},
		IDTokenAlgorithms:             []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"},
		ResponseIssuer:                true,
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("found %+v, wanted %+v", m, want)
	}
}

// published is a discovery document of https://id.example.com.
func published(changes object) object {
	const id = "https://id.example.com"
	return with(object{
		"issuer":                 id,
		"authorization_endpoint": id + "/auth",
		"token_endpoint":         id + "/token",
		"jwks_uri":               id + "/keys",
		"userinfo_endpoint":      id + "/me",
		"end_session_endpoint":   id + "/bye",
		"revocation_endpoint":    id + "/revoke",
	}, changes)
}

func TestParseMetadata(t *testing.T) {
	for _, c := range []struct {
		name     string
		document object
		says     string // "": taken
	}{
		{"all there", published(nil), ""},
		{"no userinfo, no end of session", published(object{"userinfo_endpoint": nil, "end_session_endpoint": nil}), ""},
		{"no revocation", published(object{"revocation_endpoint": nil}), ""},
		{"another issuer", published(object{"issuer": "https://evil.example.com"}), `found "https://evil.example.com", wanted "https://id.example.com"`},
		{"a slash more", published(object{"issuer": "https://id.example.com/"}), `found "https://id.example.com/", wanted "https://id.example.com"`},
		{"no issuer", published(object{"issuer": nil}), "issuer"},
		{"an issuer in a list", published(object{"issuer": []interface{}{"https://id.example.com"}}), "issuer"},
		{"no authorization endpoint", published(object{"authorization_endpoint": nil}), "authorization_endpoint"},
		{"no token endpoint", published(object{"token_endpoint": nil}), "token_endpoint"},
		{"no keys", published(object{"jwks_uri": nil}), "jwks_uri"},
		{"a relative endpoint", published(object{"token_endpoint": "/token"}), "token_endpoint"},
		{"an endpoint without scheme", published(object{"token_endpoint": "//id.example.com/token"}), "token_endpoint"},
		{"another scheme", published(object{"jwks_uri": "file:///etc/keys"}), "jwks_uri"},
		{"a script", published(object{"authorization_endpoint": "javascript:alert(1)"}), "authorization_endpoint"},
		{"an endpoint with a user", published(object{"token_endpoint": "https://a:b@id.example.com/"}), "token_endpoint"},
		{"an endpoint with a fragment", published(object{"authorization_endpoint": "https://id.example.com/#x"}), "authorization_endpoint"},
		{"an endpoint without host", published(object{"token_endpoint": "https://:443/token"}), "token_endpoint"},
		{"an endpoint that is no string", published(object{"userinfo_endpoint": 1.0}), "userinfo_endpoint"},
		{"http behind an https issuer", published(object{"jwks_uri": "http://id.example.com/keys"}), "wanted https"},
		{"http for revocation", published(object{"revocation_endpoint": "http://id.example.com/revoke"}), "revocation_endpoint"},
		{"a relative address for revocation", published(object{"revocation_endpoint": "/revoke"}), "revocation_endpoint"},
		{"http for browsers", published(object{"end_session_endpoint": "http://id.example.com/bye"}), "wanted https"},
		{"http at the inside origin, nobody named it", published(object{"token_endpoint": "http://id.internal:8080/token"}), "wanted https"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseMetadata(c.document, "https://id.example.com", "")
			if c.says == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("found error %v, wanted one with %q", err, c.says)
			}
		})
	}
}

func TestIssuerThatIsNoURL(t *testing.T) {
	_, err := parseMetadata(published(object{"issuer": "id.example.com"}), "id.example.com", "")
	if err == nil || !strings.Contains(err.Error(), `issuer: found "id.example.com"`) {
		t.Errorf("found error %v", err)
	}
}

func TestSplitHorizon(t *testing.T) {
	const inside = "http://id.internal:8080/.well-known/openid-configuration"
	endpoints := func(m *Metadata) string {
		return strings.Join([]string{m.AuthorizationEndpoint, m.EndSessionEndpoint, m.TokenEndpoint, m.JWKSURI, m.UserInfoEndpoint, m.RevocationEndpoint}, " ")
	}
	for _, c := range []struct {
		name, discoveryURL string
		changes            object
		want               string // or the error
	}{
		{"none", "", nil,
			"https://id.example.com/auth https://id.example.com/bye https://id.example.com/token https://id.example.com/keys https://id.example.com/me https://id.example.com/revoke"},
		{"the issuer's origin", "https://ID.example.com/other", nil,
			"https://id.example.com/auth https://id.example.com/bye https://id.example.com/token https://id.example.com/keys https://id.example.com/me https://id.example.com/revoke"},
		{"inside", inside, nil,
			"https://id.example.com/auth https://id.example.com/bye http://id.internal:8080/token http://id.internal:8080/keys http://id.internal:8080/me http://id.internal:8080/revoke"},
		{"the path and query stay", inside, object{"token_endpoint": "https://id.example.com/a%2Fb/token?x=1"},
			"https://id.example.com/auth https://id.example.com/bye http://id.internal:8080/a%2Fb/token?x=1 http://id.internal:8080/keys http://id.internal:8080/me http://id.internal:8080/revoke"},
		{"a third host stays", inside, object{"jwks_uri": "https://cdn.example.com/keys"},
			"https://id.example.com/auth https://id.example.com/bye http://id.internal:8080/token https://cdn.example.com/keys http://id.internal:8080/me http://id.internal:8080/revoke"},
		{"a host that only begins alike stays", inside, object{"jwks_uri": "https://id.example.com.evil.org/keys"},
			"https://id.example.com/auth https://id.example.com/bye http://id.internal:8080/token https://id.example.com.evil.org/keys http://id.internal:8080/me http://id.internal:8080/revoke"},
		{"a third host for revocation stays", inside, object{"revocation_endpoint": "https://cdn.example.com/revoke"},
			"https://id.example.com/auth https://id.example.com/bye http://id.internal:8080/token http://id.internal:8080/keys http://id.internal:8080/me https://cdn.example.com/revoke"},
		{"published as inside already", inside, object{"token_endpoint": "http://id.internal:8080/token"},
			"https://id.example.com/auth https://id.example.com/bye http://id.internal:8080/token http://id.internal:8080/keys http://id.internal:8080/me http://id.internal:8080/revoke"},
		{"browsers are not sent inside", inside, object{"authorization_endpoint": "http://id.internal:8080/auth"},
			"wanted https"},
		{"a third host over http", inside, object{"jwks_uri": "http://cdn.example.com/keys"},
			"wanted https"},
		{"no URL", "id.internal", nil, "discovery URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := parseMetadata(published(c.changes), "https://id.example.com", c.discoveryURL)
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("found error %v, wanted %q", err, c.want)
				}
				return
			}
			if got := endpoints(m); got != c.want {
				t.Errorf("found %s, wanted %s", got, c.want)
			}
		})
	}
}

func TestSplitHorizonThrough(t *testing.T) {
	op, _, c := start(t)
	const issuer = "https://id.example.com"
	op.Set(func(b *oidctest.Behavior) {
		b.Discovery = object{"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
			"jwks_uri": issuer + "/jwks", "userinfo_endpoint": issuer + "/userinfo", "end_session_endpoint": issuer + "/logout"}
	})
	p := NewProvider(Config{Issuer: issuer, DiscoveryURL: op.Issuer() + oidctest.Discovery, HTTPClient: op.Client(), Now: c.now})
	raw := op.Sign(nil, op.Claims(object{"iss": issuer}))
	_, err := p.VerifyIDToken(background, raw, IDToken{ClientID: oidctest.ClientID})
	wantToken(t, err, "", raw)
}

func TestAnotherIssuersDocumentIsNotKept(t *testing.T) {
	op, p, c := start(t)
	op.Set(func(b *oidctest.Behavior) { b.Discovery = object{"issuer": "https://evil.example.com"} })
	_, err := p.Metadata(background)
	wantUnavailable(t, err, `found "https://evil.example.com", wanted "`+op.Issuer()+`"`)
	if h := p.Health(); h.Discovered || h.LastError != "invalid_document" {
		t.Errorf("found %+v", h)
	}
	op.Set(func(b *oidctest.Behavior) { b.Discovery = nil })
	c.move(retry)
	if _, err = p.Metadata(background); err != nil {
		t.Error(err)
	}
}

func TestDiscoveryAddress(t *testing.T) {
	for _, c := range []struct{ name, path, discoveryPath, asked string }{
		{"issuer with a path", "/realms/main", "", "/realms/main/.well-known/openid-configuration"},
		{"issuer with a slash at the end", "/realms/main/", "", "/realms/main/.well-known/openid-configuration"},
		{"an address of its own", "/realms/main", "/other", "/other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := oidctest.New(t)
			config := Config{Issuer: op.Issuer() + c.path, HTTPClient: op.Client()}
			if c.discoveryPath != "" {
				config.DiscoveryURL = op.Issuer() + c.discoveryPath
			}
			_, err := NewProvider(config).Metadata(background)
			wantUnavailable(t, err, "404")
			if op.Hits(c.asked) != 1 {
				t.Errorf("%q was not asked", c.asked)
			}
		})
	}
}
