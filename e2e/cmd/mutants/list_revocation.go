package main

var indexMutants = []mutant{
	{caches, "revoked in the same moment", indexFile, `(e.always || issued <= e.at) {`, `(e.always || issued < e.at) {`},
	{caches, "a session's end goes by its clock", indexFile, `(e.always || issued <= e.at) {`, `(issued <= e.at) {`},
	{caches, "what was pushed out is forgotten", indexFile, `if x.floor > 0 && issued <= x.floor && issued != Undated {`, `if x.floor < 0 {`},
	{caches, "the floor is the lowest", indexFile, `if e.until > now && e.at > x.floor {`, `if e.until > now {`},
	{caches, "what is over counts when it is pushed out", indexFile, `if e.until > now && e.at > x.floor {`, `if e.at > x.floor {`},
	{caches, "a verdict kept after a revocation", indexFile, "\tif fresh > 0 {\n\t\tx.generation.Add(1)\n\t}\n", ``},
	{caches, "an entry that is over", indexFile, `if e.Until <= now || e.At`, `if e.At`},
	{caches, "a later entry revokes less", indexFile, "\t\tif known.at > e.At {\n\t\t\te.At = known.at\n\t\t}\n", ``},
	{caches, "a later entry ends earlier", indexFile, "\t\tif known.until > e.Until {\n\t\t\te.Until = known.until\n\t\t}\n", ``},
	{caches, "the older half is not looked at", indexFile, "\t\tknown = x.previous[key]\n", "\t\tknown = x.current[key]\n"},
	{caches, "nobody is told", indexFile, "\tfor _, f := range list {\n\t\tf(entries)\n\t}\n", "\t_ = list\n"},
	{caches, "a lifetime that was raised counts for what comes", indexFile, "\t\t\t\tgeneration[key] = e\n", "\t\t\t\t_, _ = key, e\n"},
	{caches, "a session is written as often as it ends", indexFile, `return e.Always && known.always || `, `return `},
	{caches, "two values joined into one key", "internal/revocation/key.go", `strconv.Itoa(len(part)) + ":" + part`, `strconv.Itoa(0)[1:] + part`},
}

const (
	indexFile  = "internal/revocation/index.go"
	logFile    = "internal/revocation/log.go"
	readerFile = "internal/revocation/reader.go"
	writerFile = "internal/revocation/writer.go"
	pageFile   = "internal/revocation/page.go"
	clockFile  = "internal/revocation/clock.go"
)

