package main

const (
	findFile   = "internal/cache/redis_find.go"
	resealFile = "internal/cache/reseal.go"
	scanFile   = "internal/redis/scan.go"
)

// What cannot be read is never deleted, and what an earlier secret sealed is
// sealed anew before that secret goes.
var unreadableMutants = []mutant{
	{redisGroup, "a value of an unknown secret is not there", findFile, "!errors.Is(err, seal.ErrUnknownKey) && ", ""},
	{redisGroup, "a value of another version is not there", findFile, " && !errors.Is(err, seal.ErrVersion)", ""},
	{redisGroup, "a value that does not open, uncounted", findFile, "{\n\t\tr.bad.Add(1)\n\t\treturn nil\n\t}\n\terr = fmt", "{\n\t\treturn nil\n\t}\n\terr = fmt"},
	{redisGroup, "nobody is told of an unknown secret", findFile, "\t\tr.Noticed(err)\n", ""},
	{redisGroup, "nobody is told of what is to be sealed anew", findFile, "\t\tr.Noticed(nil)\n", ""},
	{redisGroup, "a list where a text should be is an error", findFile, `strings.HasPrefix(reply.Text, "WRONGTYPE")`, `strings.HasPrefix(reply.Text, "-")`},
	{redisGroup, "sealed anew over another's write", resealFile, "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end\n", ""},
	{redisGroup, "sealed anew for ever", resealFile, ", 'KEEPTTL')", ")"},
	{redisGroup, "sealed anew, whoever's it is", resealFile, " || !ring.Stale(reply.Text) {", " {"},
	{redisGroup, "a prefix that is a pattern", resealFile, `strings.NewReplacer(` + "`\\`, `\\\\`, `*`, `\\*`, `?`, `\\?`, `[`, `\\[`, `]`, `\\]`" + `).Replace(prefix) + "*"`, `strings.TrimSpace(prefix) + "*"`},
	{redisGroup, "the first page only", scanFile, "\t\tcursor = next\n", "\t\tcursor = next[:0] + \"0\"\n"},
	{redisGroup, "the first node only", scanFile, "\t\t\tseen[owner] = true\n", "\t\t\tseen[owner] = true\n\t\t\tif len(addresses) > 0 {\n\t\t\t\tcontinue\n\t\t\t}\n"},
	{apiTokens, "tokens of an unknown secret, listed as none", "internal/apitoken/redis_index.go", "\t\t\tunreadable++\n", ""},
	{apiTokens, "a look that takes what does not open for nothing", "internal/apitoken/redis_index.go", "return err == nil && n == 0", "return err == nil && n >= 0"},
	{apiTokens, "an unknown secret reads as no such token", "internal/apitoken/store.go", "\tif errors.Is(err, cache.ErrUnreadable) {\n", "\tif errors.Is(err, cache.ErrUnreadable) && operation == \"\" {\n"},
	{apiTokens, "a token of an unknown secret is known to be bad", "authenticate.go", " && !errors.Is(err, cache.ErrUnreadable) {", " && cache.ErrUnreadable != nil {"},
	{apiTokens, "a token of an unknown secret, with an error of the store", "api_token.go", "\t\treturn fmt.Errorf(\"%w: %w\", errBadToken, err)\n\t}\n\treturn storeError", "\t\treturn storeError(err)\n\t}\n\treturn storeError"},
	{refresh, "a refresh beside a record that cannot be read", "refresh.go", "if stored == s && l.unreadable(ctx, credential) {", "if stored != s && l.unreadable(ctx, credential) {"},
	{redisGroup, "a session of an unknown secret, with an error of the store", "session_cookie.go", "\tif errors.Is(err, cache.ErrUnreadable) {\n", "\tif errors.Is(err, cache.ErrUnreadable) && found {\n"},
	{redisGroup, "sessions of an unknown secret, listed without a word", "session_admin.go", "\t\t\tunread++\n", ""},
	{redisGroup, "sessions of an unknown secret, listed as none", "session_admin.go", "\t\treturn info, true, err\n", "\t\treturn info, false, err\n"},
}

