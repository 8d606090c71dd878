package main

var indexMutants = []mutant{
	{caches, "revoked in the same moment", "internal/revocation/index.go", `if e := x.find(key); e.Until != 0 && issued <= e.At {`, `if e := x.find(key); e.Until != 0 && issued < e.At {`},
	{caches, "what was pushed out is forgotten", "internal/revocation/index.go", `if x.floor > 0 && issued <= x.floor && issued != Undated {`, `if x.floor < 0 {`},
	{caches, "the floor is the lowest", "internal/revocation/index.go", `if e.Until > now && e.At > x.floor {`, `if e.Until > now {`},
	{caches, "what is over counts when it is pushed out", "internal/revocation/index.go", `if e.Until > now && e.At > x.floor {`, `if e.At > x.floor {`},
	{caches, "a verdict kept after a revocation", "internal/revocation/index.go", "\tx.current[e.Key] = e\n\tx.generation.Add(1)\n", "\tx.current[e.Key] = e\n"},
	{caches, "an entry that is over", "internal/revocation/index.go", `fresh := e.Until > now && (known`, `fresh := (known`},
	{caches, "a later entry revokes less", "internal/revocation/index.go", "\tif a.At > b.At {\n\t\tb.At = a.At\n\t}\n", ``},
	{caches, "a later entry ends earlier", "internal/revocation/index.go", "\tif a.Until > b.Until {\n\t\tb.Until = a.Until\n\t}\n", ``},
	{caches, "the older half is not looked at", "internal/revocation/index.go", "\t\te = x.previous[key]\n", "\t\te = x.current[key]\n"},
	{caches, "nobody is told", "internal/revocation/index.go", "\tx.mu.Unlock()\n\tfor _, f := range watchers {\n\t\tf(e)\n\t}\n", "\tx.mu.Unlock()\n\t_ = watchers\n"},
	{caches, "two values joined into one key", "internal/revocation/key.go", `strconv.Itoa(len(part)) + ":" + part`, `strconv.Itoa(0)[1:] + part`},
}

var logMutants = []mutant{
	{caches, "nobody knows, and all are clean", "internal/revocation/log.go", `if !g.readable {`, `if !g.readable && g.tolerate < 0 {`},
	{caches, "an answer before the log was read", "internal/revocation/log.go", `if !wait.Now(g.ready) {`, `if !wait.Now(g.ready) && ctx == nil {`},
	{caches, "not revoked here at once", "internal/revocation/log.go", "\tfor _, e := range entries {\n\t\tg.index.Add(e, now)\n\t}\n", "\t_ = now\n"},
	{caches, "revoked while Redis is away, and forgotten", "internal/revocation/log.go", "\t\tg.postpone(entries)\n\t\treturn fmt.Errorf(\"revoke", "\t\treturn fmt.Errorf(\"revoke"},
	{caches, "the other replicas are not told", "internal/revocation/log.go", `if err := g.write(ctx, entries); err != nil {`, `if err := ctx.Err(); err != nil {`},
	{caches, "a revocation that was not written is reported as done", "internal/revocation/log.go", "\t\treturn fmt.Errorf(\"revoke: %v: %w\", err, ErrUnavailable)\n", "\t\treturn nil\n"},
	{caches, "what waits is never written on a busy stream", "internal/revocation/reader.go", `if at.whole && !g.owes() {`, `if at.whole {`},
	{caches, "a stream that ends earlier is not read", "internal/revocation/reader.go", "\t\tat.last = origin\n\t}\n\tif at.lost", "\t\tat.last += \"\"\n\t}\n\tif at.lost"},
	{caches, "another Redis whose clock is behind", "internal/revocation/reader.go", "\tif at.lost {\n", "\tif at.lost && g.client == nil {\n"},
	{caches, "a log that cannot be read for too long", "internal/revocation/reader.go", `lost := g.readable && g.now().Sub(g.contact) >= g.tolerate`, `lost := g.readable && g.now().Sub(g.contact) >= 1000*g.tolerate+time.Hour`},
	{caches, "verdicts outlive the log", "internal/revocation/reader.go", "\t\tg.index.Touch()\n\t\tg.say(\"the revocation log cannot", "\t\tg.say(\"the revocation log cannot"},
	{caches, "a key that is none", "internal/revocation/reader.go", "\tif !ok {\n\t\treturn e, id, errEntry\n", "\tif !ok && id == \"\" {\n\t\treturn e, id, errEntry\n"},
	{caches, "an entry without a time", "internal/revocation/reader.go", `if e.At == 0 || e.Until == 0 {`, `if e.At == 0 && e.Until == 0 {`},
	{caches, "garbage in the stream stops the reader", "internal/revocation/reader.go", "\t\tif id != \"\" {\n", "\t\tif err == nil {\n"},
}

