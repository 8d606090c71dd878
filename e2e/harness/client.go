package harness

import (
	"crypto/tls"
	"net/http"
	"net/http/cookiejar"
)

// Client is an HTTP client with no cookies yet. It follows no redirects, has no time-out,
// and takes any certificate: Traefik makes its own.
func Client() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // documented to be nil always
	}
	return &http.Client{
		Jar:           jar,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
