package latchkey

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// resources are what the middlewares of this process share: key sets, the
// token cache, the counters. They outlive a reload of Traefik's configuration,
// which makes every middleware anew.
var resources = &registry{after: func(d time.Duration, f func()) { time.AfterFunc(d, f) }}

// releaseAfter is how long a resource stays when its last user is gone: the
// next configuration, built at once after a reload, takes it over as it is, and
// requests under way go on with it.
const releaseAfter = 30 * time.Second

// registry holds resources by a fingerprint of the settings they depend on, so
// that two middlewares with different settings never share by accident.
type registry struct {
	after func(time.Duration, func())

	mu      sync.Mutex
	entries map[string]*resource
}

type resource struct {
	value interface{}
	users int
	close func()
}

// use returns the resource of that fingerprint, made by open where there is
// none. It is released when ctx ends, which is how Traefik tells a middleware
// that it is replaced.
func (g *registry) use(ctx context.Context, fingerprint string, open func() (value interface{}, close func())) interface{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.entries == nil {
		g.entries = map[string]*resource{}
	}
	e := g.entries[fingerprint]
	if e == nil {
		value, close := open()
		e = &resource{value: value, close: close}
		g.entries[fingerprint] = e
	}
	e.users++
	context.AfterFunc(ctx, func() { g.after(releaseAfter, func() { g.release(fingerprint, e) }) })
	return e.value
}

// release gives up one use; the last one closes the resource.
func (g *registry) release(fingerprint string, e *resource) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.users--
	if e.users == 0 {
		delete(g.entries, fingerprint)
		e.close()
	}
}

// held is how many resources are held.
func (g *registry) held() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.entries)
}

const (
	// onceKept bounds the memory of what counts once, and negativesKept that of bad
	// tokens; it is bounded apart, so that garbage pushes out nothing good.
	onceKept      = 20000
	negativesKept = 2000
)

// openShared takes the resources that the settings call for.
func (l *Latchkey) openShared(ctx context.Context) error {
	l.openKeyring(ctx)
	if err := l.openProviders(ctx); err != nil {
		return err
	}
	if err := l.openRedis(ctx); err != nil {
		return err
	}
	l.openRevocations(ctx)
	l.openCaches(ctx)
	l.openSessions(ctx)
	l.openAPITokens(ctx)
	l.openRefreshes(ctx)
	l.openDelegations(ctx)
	l.openOwn(ctx)
	l.ends = resources.use(ctx, "ends", func() (interface{}, func()) {
		return newEnds(), func() {}
	}).(*ends)
	l.quota = resources.use(ctx, "quota", func() (interface{}, func()) {
		return newQuota(), func() {}
	}).(*quota)
	l.counters = resources.use(ctx, "counters", func() (interface{}, func()) {
		return newCounters(), func() {}
	}).(*counters)
	return nil
}

func (l *Latchkey) openProviders(ctx context.Context) error {
	set := l.set
	client, err := oidc.NewHTTPClient([]byte(set.caCert), set.timeout)
	if err != nil {
		return fmt.Errorf("provider.caCert: %w", err)
	}
	key := fingerprint("client", set.caCert, set.timeout.String())
	client = resources.use(ctx, key, func() (interface{}, func()) {
		return client, func() { client.CloseIdleConnections() }
	}).(*http.Client)
	l.provider = l.openProvider(ctx, client, oidc.Config{Issuer: set.issuer, DiscoveryURL: set.discoveryURL})
	l.verifier = map[string]*oidc.Provider{}
	for _, i := range set.issuers {
		if i.name == set.issuer && i.jwksURL == "" {
			l.verifier[i.name] = l.provider
			continue
		}
		l.verifier[i.name] = l.openProvider(ctx, client, oidc.Config{Issuer: i.name, JWKSURL: i.jwksURL})
	}
	l.client = &oauth2.Client{ID: set.clientID, Auth: set.clientAuth, HTTPClient: client, Codes: l.openCodes(ctx)}
	if set.clientSecret != nil {
		l.client.Secret = func() (string, error) {
			value := set.clientSecret.get()
			return value, nil
		}
	}
	patient := *client
	patient.Timeout = set.refresh.timeout
	l.refreshClient = &oauth2.Client{ID: set.clientID, Auth: set.clientAuth, HTTPClient: &patient, Secret: l.client.Secret}
	return nil
}

// maxCodes is how many codes a provider is asked about at once. Logins by the
// thousand finish in turn; what is too much is told to try again.
const maxCodes = 64

func (l *Latchkey) openCodes(ctx context.Context) *oauth2.Limit {
	return resources.use(ctx, fingerprint("codes", l.set.issuer), func() (interface{}, func()) {
		return oauth2.NewLimit(maxCodes), func() {}
	}).(*oauth2.Limit)
}

func (l *Latchkey) openCaches(ctx context.Context) {
	bound := l.set.tokens
	l.tokens = resources.use(ctx, fingerprint("tokens", fmt.Sprint(bound)), func() (interface{}, func()) {
		return newTokenCache(bound), func() {}
	}).(*tokenCache)
	index := l.revocations.Index()
	budget := resources.use(ctx, fingerprint("pass budget", fmt.Sprint(bound), l.set.redis.fingerprint), func() (interface{}, func()) {
		b := newPassBudget(bound, func() uint64 { return index.Generation() })
		id := index.Watch(func(_ []revocation.Entry) { b.revoked() })
		return b, func() { index.Unwatch(id) }
	}).(*passBudget)
	l.passes = l.openPasses(ctx, budget)
	l.byCookie = l.passes.byCookie
	l.byCredential = l.passes.byCredential
	l.keyHeader = l.set.keyHeader()
	var none cache.None
	l.negatives = none
	if bound > 0 {
		l.negatives = resources.use(ctx, "negatives", func() (interface{}, func()) {
			return cache.NewMemory(negativesKept, l.now), func() {}
		}).(*cache.Memory)
	}
	l.openOnce(ctx)
}

// openProvider shares one provider, with its keys, among all middlewares that
// reach it in the same way.
func (l *Latchkey) openProvider(ctx context.Context, client *http.Client, c oidc.Config) *oidc.Provider {
	key := fingerprint("provider", c.Issuer, c.DiscoveryURL, c.JWKSURL, l.set.caCert, l.set.timeout.String())
	return resources.use(ctx, key, func() (interface{}, func()) {
		c.HTTPClient, c.Now = client, l.now
		c.Log = newLogs(l.set.level).err
		return oidc.NewProvider(c), func() {}
	}).(*oidc.Provider)
}
