package oidc

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestNewHTTPClient(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(`{"a":1}`))
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	for _, c := range []struct {
		name string
		ca   []byte
		path string
		says string
	}{
		{"with the certificate", ca, "/", ""},
		{"without it", nil, "/", "certificate"},
		{"a redirect is not followed", ca, "/redirect", "status 302"},
		{"no URL", ca, "/%", "invalid URL escape"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, err := NewHTTPClient(c.ca, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			_, err = fetchObject(background, client, server.URL+c.path)
			if c.says == "" && err != nil {
				t.Error(err)
			}
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("found error %v, wanted one with %q", err, c.says)
			}
		})
	}
}

func TestNewHTTPClientSettings(t *testing.T) {
	client, err := NewHTTPClient(nil, 7*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok || transport == http.DefaultTransport {
		t.Fatal("found the process's transport, wanted one of its own")
	}
	if client.Timeout != 7*time.Second || transport.TLSClientConfig.MinVersion != tls.VersionTLS12 || transport.TLSClientConfig.InsecureSkipVerify {
		t.Errorf("found time-out %v, TLS %+v", client.Timeout, transport.TLSClientConfig)
	}
	if transport.Proxy == nil || transport.MaxIdleConns == 0 || transport.MaxIdleConnsPerHost == 0 || transport.IdleConnTimeout == 0 {
		t.Errorf("found transport %+v", transport)
	}
	if _, err = NewHTTPClient([]byte("not a PEM"), time.Second); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("found error %v, wanted one about the certificate", err)
	}
}
