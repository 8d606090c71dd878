package main

import (
	"context"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// replicas are two Traefiks with a Redis, and a provider of their own that gives refresh tokens.
type replicas struct {
	*harness.Replicas
	redis *harness.Redis
}

// inRedis is the settings with sessions in a store, and a Redis whose time-outs are the default ones.
func inRedis(settings harness.Settings, store string, r *harness.Redis) harness.Settings {
	return settings.With("session", "store", store).With("redis", "addresses", []string{r.Address})
}

func (b *bench) startReplicas(ctx context.Context, store string) (*replicas, error) {
	redis, err := harness.StartRedis(ctx, harness.RedisOptions{})
	if err != nil {
		return nil, err
	}
	options := b.traefikOptions()
	options.Others = nil
	both, err := harness.StartReplicas(ctx, 2, harness.ProviderOptions{}, options, func(s *harness.Site) harness.Dynamic {
		d := s.Dynamic(inRedis(s.Settings(), store, redis).
			With("provider", "scopes", []string{"openid", "profile", "email", "offline_access"}).
			With("log", "level", "error"))
		for name := range d.Services {
			d.Services[name] = b.upstream.url
		}
		return d
	})
	if err != nil {
		redis.Stop()
		return nil, err
	}
	b.version = traefikVersion(both.Traefiks[0].PID())
	return &replicas{both, redis}, nil
}

func (r *replicas) stop() {
	r.Stop()
	r.redis.Stop()
}

// logIns logs alice in n times, at the first replica.
func (r *replicas) logIns(ctx context.Context, n int) ([]field, error) {
	return logIns(ctx, r.Provider, r.Traefiks[0].TLSURL+"/ok", n)
}

// page is a script's request to a replica.
func (r *replicas) page(replica int, cookie field) request {
	return script(r.Traefiks[replica].URL, "/ok", cookie)
}

// connect returns a connection to each replica.
func (r *replicas) connect(ctx context.Context) (made []*connection, stop func(), err error) {
	stop = func() {
		for _, c := range made {
			c.Close()
		}
	}
	for _, t := range r.Traefiks {
		c, err := dial(ctx, request{url: t.URL}.address())
		if err != nil {
			stop()
			return nil, nil, err
		}
		made = append(made, c)
	}
	return made, stop, nil
}

// letIn waits until the request reaches the upstream: on a machine that is busy, Redis may have been too slow for
// the first one.
func letIn(ctx context.Context, c *connection, r request) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return harness.Poll(ctx, "the session to be let in", func() error {
		res, err := c.do(r.bytes())
		if err == nil && !res.fromUpstream() {
			err = fmt.Errorf("status %d", res.status)
		}
		return err
	})
}

// expired is the cookie of a session that both replicas have let in and whose access token has ended since. Its next
// one lives long.
func (r *replicas) expired(ctx context.Context) (field, error) {
	// Whole seconds are what a provider tells: 1 would be 0 a moment later, which means that it does not say.
	const life = 3 * time.Second
	r.Provider.SetAccessTokenLifetime(life)
	defer r.Provider.SetAccessTokenLifetime(0)
	cookies, err := r.logIns(ctx, 1)
	if err != nil {
		return field{}, err
	}
	since := time.Now()
	connections, stop, err := r.connect(ctx)
	if err != nil {
		return field{}, err
	}
	defer stop()
	for i, c := range connections {
		if err := letIn(ctx, c, r.page(i, cookies[0])); err != nil {
			return field{}, err
		}
	}
	select {
	case <-time.After(time.Until(since.Add(life + time.Second))):
		return cookies[0], nil
	case <-ctx.Done():
		return field{}, ctx.Err()
	}
}
