package latchkey

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/revocation"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

const (
	// sessionsKept bounds the sessions in a process' memory, and usersKept the
	// users whose sessions it knows, where there is no Redis.
	sessionsKept = 100000
	usersKept    = 100000
	// recentKept bounds the sessions in memory in front of Redis, and recentFor is
	// how long one stays there. A refresh looks past it, and a revocation is asked
	// about apart.
	recentKept = 20000
	recentFor  = 5 * time.Minute
)

// openRedis takes the connections to Redis, if the settings have one.
func (l *Latchkey) openRedis(ctx context.Context) error {
	set := l.set.redis
	if set.fingerprint == "" {
		return nil
	}
	secured, err := set.tlsConfig()
	if err != nil {
		return err
	}
	l.redis = resources.use(ctx, fingerprint("redis", set.fingerprint), func() (interface{}, func()) {
		client := redis.New(redis.Config{
			Mode: set.mode, Addresses: set.addresses, MasterName: set.masterName, Username: set.username,
			Password: set.passwordNow(), Database: set.database, TLS: secured, Timeout: set.timeout, Now: l.now,
			Log: newLogs(l.set.level).err,
		})
		return client, func() { client.Close() }
	}).(*redis.Client)
	return nil
}

func (r *redisSettings) passwordNow() func() string {
	if r.password == nil {
		return nil
	}
	return func() string { return r.password.get() }
}

func (r *redisSettings) tlsConfig() (*tls.Config, error) {
	if !r.tls {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: r.serverName, InsecureSkipVerify: r.insecure}
	if r.caCert == "" {
		return c, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("redis.tls.caCert: %w", err)
	}
	pool.AppendCertsFromPEM([]byte(r.caCert))
	c.RootCAs = pool
	return c, nil
}

// openRevocations takes the log of what was revoked, and the streams that end
// with it.
func (l *Latchkey) openRevocations(ctx context.Context) {
	set := l.set.redis
	l.revocations = resources.use(ctx, fingerprint("revocations", set.fingerprint), func() (interface{}, func()) {
		c := revocation.Config{Now: l.now, Log: newLogs(l.set.level).err}
		if l.redis != nil {
			c.Client, c.Stream, c.Tolerate = l.redis, set.prefix+"revocations", set.tolerate
		}
		log := revocation.NewLog(c)
		return log, func() { log.Close() }
	}).(*revocation.Log)
	l.revocations.Retain(l.set.revocableFor(l.copiesLive()))
	index := l.revocations.Index()
	l.streams = resources.use(ctx, fingerprint("streams", set.fingerprint), func() (interface{}, func()) {
		p := newStreams()
		id := index.Watch(func(entries []revocation.Entry) { p.revoked(entries) })
		return p, func() {
			index.Unwatch(id)
			p.endAll()
		}
	}).(*streams)
}

// ring is the sealing keys as they are now.
func (l *Latchkey) ring() *seal.Ring { return l.set.keys.at(l.now()) }

// sharedCache is what replicas keep in Redis for one purpose, sealed.
func (l *Latchkey) sharedCache(purpose string) *cache.Redis {
	c := cache.NewRedis(l.redis, l.set.redis.prefix+purpose, func() *seal.Ring { return l.ring() })
	c.Noticed = l.noticed()
	return c
}

// openOnce takes the memory of what counts once.
func (l *Latchkey) openOnce(ctx context.Context) {
	if l.redis != nil {
		l.once = l.sharedCache("once:")
		return
	}
	l.once = resources.use(ctx, "once", func() (interface{}, func()) {
		return cache.NewMemory(onceKept, l.now), func() {}
	}).(*cache.Memory)
}

// openSessions takes the store of sessions that the settings ask for.
func (l *Latchkey) openSessions(ctx context.Context) {
	set := l.set
	// A session is of one provider and client, whatever the middleware.
	owner := fingerprint(set.issuer, set.clientID)
	switch set.store {
	case "memory":
		l.sessions = resources.use(ctx, fingerprint("sessions", owner), func() (interface{}, func()) {
			return &sessionStore{records: cache.NewMemory(sessionsKept, l.now), reads: newRecordReads()}, func() {}
		}).(*sessionStore)
	case "redis":
		key := fingerprint("sessions", owner, set.redis.fingerprint, set.secretLabel, fmt.Sprint(set.backfillQueue))
		l.sessions = resources.use(ctx, key, func() (interface{}, func()) {
			t := cache.NewTiered(cache.NewMemory(recentKept, l.now), l.sharedCache(owner+":"), recentFor, set.backfillQueue)
			return &sessionStore{records: t, tiered: t, reads: newRecordReads()}, func() { t.Close() }
		}).(*sessionStore)
	}
	l.openUsers(ctx, owner)
}

