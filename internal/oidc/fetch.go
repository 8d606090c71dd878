package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const maxBody = 1 << 20

// errDocument tells an answer that makes no sense from no answer.
var errDocument = errors.New("invalid document")

// NewHTTPClient returns a client for the provider's endpoints: the system's
// roots and those of caPEM (may be empty), TLS 1.2 or better, no redirects,
// timeout for a whole exchange, the proxy of the environment.
//
// A redirect is not followed, since it would carry the client's secret or a
// token to an address nobody configured.
func NewHTTPClient(caPEM []byte, timeout time.Duration) (*http.Client, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if len(caPEM) > 0 && !roots.AppendCertsFromPEM(caPEM) {
		return nil, errors.New("ca certificate: found no certificate in the PEM")
	}
	return &http.Client{
		Timeout: timeout,
		// Named: without names Yaegi returns the first parameter for the error.
		CheckRedirect: func(_ *http.Request, _ []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           16,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}, nil
}

// fetchObject gets one JSON object of at most maxBody.
func fetchObject(ctx context.Context, client *http.Client, address string) (map[string]interface{}, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("get %q: %w", address, err)
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %q: found status %d, wanted 200", address, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("get %q: %w", address, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("get %q: %w: more than %d bytes", address, errDocument, maxBody)
	}
	object, err := decodeObject(body, maxBody)
	if err != nil {
		return nil, fmt.Errorf("get %q: %w: %w", address, errDocument, err)
	}
	return object, nil
}