var revocationMutants = []mutant{
	{caches, "a verdict kept after a revocation, on the next request", "authenticate.go", "\t\tif err := l.checkClean(r.Context(), v); err != nil {\n\t\t\treturn nil, err\n\t\t}\n", ``},
	{caches, "clean once, clean for ever", "revoke.go", `if v.clean.Load() == generation {`, `if v.clean.Load() != 0 {`},
	{caches, "a revoked session", "revoke.go", "\t\treturn errExpired\n", "\t\treturn nil\n"},
	{caches, "nobody knows, and the verdict stands", "revoke.go", "\tcase err != nil:\n\t\treturn fmt.Errorf(\"%w: %v\", errStoreAway, err)\n\tcase revoked &&", "\tcase err != nil && revoked:\n\t\treturn fmt.Errorf(\"%w: %v\", errStoreAway, err)\n\tcase revoked &&"},
	{caches, "a revoked session at first sight", "session.go", "\tif err := l.checkRevoked(r.Context(), v, generation); err != nil {\n\t\treturn nil, err\n\t}\n", "\tv.clean.Store(generation)\n"},
	{caches, "a revoked token at first sight", "authenticate.go", "\tif err := l.checkRevoked(ctx, v, generation); err != nil {\n\t\treturn nil, err\n\t}\n", "\tv.clean.Store(generation)\n"},
	{caches, "a session does not end with its id", "session.go", "\tv.keys[0] = revocation.Session(s.ID)\n", ``},
	{caches, "a session does not end with its user", "session.go", "\tv.keys[1] = revocation.User(l.set.issuer, text(who.IDToken[\"sub\"]))\n", ``},
	{caches, "a session does not end with the provider's sid", "session.go", "\t\tv.keys[2] = revocation.ProviderSession(l.set.issuer, sid)\n", "\t\t_ = sid\n"},
	{caches, "a token does not end with its user", "authenticate.go", `revocation.User(text(claims["iss"]), text(claims["sub"]))`, `revocation.User(text(claims["iss"]), "")`},
	{caches, "a token of before a revocation", "authenticate.go", `issued: unix(claims["iat"]) * 1000`, `issued: 1 << 60`},
	{caches, "a verdict inserted after a revocation", "passes.go", "\tif clean != b.generation() {\n\t\treturn\n\t}\n", ``},
	{caches, "good health with a revocation that nobody else knows", "status.go", "\tif stats.Pending > 0 {\n", "\tif stats.Pending < 0 {\n"},
	{caches, "passes outlive a revocation", "shared.go", `{ b.revoked() }`, `{}`},
	{caches, "a revocation ends before the session", "internal/revocation/log.go", `if e.Until < least {`, `if e.Until < 0 {`},
	{caches, "a logout is not told", "logout.go", `if err := l.endSession(r.Context(), s); err != nil {`, `if err := error(nil); err != nil {`},
	{caches, "a logout of a session that cannot be read", "logout.go", `if errors.Is(err, errStoreAway) {`, `if errors.Is(err, errStoreAway) && credential == "" {`},
	{caches, "an ended session stays in the store", "revoke.go", `if err := l.sessions.remove(ctx, id); err != nil {`, `if err := error(nil); err != nil {`},
	{caches, "an ended session counts among its user's", "revoke.go", `if user != "" {`, `if user == "-" {`},
	{caches, "one session too many", "revoke.go", `most > 0 && len(others) >= most {`, `most > 0 && len(others) > most {`},
	{caches, "the newest session ends", "revoke.go", "\tfor _, id := range others[:excess] {\n\t\tkeys = append", "\tfor _, id := range others[len(others)-excess:] {\n\t\tkeys = append"},
	{caches, "others stay after a login", "revoke.go", `if l.set.endOthers {`, `if l.set.endOthers && excess > 0 {`},
	{caches, "sessions that are over count", "session_users.go", `"-inf", strconv.FormatInt(now, 10)`, `"-inf", strconv.FormatInt(now-now, 10)`},
}

var streamMutants = []mutant{
	{caches, "a stream outlives its session", "streams.go", "\tl.streams.add(s)\n", ``},
	{caches, "a stream that begins during a revocation", "streams.go", "\tif err := l.checkClean(ctx, v); err != nil {\n\t\tl.challenge(w, r, err)\n\t\treturn\n\t}\n", ``},
	{caches, "a stream outlives the session's lifetime", "streams.go", `time.AfterFunc(time.Unix(v.ends, 0).Sub(l.now()), cancel)`, `time.AfterFunc(time.Unix(v.ends+3600, 0).Sub(l.now()), cancel)`},
	{caches, "a stream of a later login ends", "streams.go", `if s.issued <= e.At {`, `if s.issued <= e.At || e.Until > 0 {`},
	{caches, "an event stream is not registered", "plugin.go", "\tif isStream(r) {\n", "\tif r.Header[\"Upgrade\"] != nil {\n"},
	{caches, "an event stream goes by a pass", "plugin.go", `strings.Join(h["Accept"], ",")), eventStream)`, `strings.Join(h["Accept"], ",")), "no "+eventStream)`},
	{caches, "a WebSocket goes by a pass", "internal/headers/guard.go", `"Upgrade-Insecure-Requests"`, `"Upgrade", "Upgrade-Insecure-Requests"`},
	{caches, "streams are not told", "shared_redis.go", `{ p.revoked(e) }`, `{}`},
}

var storeMutants = []mutant{
	{cookies, "anything is an id", "session_cookie.go", `if !storedID.MatchString(credential) {`, `if credential == "" {`},
	{cookies, "a record of another id", "session_cookie.go", `if !found || s.ID != sessionID(credential) {`, `if !found {`},
	{cookies, "an ended session comes back with a refresh", "session_store.go", `there, err := p.records.Replace(`, `there, err := true, p.records.Set(`},
	{cookies, "a record of another client", "shared_redis.go", `owner := fingerprint(set.issuer, set.clientID)`, `owner := fingerprint(set.issuer)`},
	{cookies, "what a record is under tells the id", "session_store.go", `func sessionID(credential string) string { return fingerprint("session", credential) }`, `func sessionID(credential string) string { return credential }`},
}
