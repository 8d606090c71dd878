package main

var redisMutants = []mutant{
	{redisGroup, "a server that is not ready", "internal/redis/node.go", `if v := verdict(q.commands, replies, n.config.Mode == "cluster"); v != nil {`, `if v := verdict(q.commands, nil, n.config.Mode == "cluster"); v != nil {`},
	{redisGroup, "gone, and asked each time", "internal/redis/breaker.go", `failuresToOpen = 3           // in a row`, `failuresToOpen = 3000        // in a row`},
	{redisGroup, "a value under another key", "internal/cache/redis.go", `return seal.Context("cache", name)`, `return seal.Context("cache")`},
	{redisGroup, "a value of before a deletion comes back", "internal/cache/writes.go", `return t.writes[v.shard] == v.writes && t.keep(v, value, left)`, `return t.keep(v, value, left)`},
	{redisGroup, "a write that was overtaken", "internal/cache/writes.go", `overtaken := t.writes[v.shard] != v.writes`, `overtaken := false`},
	{redisGroup, "memory keeps what Redis has let go", "internal/cache/writes.go", "\tif left > t.memoryTTL {\n\t\tleft = t.memoryTTL\n\t}\n", ``},
	{redisGroup, "a write to memory alone", "internal/cache/writes.go", "\tif err := t.redis.Set(ctx, key, value, ttl); err != nil {\n", "\tif err := ctx.Err(); err != nil {\n"},
	{redisGroup, "denied, and let in", "settings_redis.go", `if c.WhenDown == "deny" {`, `if c.WhenDown == "-" {`},
	{redisGroup, "keys outside the prefix", "shared_redis.go", `set.prefix+"revocations"`, `"revocations"`},
	{redisGroup, "a prefix with a brace, in the settings", "settings_redis.go", `if c.Prefix == "" || strings.ContainsAny(c.Prefix, "{}") {`, `if c.Prefix == "" {`},
}

const (
	tokenStoreFile = "internal/apitoken/redis.go"
	tokenWriteFile = "internal/apitoken/redis_write.go"
	leaseFile      = "internal/redis/lease.go"
	tokenIndexFile = "internal/apitoken/redis_index.go"
)

var tokenStoreMutants = []mutant{
	{redisGroup, "another token's record", tokenStoreFile, " || t.ID != id {", " {"},
	{redisGroup, "a record that is no token", tokenStoreFile, "json.Unmarshal(value, &t) != nil || ", "json.Unmarshal(value, &t) == ErrExists || "},
	{redisGroup, "a token's record outlives it", tokenStoreFile, "\tleft := t.Expires - r.now().Unix()\n", "\tleft := t.Expires - r.now().Unix() + 86400\n"},
	{redisGroup, "a record of a token that has expired lasts for ever", tokenStoreFile, "\tif left < int64(least/time.Second) {\n\t\treturn least\n\t}\n", "\tif left < int64(least/time.Second) {\n\t\treturn forever\n\t}\n"},
	{redisGroup, "a token over another of that id", tokenWriteFile, "added, err := r.records.Add(ctx, recordKey(t.ID), value, r.life(t))", "added, err := true, r.records.Set(ctx, recordKey(t.ID), value, r.life(t))"},
	{redisGroup, "a token out of bounds, made", tokenWriteFile, "\tif err := t.Validate(); err != nil {\n\t\treturn fmt.Errorf(\"create token: %w\", err)\n\t}\n", ""},
	{redisGroup, "a token that is in no list", tokenWriteFile, "\t\tif err := r.enlist(ctx, t); err != nil {\n\t\t\treturn unavailable(\"create token\", err)\n\t\t}\n", ""},
	{redisGroup, "a token that a deletion overtook comes back", tokenWriteFile, "replaced, err := r.records.Replace(ctx, recordKey(id), value, r.life(next))", "replaced, err := true, r.records.Set(ctx, recordKey(id), value, r.life(next))"},
	{redisGroup, "an update of what this replica remembers", tokenWriteFile, "t, found, err := r.Fresh(ctx, id)", "t, found, err := r.Find(ctx, id)"},
	{redisGroup, "an update out of bounds", tokenWriteFile, "next, err := changed(t, change)", "next, err := change(t)"},
	{redisGroup, "a deleted token stays", tokenWriteFile, "if err := r.records.Delete(ctx, recordKey(id)); err != nil {", "if err := ctx.Err(); err != nil {"},
	{redisGroup, "a deleted token stays in the lists", tokenWriteFile, "\t\tr.delist(ctx, t.Owner, id)\n", ""},
	{redisGroup, "two holders of one lease", leaseFile, "return replies[1].Text == holder, nil", `return replies[1].Text != "", nil`},
	{redisGroup, "a dead holder's lease for ever", leaseFile, `{"SET", key, holder, "NX", "PX", strconv.FormatInt(d.Milliseconds(), 10)},`, `[]string{"SET", key, holder, "NX", strconv.Itoa(0)}[:4],`},
	{redisGroup, "a writer counts on its lease for too long", tokenWriteFile, "return began.Add(leaseFor - leaseMargin), nil", "return began.Add(leaseFor + leaseMargin), nil"},
	{redisGroup, "a lease that stays", tokenWriteFile, "\tdefer r.client.ReturnLease(r.leaseKey(id), holder) // also", "\t// also"},
	{redisGroup, "an owner's name in a key", tokenIndexFile, `"apitokens:" + hashOf(owner)`, `"apitokens:" + owner`},
	{redisGroup, "an id in another owner's list", tokenIndexFile, `if found && (owner == "" || t.Owner == owner) {`, `if found {`},
	{redisGroup, "ids without a record, without bound", tokenIndexFile, "\tif !found && r.gone(ctx, id) {\n\t\tr.forget(ctx, key, id)\n\t}\n", ""},
	{redisGroup, "an id is cleared away while its token is being made", tokenIndexFile, "err != nil || !got {", "err != nil || !got && holder == \"\" {"},
	{redisGroup, "an id is cleared away whose token was just made", tokenIndexFile, "\tif r.gone(ctx, id) {\n", "\tif r.gone(ctx, id) || true {\n"},
	{redisGroup, "a list that goes on behind its first page", tokenIndexFile, "\t\tif cursor == \"0\" {\n", "\t\tif cursor != \"\" {\n"},
	{redisGroup, "uses on their way without bound", "internal/apitoken/redis_used.go", " || n.writers >= maxWriters {", " {"},
	{redisGroup, "notes of uses without bound", "internal/apitoken/redis_used.go", "n.times == nil || len(n.times) >= maxNotes {", "n.times == nil {"},
	{redisGroup, "a use is kept for ever", "internal/apitoken/redis_used.go", `int64(usedFor/time.Second)`, `int64(10*usedFor/time.Second)`},
	{redisGroup, "one user's sessions that are over, in the list", "session_users.go", `u.key(user), "(" + strconv.FormatInt(now, 10), "+inf"`, `u.key(user), "(" + strconv.FormatInt(now-now, 10), "+inf"`},
}