// Which secret seals, which open, and which are of no use.
var keyringMutants = []mutant{
	{cookies, "a new secret seals at once", "keyring.go", "\tif !now.Before(ripe) {\n", "\tif first != \"\" {\n"},
	{cookies, "a new secret never seals", "keyring.go", "\t\tk.until(ripe)\n", ""},
	{cookies, "a replaced secret opens no more", "keyring.go", "passing{value: value, until: now.Add(k.delay + passingFor), ", "passing{value: value, until: now, "},
	{cookies, "a replaced secret opens for ever", "keyring.go", "\t\tif !now.Before(p.until) {\n\t\t\tcontinue\n\t\t}\n", ""},
	{cookies, "what a replaced secret sealed is sealed anew", "keyring.go", "lasts: k.known.together(value, values[0])", "lasts: true"},
	{cookies, "what a secret dropped early sealed is lost", "keyring.go", "lasts: k.known.together(value, values[0])", "lasts: false"},
	{cookies, "sealed anew with a secret that is going", "keyring.go", " && k.known.outgoing(value, first)", ""},
	{cookies, "a useless secret in a file ends what is in force", "keyring.go", "\terr := usableSecrets(values)\n\tif err == nil {\n\t\tk.replace", "\tvar err error\n\tif err == nil {\n\t\tk.replace"},
	{cookies, "one listed before waits all the same", "keyring_known.go", "\t\tn.behind[name] = true\n", ""},
	{cookies, "what is known of secrets, without bound", "keyring_known.go", "len(n.pairs) > maxKnown", "len(n.pairs) < 0"},
	{cookies, "a request looks at the file", "secret.go", "func (s *secret) get() string {\n", "func (s *secret) get() string {\n\tif s.path != \"\" {\n\t\ts.look()\n\t}\n"},
	{cookies, "a reload begins anew with a secret", "keyring.go", `fingerprint("keyring", l.set.secretSources, own.delay.String())`, `fingerprint("keyring", randomID(16))`},
	{cookies, "a placeholder for a secret", "secret_usable.go", "\t\tif placeholder(value) {\n", "\t\tif value == \"\" {\n"},
	{cookies, "a secret of few letters", "secret_usable.go", "\tif len(seen) < minLetters {\n", "\tif len(seen) < 1 {\n"},
	{cookies, "a secret that says the same again and again", "secret_usable.go", "period <= maxPeriod; period++", "period < 1; period++"},
	{cookies, "a reference for a secret", "secret_usable.go", "reference.MatchString(value) ||\n", "false ||\n"},
	{cookies, "a urn for a secret", "secret.go", "\tcase \"urn\":\n", "\tcase \"-\":\n"},
	{cookies, "a URN for a secret", "secret.go", "strings.ToLower(scheme)", "scheme"},
	{cookies, "a urn in a file for a secret", "secret.go", "\tif err := unresolved(value); err != nil {\n", "\tif err := unresolved(\"\"); err != nil {\n"},
	{cookies, "a device for a secret", "secret.go", "!info.Mode().IsRegular()", "info == nil"},
	{cookies, "a file without end for a secret", "secret.go", "len(content) > maxSettingFile", "len(content) < 0"},
	{cookies, "a urn for certificates", "settings_redis.go", "unresolved(trimSecret(value))", "unresolved(\"\")"},
	{cookies, "a byte-order mark in a secret", "secret.go", "strings.TrimPrefix(strings.TrimSpace(text), \"\\ufeff\")", "text"},
	{cookies, "a session in memory of another secret", "session_cookie.go", " || l.set.keys.named(l.now(), s.Keeper)", " || true"},
	{cookies, "a stored session of another cookie", "session_cookie.go", "s.Cookie != \"\" && s.Cookie != l.set.cookie.Name", "s.Cookie == \"-\""},
	{delegated, "a token of the secret before serves again", "delegate.go", "\t\tsigns = l.set.keys.name(l.now())\n", ""},
	{delegated, "our own keys of before", "internal/oidc/keyset.go", "if p.ownKeys != nil && errors.Is(err, errPaused) {", "if p.ownKeys == nil && errors.Is(err, errPaused) {"},
	{redisGroup, "nothing is sealed anew once it was", "reseal.go", "ring == w.walked && keys.notes.stale.Load() == 0", "ring == w.walked"},
	{redisGroup, "nothing is sealed anew", "reseal.go", "ring.Only() || ", "true || "},
	{redisGroup, "the log is told of strangers each second", "reseal.go", " || now.Sub(w.told) < toldEvery", ""},
}
