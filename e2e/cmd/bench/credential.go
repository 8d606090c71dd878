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

// login is what a login left behind.
type login struct {
	cookie field
	at     time.Time
}

// session is the sealed cookie of a login through the provider, which all stages without Redis take for their own.
func session(ctx context.Context, s *scene) (field, error) { return s.loginAt(ctx, stage{}) }

// sessionID is the cookie that names a session in Redis.
func sessionID(ctx context.Context, s *scene) (field, error) {
	cookie, err := s.loginAt(ctx, redisStage)
	if err == nil && len(cookie.value) > 100 {
		err = fmt.Errorf("log in: a cookie of %d bytes, want an id", len(cookie.value))
	}
	return cookie, err
}

func (s *scene) loginAt(ctx context.Context, at stage) (field, error) {
	if known := s.logins[at]; time.Since(known.at) <= loginFor {
		return known.cookie, nil
	}
	cookies, err := s.logIns(ctx, at, 1)
	if err != nil {
		return field{}, err
	}
	s.logins[at] = login{cookies[0], time.Now()}
	return cookies[0], nil
}

// logIns logs alice in n times, at the Traefik of a stage.
func (s *scene) logIns(ctx context.Context, at stage, n int) ([]field, error) {
	t, err := s.traefik(ctx, at)
	if err != nil {
		return nil, err
	}
	return logIns(ctx, s.provider, t.TLSURL+"/latchkey/ok", n)
}

// logIns logs alice in n times, at an address of TLS, and returns a header Cookie for each.
func logIns(ctx context.Context, p *harness.Provider, start string, n int) ([]field, error) {
	cookies := make([]field, n)
	err := inParallel(ctx, n, func(next <-chan int) error {
		for i := range next {
			cookie, err := logIn(ctx, p, start)
			if err != nil {
				return err
			}
			cookies[i] = field{"Cookie", cookie}
		}
		return nil
	})
	return cookies, err
}

func logIn(ctx context.Context, p *harness.Provider, start string) (string, error) {
	client := harness.Client()
	client.CheckRedirect = nil
	client.Timeout = requestTimeout
	defer client.CloseIdleConnections()
	end, err := p.Login(ctx, client, start, "alice")
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