var denialMutants = []mutant{
	{denial, "grants in flight without bound", "refresh_coordinator.go", `make(chan struct{}, maxGrants)`, `make(chan struct{}, 100*maxGrants)`},
	{denial, "waiting grants without bound", "refresh_coordinator.go", `if c.queued.Load() >= maxQueued {`, `if c.queued.Load() >= 1000*maxQueued {`},
	{denial, "failures without bound", "refresh_coordinator.go", `if len(c.failures) >= failuresKept {`, `if len(c.failures) >= 100*failuresKept {`},
	{denial, "a failure counts for each waiter", "refresh_coordinator.go", "\t\tc.failed.Add(1)\n", "\t\tc.failed.Add(1 + c.followers.Load())\n"},
	{denial, "revocations without bound", "internal/revocation/index.go", "if len(x.current) >= x.half {\n\t\t\tx.turn(now)", "if len(x.current) >= 4*x.half {\n\t\t\tx.turn(now)"},
	{denial, "what is over is kept", "internal/revocation/index.go", "\t\tif e.until <= now {\n\t\t\tdelete(x.current, key)\n\t\t}\n", "\t\t_ = key\n\t\t_ = e\n"},
	{denial, "the log grows for ever", "internal/revocation/writer.go", `args = append(args, "MINID", "~", over)`, `_ = over`},
	{denial, "what waits is tried without a pause", "internal/revocation/writer.go", `if rest = 2 * rest; rest > lastTry {`, `if rest > lastTry {`},
	{denial, "a page for each few entries", "internal/revocation/page.go", `largestPage = 5000`, `largestPage = 50`},
	{denial, "each request waits for a log that is away", "internal/revocation/log.go", "\tif absent {\n", "\tif absent && ctx == nil {\n"},
	{denial, "a request waits for a refresh that it can do without", "refresh.go", `if !ended && patience > refreshPatience {`, `if patience < 0 {`},
	{denial, "streams that ended are kept", "streams.go", "\tdefer l.streams.remove(s)\n", ``},
	{denial, "sessions of one user without bound, in Redis", "session_users.go", `strconv.Itoa(-maxSessionsPerUser - 1)`, `strconv.Itoa(-10*maxSessionsPerUser - 1)`},
	{denial, "sessions of one user without bound, in memory", "session_users.go", `if len(kept) > maxSessionsPerUser {`, `if len(kept) > 10*maxSessionsPerUser {`},
	{denial, "a logout token without bound", "logout_channels.go", `http.MaxBytesReader(w, r.Body, maxLogoutBody)`, `http.MaxBytesReader(w, r.Body, 1000*maxLogoutBody)`},
	{denial, "a browser's name without bound", "session_admin.go", "\tif len(about.Agent) > maxAgent {\n", "\tif len(about.Agent) < 0 {\n"},
}
