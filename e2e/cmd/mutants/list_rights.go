package main

const scopeFile = "internal/claims/scope.go"

// What a credential may do, and with which scopes.
var rightsMutants = []mutant{
	{delegated, "a session has the scopes of the router that finishes the login", "callback.go", "s.Scope = f.Scope //", "s.Scope = l.set.scopes //"},
	{delegated, "a session of an old version has scopes that nobody knows of", "session.go", "\t\treturn \"openid\"\n", "\t\treturn \"openid payments\"\n"},
	{delegated, "a refresh that says nothing of scopes leaves none", "refresh.go", "\tif result.Scope != \"\" {\n", "\tif result != nil {\n"},
	{delegated, "what the provider granted counts for nothing", "callback.go", "Scope: tokens.Scope,\n", "Scope: f.Scope,\n"},
	{caches, "routers that ask for other scopes share verdicts", "settings.go", "fmt.Sprint(c.Bearer.Enabled), s.scopes, ", "fmt.Sprint(c.Bearer.Enabled), "},

	{claims, "a scope is part of another", scopeFile, "\tif text, ok := claim.(string); ok {\n", "\tif text, ok := claim.(string); ok && text == \"\" {\n"},
	{claims, "scp is a text", scopeFile, ` || name == "scp" }`, ` }`},
	{claims, "an element of several scopes is one", scopeFile, "\tif text, ok := element.(string); ok {\n", "\tif text, ok := element.(string); ok && text == \"\" {\n"},
	{claims, "a rule that no scope fulfils", "internal/claims/parse.go", "if called.scalar && isScope(path.name) {", "if called.scalar && path.name == \"-\" {"},
	{claims, "a rule that scopes cannot begin to fulfil", "internal/claims/functions.go", "scalar: true, build: prefix}", "build: prefix}"},

	{endpoints, "every access token manages", apiFile, `l.set.manage != "" && contains(`, `l.set.manage == "" || contains(`},
	{endpoints, "an access token manages without the scope", apiFile, `l.set.manage != "" && contains(scopesOf(who.Claims), l.set.manage)`, `l.set.manage != ""`},
	{endpoints, "a scope that is none manages, in the settings", tokensSetFile, "case !named || !apitoken.ValidScope(scope):", "case !named:"},
	{endpoints, "a word that is none manages, in the settings", tokensSetFile, "case !named || !apitoken.ValidScope(scope):", "case named && !apitoken.ValidScope(scope):"},
	{endpoints, "access tokens manage where none are accepted, in the settings", tokensSetFile, "case !c.Bearer.Enabled:", "case c.Bearer.Enabled && !named:"},
}

const (
	lineageFile  = "lineage.go"
	apiCallsFile = "api_calls.go"
)

// What a token of our own is for, and when it dies.
var lineageMutants = []mutant{
	{delegated, "a notebook's token for everybody", rulesFile, "\tcase len(p.Audiences) > 0:\n\t\treturn p.Audiences\n", ""},
	{delegated, "an access token's notebook for everybody", delegateFile, "\t\tp.Audiences = audiencesOf(who.Claims)\n", ""},
	{delegated, "a service's notebook for everybody", delegateFile, "if !everybody || p.Lineage[root] ==", "if p.Lineage[root] =="},
	{delegated, "a notebook's notebook for everybody", delegateFile, ` || p.Lineage[root] == string(identity.Bearer) {`, " {"},
	{delegated, "a session's notebook for another client", lineageFile, ` && text(claims["client_id"]) == l.delegateClient()`, ""},
	{delegated, "an API token's notebook where none are accepted", lineageFile, "return l.apiTokens != nil\n", "return true\n"},
	{delegated, "an access token's notebook for another issuer's audience", lineageFile, "return known != nil && haveOneOf(audiences, known.audiences)", "return known != nil"},
	{delegated, "a service's token for an issuer's audience", lineageFile, "\t\treturn haveOneOf(audiences, l.set.audiences)\n", "\t\treturn true\n"},
	{delegated, "a notebook that forgets that it is one", lineageFile, "\t\t\tcopyClaim(made, from, notebook)\n", ""},
	{delegated, "a subject of an issuer that is not known", lineageFile, "l.set.delegateIssuer && known == nil {\n\t\treturn false\n", "l.set.delegateIssuer && known == nil {\n\t\treturn true\n"},
	{delegated, "another issuer's subject by the provider's name", delegateFile, "\t\tp.Issuer = text(who.Claims[\"iss\"])\n", ""},
	{delegated, "whose subject it is is forgotten on the way", delegateFile, "\tp.Issuer = subjectIssuer(claims)\n", ""},
	{delegated, "a parent that is gone from its file", lineageFile, "if gone || found &&", "if gone && id == \"\" || found &&"},
	{delegated, "a parent that may less by now", lineageFile, "if gone || found && !l.mayStill(v.keys[0], t, claims) {", "if gone || found && t.ID == \"-\" {"},
	{delegated, "a parent with another secret by now", lineageFile, "; ok && revocation.Token(t.ID, hash) == key {", "; ok {"},
	{delegated, "a parent that has expired by now", lineageFile, "t.Accepts(hash, l.now().Unix()); ok && ", "t.Accepts(hash, 0); ok && "},
	{delegated, "a parent of another owner by now", lineageFile, `if t.Owner != text(claims["sub"]) {`, `if t.Owner == "" {`},
	{delegated, "a parent with fewer scopes by now", lineageFile, "if !contains(t.Scopes, scope) {", `if scope == "" {`},
	{delegated, "a verdict on it that outlasts the look at the file", lineageFile, "if found && stands.Unix() < v.until {", "if found && stands.Unix() < 0 {"},
	{delegated, "a grandchild forgets the API token", lineageFile, "\t\tcopyClaim(made, from, parentID)\n", ""},

	{caches, "a router that is to remember nothing uses another's passes", "passes.go", "l.set.view, fmt.Sprint(l.set.tokens), ", "l.set.view, "},
	{apiTokens, "an end that is another once it is computed with", apiCallsFile, "if asked.Expires < 0 || asked.Expires > endless {", "if asked.Expires < 0 {"},
	{apiTokens, "an end before all time", apiCallsFile, "if asked.Expires < 0 || asked.Expires > endless {", "if asked.Expires > endless {"},
	{apiTokens, "an end after the year 9999", tokenAdminFile, "if t.Expires > endless {", "if t.Expires < 0 {"},
	{apiTokens, "an end of the file's out of bounds", apiTokenFile, "if ends == 0 || ends > endless {", "if ends == 0 {"},
	{denial, "seconds that a duration does not hold", "settings.go", " || tooManySeconds(value):", ":"},
	{denial, "durations that cannot be added", "settings.go", "case time.Duration(d) > maxDuration || ", "case "},
	{endpoints, "an empty form of another site, as a call", "api.go", "if (len(body) > 0 || r.Method == http.MethodPost && len(types) > 0) && !isJSON(types) {", "if len(body) > 0 && !isJSON(types) {"},
	{endpoints, "a body of two types", "api.go", "\tif len(types) != 1 {\n", "\tif len(types) == 0 {\n"},
	{endpoints, "a packed body", "api.go", `if r.Header.Get("Content-Encoding") != "" {`, `if r.Header.Get("Content-Encoding") == "-" {`},
}

