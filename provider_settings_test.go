package latchkey

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// The provider is reached at another address than its issuer's, with a
// certificate of an authority of its own. The server counts who comes that way.
func TestProviderAtAnotherAddress(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		g := newRig(t, nil)
		issuer, err := url.Parse(g.provider.Issuer())
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(issuer))
		t.Cleanup(server.Close)
		authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		there := g.router(func(c *Config) {
			c.Provider.DiscoveryURL = server.URL + "/.well-known/openid-configuration"
			if trusted {
				c.Provider.CACert = string(authority)
			}
		})
		status := g.doAt(there, navigate(t, "/app")).StatusCode
		if trusted != (status == http.StatusFound) {
			t.Errorf("trusted %v: status %d", trusted, status)
		}
		if trusted != there.provider.Health().Discovered {
			t.Errorf("trusted %v: %+v", trusted, there.provider.Health())
		}
	}
}

// What the clients are told by the settings.
func TestProviderClientSettings(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Provider.Timeout = "7s"
		c.Provider.ClientAuth = "client_secret_post"
		c.Refresh.Timeout = "9s"
		c.Refresh.ShareFor = "11s"
	})
	for name, c := range map[string]struct{ got, want interface{} }{
		"provider.timeout":                      {g.l.client.HTTPClient.Timeout, 7 * time.Second},
		"refresh.timeout at the provider":       {g.l.refreshClient.HTTPClient.Timeout, 9 * time.Second},
		"refresh.timeout of the coordinator":    {g.l.refreshes.timeout, 9 * time.Second},
		"refresh.shareFor":                      {g.l.refreshes.shareFor, 11 * time.Second},
		"provider.clientAuth":                   {g.l.client.Auth, "client_secret_post"},
		"provider.clientAuth of refresh grants": {g.l.refreshClient.Auth, "client_secret_post"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

// A provider that takes one way of proving oneself only.
func TestClientAuthentication(t *testing.T) {
	for _, test := range []struct {
		auth, taken string
		in          bool
	}{
		{"client_secret_basic", "client_secret_basic", true}, {"client_secret_post", "client_secret_post", true},
		{"client_secret_basic", "client_secret_post", false}, {"client_secret_post", "client_secret_basic", false},
		{"auto", "client_secret_basic", true}, {"auto", "client_secret_post", true},
	} {
		g := newRig(t, func(c *Config) { c.Provider.ClientAuth = test.auth })
		g.provider.Set(func(b *oidctest.Behavior) { b.AuthMethods = []string{test.taken} })
		status := g.do(navigate(t, g.begin("/app", nil))).StatusCode
		if in := status == http.StatusFound; in != test.in {
			t.Errorf("%s at one that takes %s: status %d", test.auth, test.taken, status)
		}
	}
}
