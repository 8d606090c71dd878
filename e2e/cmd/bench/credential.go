package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// loginPath is below the router that the logins are for.
const loginPath = "/latchkey/oauth2"

// loginFor is how long a login serves: the provider's access tokens live five minutes, and it is not the end of one
// that is measured.
const loginFor = 2 * time.Minute

// session is the cookie of a login through the provider, which all stages take for their own.
func session(ctx context.Context, s *scene) (field, error) {
	if time.Since(s.loginAt) > loginFor {
		t, err := s.traefik(ctx, stage{})
		if err != nil {
			return field{}, err
		}
		if s.login, err = s.logIn(ctx, t); err != nil {
			return field{}, err
		}
		s.loginAt = time.Now()
	}
	return field{"Cookie", s.login}, nil
}

// logIn logs alice in and returns the header Cookie.
func (s *scene) logIn(ctx context.Context, t *harness.Traefik) (string, error) {
	client := harness.Client()
	client.CheckRedirect = nil
	client.Timeout = requestTimeout
	defer client.CloseIdleConnections()
	start := t.TLSURL + "/latchkey/ok"
	end, err := s.provider.Login(ctx, client, start, "alice")
	if err != nil {
		return "", err
	}
	if end.String() != start {
		return "", fmt.Errorf("log in: ended at %q, want %q", end, start)
	}
	return sessionCookies(client, end)
}

// sessionCookies are the cookies that the browser has for Traefik. The provider is on another port of the same host,
// and ports do not tell cookies apart: only Latchkey's count.
func sessionCookies(client *http.Client, at *url.URL) (string, error) {
	var pairs []string
	for _, c := range client.Jar.Cookies(at) {
		if strings.Contains(c.Name, "latchkey") {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	if len(pairs) == 0 {
		return "", errors.New("log in: no session cookie")
	}
	return strings.Join(pairs, "; "), nil
}

// bearer is an access token of the kind that most providers issue.
func bearer(_ context.Context, s *scene) (field, error) {
	token, err := s.issuer.forAlice()
	return authorization(token), err
}

func authorization(token string) field { return field{"Authorization", "Bearer " + token} }
