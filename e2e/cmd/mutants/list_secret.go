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
	{apiTokens, "a record that does not open, out of the list", "internal/apitoken/redis_index.go", "if !found && r.gone(ctx, id) {", "if !found {"},
	{apiTokens, "a look that takes what does not open for nothing", "internal/apitoken/redis_index.go", "return err == nil && n == 0", "return err == nil"},
	{apiTokens, "an unknown secret reads as no such token", "internal/apitoken/store.go", "\tif errors.Is(err, cache.ErrUnreadable) {\n", "\tif errors.Is(err, ErrExists) {\n"},
	{apiTokens, "a token of an unknown secret is known to be bad", "authenticate.go", " && !errors.Is(err, cache.ErrUnreadable) {", " {"},
	{apiTokens, "a token of an unknown secret, with an error of the store", "api_token.go", "\t\treturn fmt.Errorf(\"%w: %w\", errBadToken, err)\n\t}\n\treturn storeError", "\t\treturn storeError(err)\n\t}\n\treturn storeError"},
	{refresh, "a refresh beside a record that cannot be read", "refresh.go", "if stored == s && l.unreadable(ctx, credential) {", "if stored != s && l.unreadable(ctx, credential) {"},
	{redisGroup, "a session of an unknown secret, with an error of the store", "session_cookie.go", "\tif errors.Is(err, cache.ErrUnreadable) {\n", "\tif errors.Is(err, errExpired) {\n"},
	{redisGroup, "sessions of an unknown secret, listed without a word", "session_admin.go", "\t\t\tunread++\n", ""},
	{redisGroup, "sessions of an unknown secret, listed as none", "session_admin.go", "\t\treturn info, true, err\n", "\t\treturn info, false, err\n"},
}
