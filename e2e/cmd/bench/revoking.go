package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// logoutsPerSecond go on beside the load of session-revoking. Each is a revocation, and clears what the process
// remembers of requests that it let in.
const logoutsPerSecond = 10

// logouts logs others in, and has them log out one after another while the load lasts.
func logouts(ctx context.Context, b *bench, t *harness.Traefik, duration time.Duration) (func() error, error) {
	// At another Traefik, so that the logins cost this one nothing.
	cookies, err := b.logIns(ctx, stage{}, int(duration.Seconds()*logoutsPerSecond))
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, request{url: t.URL}.address())
	if err != nil {
		return nil, err
	}
	return func() error {
		defer c.Close()
		began := time.Now()
		for i, cookie := range cookies {
			select {
			case <-time.After(time.Until(began.Add(time.Duration(i) * time.Second / logoutsPerSecond))):
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := logOut(c, script(t.URL, loginPath+"/logout", cookie)); err != nil {
				return err
			}
		}
		if took := time.Since(began); took > duration*5/4 {
			return fmt.Errorf("%d logouts took %s, want %s", len(cookies), took, duration)
		}
		return refused(c, script(t.URL, "/latchkey/ok", cookies[0]))
	}, nil
}

// errNoLogout says that a logout was answered otherwise than one that has ended a session.
var errNoLogout = errors.New("log out")

// logOut ends a session here; it leads on to the provider, where nobody goes.
func logOut(c *connection, r request) error {
	res, err := c.do(r.bytes())
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	if res.status != http.StatusFound {
		return fmt.Errorf("%w: status %d, want 302", errNoLogout, res.status)
	}
	return nil
}

// refused checks that a session has ended.
func refused(c *connection, r request) error {
	res, err := c.do(r.bytes())
	if err != nil {
		return err
	}
	if res.status != http.StatusUnauthorized {
		return fmt.Errorf("after a logout: status %d, want 401", res.status)
	}
	return nil
}