const shadowQueueFile = "internal/apitoken/file_queue.go"

// A store in trouble, and who may fill it.
var tokenTroubleMutants = []mutant{
	{shadowFile, "a file that is broken at the start has no tokens", "internal/apitoken/file.go", "\t\tf.blank = true\n", ""},
	{shadowFile, "a file that was broken stays away when it is good", shadowLoadFile, "\tf.blank = false\n", ""},
	{shadowFile, "a broken file that is gone has no tokens", shadowReadFile, " && !base.spoilt {", " {"},
	{shadowFile, "a bad file is parsed each time", shadowReadFile, "\treturn b.err\n", "\treturn nil\n"},
	{shadowFile, "a bad file is bad for ever", shadowReadFile, "if err != nil || !b.isOf(info) {", "if err != nil && !b.isOf(info) {"},
	{shadowFile, "a file edited twice in a second stays bad", shadowReadFile, "b.began.Sub(b.info.ModTime()) < settled", "b.began.IsZero()"},
	{shadowFile, "a file that is no JSON", shadowParseFile, "\tif !json.Valid(content) {\n", "\tif content == nil {\n"},
	{shadowFile, "revocations wait for all others", shadowQueueFile, "append(q.first, q.then...)", "append(q.then, q.first...)"},
	{shadowFile, "what nobody waits for is written", shadowQueueFile, "\t\tif other != j {\n", "\t\tif other != nil {\n"},
	{shadowFile, "a write that failed is done", shadowQueueFile, "if err != nil && j.err == nil {", "if err != nil && j.err != nil {"},
	{apiTokens, "any number of tokens of one owner, in a file", shadowWriteFile, "if most > 0 && ownedBy(all, t.Owner) >= most {", "if most < 0 {"},
	{apiTokens, "any number of tokens of one owner, in Redis", "internal/apitoken/redis_index.go", "if err == nil && n <= most {", "if err == nil {"},
	{apiTokens, "a token too many stays in the list", "internal/apitoken/redis_index.go", "\tr.delist(ctx, t.Owner, t.ID)\n\tif err != nil {", "\tif err != nil {"},
	{apiTokens, "nobody says how many", apiCallsFile, "\tn.most = l.set.apiTokens.maxPerOwner\n", ""},
	{apiTokens, "a token that cannot be deleted is good", tokenAdminFile, "\ttold := l.killSecrets(ctx, id, known.Hashes(), 0)\n", "\tvar told error\n"},
	{apiTokens, "a token that could not be deleted is said to be gone", tokenAdminFile, "\t\treturn fmt.Errorf(\"%w: %w\", errStaysStored, storeError(err))\n", "\t\treturn nil\n"},
	{apiTokens, "another's token, revoked while the store is away", tokenAdminFile, `owner != "" && t.Owner != owner {
		return t,`, `owner == "-" {
		return t,`},
}

// Whose the file is, and which scopes count.
var tokenPlaceMutants = []mutant{
	{shadowFile, "a folder in which anybody may replace it", shadowReadFile, "if err == nil && openToAll(info.Mode()) {", "if err != nil && openToAll(info.Mode()) {"},
	{shadowFile, "the folder that a link leads to", shadowReadFile, "{filepath.Dir(path), filepath.Dir(target)}", "{filepath.Dir(path), filepath.Dir(target[:1])}"},
	{shadowFile, "a folder like that of temporary files is refused", shadowReadFile, " && mode&fs.ModeSticky == 0 }", " }"},
	{shadowFile, "anybody may own it", shadowReadFile, "return user == self || user == 0 || self == 0 }", "return user >= 0 }"},
	{shadowFile, "what is not on the disk counts as written", shadowReplaceFile, "\tif err := file.Sync(); err != nil {\n\t\treturn nil, err\n\t}\n", "\t_ = file.Sync()\n"},
	{apiTokens, "a scope that only another router knows", apiTokenFile, "claimsOf(l.honoured(t))", "claimsOf(t)"},
	{apiTokens, "a lax router's verdict on scopes", tokensSetFile, "s.apiTokens.header, s.apiTokens.giving)", "s.apiTokens.header)"},
}
