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

	"github.com/latchkey-auth/latchkey/internal/oidctest"
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

func TestBadDocumentsLeaveTheLastGood(t *testing.T) {
	for _, c := range []struct {
		name   string
		handle func(http.ResponseWriter, *http.Request)
		says   string
	}{
		{"endless", oidctest.Endless, "more than 1048576 bytes"},
		{"not JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "not one JSON object"},
		{"trailing data", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}{}`)) }, "not one JSON object"},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"keys":[]}`))
		}, "EOF"},
		{"a status of 404", http.NotFound, "status 404"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "status 302"},
		{"no usable key", func(w http.ResponseWriter, _ *http.Request) {
			oidctest.WriteJSON(w, http.StatusOK, object{"keys": []object{{"kty": "oct"}}})
		}, "no usable key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op, p, clock := start(t)
			client, err := NewHTTPClient(nil, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			p.client = client
			good := op.AccessToken(nil)
			wantToken(t, access(p, good), "", good)

			op.Handle(oidctest.JWKS, c.handle)
			clock.move(unknownKidPause)
			wantUnavailable(t, access(p, op.Sign(at(object{"kid": "new"}), accessClaims(op, nil))), c.says)
			wantToken(t, access(p, good), "", good)
			if n := op.Hits("/elsewhere"); n != 0 {
				t.Error("the redirect was followed")
			}
		})
	}
}

func TestSlowProvider(t *testing.T) {
	op, p, _ := start(t)
	client, err := NewHTTPClient(nil, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	p.client = client
	_, release := op.Hold(oidctest.Discovery)
	_, err = p.Metadata(background)
	wantUnavailable(t, err, "Timeout")
	release()
}