// openUsers takes the lists of users' sessions, and what is told of each.
func (l *Latchkey) openUsers(ctx context.Context, owner string) {
	if l.redis != nil {
		l.users = &redisUsers{client: l.redis, prefix: l.set.redis.prefix + owner + ":"}
		l.about = l.sharedCache(owner + ":")
		return
	}
	l.users = resources.use(ctx, fingerprint("users", owner), func() (interface{}, func()) {
		return &memoryUsers{lists: cache.NewMemory(usersKept, l.now)}, func() {}
	}).(*memoryUsers)
	l.about = resources.use(ctx, fingerprint("about", owner), func() (interface{}, func()) {
		return cache.NewMemory(sessionsKept, l.now), func() {}
	}).(*cache.Memory)
}

const (
	// tokensRemembered bounds the API tokens in a process' memory in front of Redis,
	// and tokenRemembered is how long one stays there.
	tokensRemembered = 20000
	tokenRemembered  = 5 * time.Minute
)

// openAPITokens takes the store of API tokens, if the settings have a place for
// them.
func (l *Latchkey) openAPITokens(ctx context.Context) {
	set := l.set.apiTokens
	l.tokenFiles = resources.use(ctx, "token files", func() (interface{}, func()) {
		return &tokenFiles{open: map[*apitoken.File]bool{}}, func() {}
	}).(*tokenFiles)
	if set == nil {
		return
	}
	if set.file == "" {
		l.apiTokens = resources.use(ctx, fingerprint("api tokens", set.fingerprint), func() (interface{}, func()) {
			r := apitoken.NewRedis(apitoken.RedisConfig{
				Client: l.redis, Prefix: l.set.redis.prefix + fingerprint("api tokens", l.set.issuer) + ":",
				Keys: func() *seal.Ring { return l.ring() }, Noticed: l.noticed(), Now: l.now, RememberFor: tokenRemembered, Remember: tokensRemembered,
				Queue: l.set.backfillQueue, Log: newLogs(l.set.level).err,
			})
			return r, func() { r.Close() }
		}).(*apitoken.Redis)
		return
	}
	files := l.tokenFiles
	l.apiTokens = resources.use(ctx, fingerprint("api tokens", set.fingerprint), func() (interface{}, func()) {
		// The File itself tells of trouble, and looks again: sessions go on meanwhile.
		f, _ := apitoken.OpenFile(apitoken.FileConfig{
			Path: set.file, CheckEvery: set.checkEvery, Now: l.now, Log: newLogs(l.set.level).err,
			Changed: l.endTokenStreams(),
		})
		files.add(f)
		return f, func() {
			files.remove(f)
			f.Close()
		}
	}).(*apitoken.File)
}

// endTokenStreams returns what ends the streams of API tokens that were edited by
// hand. Their verdicts end by themselves: none stands for longer than the file
// goes unlooked at.
func (l *Latchkey) endTokenStreams() func([]apitoken.Secret) {
	open, now := l.streams, l.now
	return func(dead []apitoken.Secret) {
		at := now().UnixMilli()
		for _, s := range dead {
			open.revoked([]revocation.Entry{{Key: revocation.Token(s.ID, s.Hash), At: at, Always: true}})
		}
	}
}

// openDelegations takes the coordinator of delegated tokens, where some are made.
func (l *Latchkey) openDelegations(ctx context.Context) {
	d := l.set.delegate
	if d == nil {
		return
	}
	set := l.set
	minimum, now := d.request.Minimum, l.now
	key := fingerprint("delegations", set.issuer, set.clientID, l.sharedLabel(), set.redis.fingerprint, set.refresh.timeout.String(), minimum.String())
	l.delegations = resources.use(ctx, key, func() (interface{}, func()) {
		c := NewRefreshCoordinator(set.refresh.timeout, set.refresh.shareFor, l.now, l.otherReplicas())
		c.lasting = func(token *granted) time.Duration { return time.Unix(token.servesUntil(minimum), 0).Sub(now()) }
		return c, func() {}
	}).(*RefreshCoordinator)
}

// sharedLabel keeps apart what is sealed for other replicas. Without them, results
// of grants are in memory, by the token that only its holder has, and outlive a
// change of the secret.
func (l *Latchkey) sharedLabel() string {
	if l.redis == nil {
		return ""
	}
	return l.set.secretLabel
}

// otherReplicas are what grants are told to, or nil.
func (l *Latchkey) otherReplicas() *refreshReplicas {
	if l.redis == nil {
		return nil
	}
	return &refreshReplicas{client: l.redis, prefix: l.set.redis.prefix, shared: l.sharedCache("")}
}

// openRefreshes takes the coordinator of this provider and client.
func (l *Latchkey) openRefreshes(ctx context.Context) {
	set := l.set
	key := fingerprint("refreshes", set.issuer, set.clientID, l.sharedLabel(), set.redis.fingerprint, set.refresh.timeout.String(), set.refresh.shareFor.String())
	l.refreshes = resources.use(ctx, key, func() (interface{}, func()) {
		return NewRefreshCoordinator(set.refresh.timeout, set.refresh.shareFor, l.now, l.otherReplicas()), func() {}
	}).(*RefreshCoordinator)
}