var logMutants = []mutant{
	{caches, "nobody knows, and all are clean", logFile, `if judged && readable {`, `if judged {`},
	{caches, "an answer before the log was read", logFile, `if judged && readable {`, `if readable {`},
	{caches, "not revoked here at once", logFile, "\tg.index.Add(entries, now)\n", ""},
	{caches, "revoked while Redis is away, and forgotten", logFile, "\t\tg.owe(entries)\n", ""},
	{caches, "the other replicas are not told", logFile, `if err := g.send(ctx, entries); err != nil {`, `if err := ctx.Err(); err != nil {`},
	{caches, "a revocation that was not written is reported as done", logFile, "\t\treturn fmt.Errorf(\"revoke: %v: %w\", err, ErrUnavailable)\n", "\t\treturn nil\n"},
	{caches, "a zero key revokes", logFile, `if e.Key != noKey && (owed`, `if (owed`},
	{caches, "what waits is not tried again when it is asked for", logFile, `(owed || !g.index.Knows(e, now))`, `(!owed && !g.index.Knows(e, now))`},
	{caches, "a revocation ends before the session", logFile, `if e.Until < least {`, `if e.Until < 0 {`},
	{caches, "a log that is another one is not read", readerFile, `if p.last != at.tail && at.tail != origin {`, `if p.last == "-" {`},
	{caches, "a backup is restored behind the reader's back", readerFile, "\tif err := g.look(ctx, at); err != nil {\n\t\treturn err\n\t}\n\tif at.tail == before {", "\tif at.tail == before {"},
	{caches, "what the log has lost is not written", readerFile, "\t\tg.restore(at.there)\n", ""},
	{caches, "what nobody has read back is lost", writerFile, "\tif len(lost) > 0 {\n\t\tg.restored(lost)\n\t}\n", ""},
	{caches, "a log that cannot be read for too long", readerFile, `lost := g.readable && g.now().Sub(g.contact) >= g.tolerate`, `lost := g.readable && g.now().Sub(g.contact) >= 1000*g.tolerate+time.Hour`},
	{caches, "verdicts outlive the log", readerFile, "\tif lost {\n\t\tg.index.Touch()\n\t}\n", ""},
	{caches, "judged by an hour less than was read", readerFile, `timeOf(id) + time.Hour.Milliseconds()`, `timeOf(id)`},
	{caches, "judged by clocks that do not agree", readerFile, `if !g.measured || g.gap > clockGap || g.gap < -clockGap {`, `if !g.measured {`},
	{caches, "the end of the log waits for its beginning", readerFile, "\tp, err := g.readPage(ctx, \"on\", at.tail, at.page)\n", "\tif at.head != \"\" {\n\t\treturn nil\n\t}\n\tp, err := g.readPage(ctx, \"on\", at.tail, at.page)\n"},
	{caches, "a trouble that stays is not told", readerFile, ` || errors.Is(err, redis.ErrCommand) {`, ` || lost && errors.Is(err, redis.ErrCommand) {`},
	{caches, "a key that is none", pageFile, "if !ok || key == noKey {", "if !ok && key != noKey {"},
	{caches, "a zero key in the log", pageFile, ` || keys[i].Key == noKey {`, ` {`},
	{caches, "an entry without a time", pageFile, `if at[i] <= 0 || until[i] <= 0 ||`, `if at[i] <= 0 && until[i] <= 0 ||`},
	{caches, "garbage in the stream stops the reader", pageFile, "\t\tp, err = g.readPlain(ctx, direction, id)\n", ""},
	{caches, "what is read back early is written again", writerFile, "\terr := g.write(ctx, entries)\n\tg.mu.Lock()\n\tdefer g.mu.Unlock()\n", "\terr := g.write(ctx, entries)\n\tg.mu.Lock()\n\tdefer g.mu.Unlock()\n\tfor _, e := range entries {\n\t\tg.sent[e.Key] = e\n\t}\n"},
	{caches, "null is an id", writerFile, `if reply.Kind != redis.Text || !strings.Contains(reply.Text, "-") {`, `if reply.Kind != redis.Text && reply.Kind != redis.Nil || strings.Contains(reply.Text, "OK") {`},
	{caches, "an entry of the year 9999", clockFile, "\t\tif e.At > latest {\n\t\t\te.At = latest\n\t\t}\n", ""},
	{caches, "an entry without end", clockFile, "\t\tif left > most {\n\t\t\te.Until = e.At/1000 + most\n\t\t}\n", ""},
	{caches, "an entry of a replica with shorter lives", clockFile, "\t\tif left < least {\n", "\t\tif left < least && left < 0 {\n"},
	{caches, "this process' clock lets entries go", clockFile, `if g.measured && g.gap < 0 {`, `if g.measured && g.gap > 0 {`},
	{caches, "over by this process' clock", clockFile, `return there-timeOf(p.last) > 1000*life`, `return there > 0`},
	{caches, "over by Redis' clock", clockFile, `if now.Unix() <= e.At/1000+life {`, `if now.Unix() <= 0*e.At {`},
	{caches, "over by the shortest life", clockFile, "\t\tlife = larger(life, e.Until-e.At/1000)\n", "\t\tlife = larger(life, 0*e.At)\n"},
	{caches, "over for others", clockFile, `life := int64(shared / time.Second)`, `life := int64(0 * shared)`},
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
	{caches, "a token outlives its revocation", "authenticate.go", "\tif err := l.checkLife(claims); err != nil {\n\t\treturn nil, err\n\t}\n", ""},
	{caches, "a token's life goes by its end alone", "authenticate.go", `if issued := unix(claims["iat"]); issued > 0 && issued < began {`, `if issued := unix(claims["iat"]); issued < 0 {`},
	{caches, "a revocation ends before the access tokens", "settings.go", `dated = longest(own, s.bearerLifetime)`, `dated = own`},
	{caches, "a longer-lived token's verdict where it is too long", "settings.go", `s.bearerLifetime.String(), `, ``},
	{caches, "passes outlive a revocation", "shared.go", `{ b.revoked() }`, `{}`},
	{caches, "a logout is not told", "logout_once.go", `if err := l.endSession(ctx, s); err != nil {`, `if err := error(nil); err != nil {`},
	{denial, "an ended session logs out again", "logout_once.go", ` || l.isEnded(s) {`, ` {`},
	{denial, "a session that is over logs out", "logout_once.go", `if l.now().Unix() >= s.ends(l.set) || l.isEnded(s) {`, `if l.isEnded(s) {`},
	{denial, "many logouts at once act once each", "logout_once.go", `if !first && l.endedMeanwhile(ctx, s) {`, `first = true; if !first && l.endedMeanwhile(ctx, s) {`},
	{denial, "a logout does not wait for another replica's", "logout_once.go", `time.Since(began) < endedBy && `, `time.Since(began) < 0 && `},
	{denial, "refresh tokens on their way without bound", "logout_once.go", `if len(e.slots) == cap(e.slots) {`, `if len(e.slots) == 0 {`},
	{denial, "a user is given sessions without bound", "revoke.go", "\tif err := l.grantOne(user); err != nil {\n", "\tif err := l.grantOne(user + s.ID); err != nil {\n"},
	{denial, "a user is given API tokens without bound", "api_calls.go", `l.grantOne(l.userName(c.user))`, `l.grantOne(l.userName(c.user) + n.Note + r.Method)`},
	{denial, "a user is given secrets without bound", "api_calls.go", `l.grantOne(l.userName(owner))`, `l.grantOne(l.userName(owner) + id)`},
	{denial, "users are counted without bound", "quota.go", ` || len(q.given) >= quotaUsers`, ``},
	{denial, "what a user was given counts for ever", "quota.go", `day != q.day || `, `q.day == 0 || day == 0 || `},
	{denial, "made-up sessions are revoked without bound", "logout_once.go", `return e.taken <= maxUnread`, `return e.taken > 0`},
	{denial, "made-up sessions, once for all", "logout_once.go", "\t\te.taken = 0\n", ""},
	{endpoints, "the logout page says what is not so", "logout.go", `if ours && l.cookieValue(r) == "" {`, `if ours || l.cookieValue(r) == "" {`},
	{caches, "a logout of a session that cannot be read", "logout.go", `if errors.Is(err, errStoreAway) {`, `if errors.Is(err, errStoreAway) && credential == "" {`},
	{caches, "an ended session stays in the store", "revoke.go", `if err := l.sessions.remove(ctx, id); err != nil {`, `if err := error(nil); err != nil {`},
	{caches, "an ended session counts among its user's", "revoke.go", `if user != "" {`, `if user == "-" {`},
	{caches, "one session too many", "revoke.go", `most > 0 && len(others) >= most {`, `most > 0 && len(others) > most {`},
	{caches, "the newest session ends", "revoke.go", `l.revokeSessions(ctx, others[:excess]...)`, `l.revokeSessions(ctx, others[len(others)-excess:]...)`},
	{caches, "others stay after a login", "revoke.go", `if l.set.endOthers {`, `if l.set.endOthers && excess > 0 {`},
	{caches, "a shorter login shortens the list", "session_users.go", "\t\t{\"PEXPIRE\", key, left, \"GT\"},\n", "\t\t{\"PEXPIRE\", key, left},\n"},
	{caches, "a shorter login shortens the list, in memory", "session_users.go", "\t\t\tothers = append(others, e.ID)\n\t\t\tlast = later(last, e.Until)\n", "\t\t\tothers = append(others, e.ID)\n"},
	{caches, "a shorter login shortens the list, with an old Redis", "session_users.go", `redis.call("pttl", KEYS[1]) < tonumber(ARGV[1])`, `true`},
	{caches, "sessions that are over count", "session_users.go", `"-inf", strconv.FormatInt(now, 10)`, `"-inf", strconv.FormatInt(now-now, 10)`},
}

