package main

var redisMutants = []mutant{
	{redisGroup, "a server that is not ready", "internal/redis/node.go", `if v := verdict(replies, n.config.Mode == "cluster"); v != nil {`, `if v := verdict(nil, n.config.Mode == "cluster"); v != nil {`},
	{redisGroup, "gone, and asked each time", "internal/redis/breaker.go", `failuresToOpen = 3           // in a row`, `failuresToOpen = 3000        // in a row`},
	{redisGroup, "a value under another key", "internal/cache/redis.go", `return seal.Context("cache", name)`, `return seal.Context("cache")`},
	{redisGroup, "a bad value stays", "internal/cache/redis_find.go", "\t\tr.discardText(ctx, name, text.Text)\n", ``},
	{redisGroup, "a value of before a deletion comes back", "internal/cache/writes.go", `return t.writes[v.shard] == v.writes && t.keep(v, value, left)`, `return t.keep(v, value, left)`},
	{redisGroup, "a write that was overtaken", "internal/cache/writes.go", `overtaken := t.writes[v.shard] != v.writes`, `overtaken := false`},
	{redisGroup, "memory keeps what Redis has let go", "internal/cache/writes.go", "\tif left > t.memoryTTL {\n\t\tleft = t.memoryTTL\n\t}\n", ``},
	{redisGroup, "a write to memory alone", "internal/cache/writes.go", "\tif err := t.redis.Set(ctx, key, value, ttl); err != nil {\n", "\tif err := ctx.Err(); err != nil {\n"},
	{redisGroup, "denied, and let in", "settings_redis.go", `if c.WhenDown == "deny" {`, `if c.WhenDown == "-" {`},
	{redisGroup, "keys outside the prefix", "shared_redis.go", `set.prefix+"revocations"`, `"revocations"`},
	{redisGroup, "a prefix with a brace, in the settings", "settings_redis.go", `if c.Prefix == "" || strings.ContainsAny(c.Prefix, "{}") {`, `if c.Prefix == "" {`},
}

var denialMutants = []mutant{
	{denial, "grants in flight without bound", "refresh_coordinator.go", `make(chan struct{}, maxGrants)`, `make(chan struct{}, 100*maxGrants)`},
	{denial, "waiting grants without bound", "refresh_coordinator.go", `if c.queued.Load() >= maxQueued {`, `if c.queued.Load() >= 1000*maxQueued {`},
	{denial, "failures without bound", "refresh_coordinator.go", `if len(c.failures) >= failuresKept {`, `if len(c.failures) >= 100*failuresKept {`},
	{denial, "a failure counts for each waiter", "refresh_coordinator.go", "\t\tc.failed.Add(1)\n", "\t\tc.failed.Add(1 + c.followers.Load())\n"},
	{denial, "revocations without bound", "internal/revocation/index.go", "if len(x.current) >= x.half {\n\t\tx.turn(now)", "if len(x.current) >= 4*x.half {\n\t\tx.turn(now)"},
	{denial, "what is over is kept", "internal/revocation/index.go", "\t\tif e.Until <= now {\n\t\t\tdelete(x.current, key)\n\t\t}\n", "\t\t_ = key\n\t\t_ = e\n"},
	{denial, "the log grows for ever", "internal/revocation/log.go", `strconv.FormatInt(oldest, 10)`, `strconv.FormatInt(oldest-oldest, 10)`},
	{denial, "waiting revocations without bound", "internal/revocation/log.go", `<= maxPending`, `<= 100*maxPending`},
	{denial, "each request waits for a log that is away", "internal/revocation/log.go", "\tif absent {\n", "\tif absent && ctx == nil {\n"},
	{denial, "a request waits for a refresh that it can do without", "refresh.go", `if !ended && patience > refreshPatience {`, `if patience < 0 {`},
	{denial, "streams that ended are kept", "streams.go", "\tdefer l.streams.remove(s)\n", ``},
	{denial, "sessions of one user without bound, in Redis", "session_users.go", `strconv.Itoa(-maxSessionsPerUser - 1)`, `strconv.Itoa(-10*maxSessionsPerUser - 1)`},
	{denial, "sessions of one user without bound, in memory", "session_users.go", `if len(kept) > maxSessionsPerUser {`, `if len(kept) > 10*maxSessionsPerUser {`},
	{denial, "a logout token without bound", "logout_channels.go", `http.MaxBytesReader(w, r.Body, maxLogoutBody)`, `http.MaxBytesReader(w, r.Body, 1000*maxLogoutBody)`},
}