var streamMutants = []mutant{
	{caches, "a stream outlives its session", "streams.go", "\tl.streams.add(s)\n", ``},
	{caches, "a stream that begins during a revocation", "streams.go", "\tif err := l.checkClean(ctx, v); err != nil {\n\t\tl.challenge(w, r, err)\n\t\treturn\n\t}\n", ``},
	{caches, "a stream outlives the session's lifetime", "streams.go", `time.AfterFunc(time.Unix(v.ends, 0).Sub(l.now()), cancel)`, `time.AfterFunc(time.Unix(v.ends+3600, 0).Sub(l.now()), cancel)`},
	{caches, "a stream of a later login ends", "streams.go", `if e.Always || s.issued <= e.At {`, `if e.Always || s.issued <= e.At || e.Until > 0 {`},
	{caches, "an event stream is not registered", "plugin.go", "\tif isStream(r) {\n", "\tif r.Header[\"Upgrade\"] != nil {\n"},
	{caches, "an event stream goes by a pass", "plugin.go", `t.shapes[r.Method+strings.Join(h["Accept"], ",")]`, `strings.Join(h["Accept"], ",") != "-"`},
	{caches, "a WebSocket goes by a pass", "internal/headers/guard.go", `"Upgrade-Insecure-Requests"`, `"Upgrade", "Upgrade-Insecure-Requests"`},
	{caches, "streams are not told", "shared_redis.go", `{ p.revoked(entries) }`, `{}`},
}

var storeMutants = []mutant{
	{cookies, "anything is an id", "session_cookie.go", `if !storedID.MatchString(credential) {`, `if credential == "" {`},
	{cookies, "a record of another id", "session_cookie.go", `if !found || s.ID != sessionID(credential) || !l.keeps(s) {`, `if !found {`},
	{cookies, "an ended session comes back with a refresh", "session_store.go", `there, err := p.records.Replace(`, `there, err := true, p.records.Set(`},
	{cookies, "a record of another client", "shared_redis.go", `owner := fingerprint(set.issuer, set.clientID)`, `owner := fingerprint(set.issuer)`},
	{cookies, "what a record is under tells the id", "session_store.go", `func sessionID(credential string) string { return fingerprint("session", credential) }`, `func sessionID(credential string) string { return credential }`},
}
