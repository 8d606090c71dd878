package main

// Errors that vanish: somebody asks for something, is told that it is done, and it is not.
var errorMutants = []mutant{
	{endpoints, "sessions that cannot be listed are none", "session_admin.go", "\tknown, err := l.users.list(ctx, l.userName(user), l.now().UnixMilli())\n\tif err != nil {\n\t\treturn nil, fmt", "\tknown, err := l.users.list(ctx, l.userName(user), l.now().UnixMilli())\n\tif err != nil && user == \"\" {\n\t\treturn nil, fmt"},
	{endpoints, "an end of everything that ends nothing", "session_admin.go", "\tknown, err := l.users.list(ctx, l.userName(user), l.now().UnixMilli())\n\tif err != nil {\n\t\treturn 0, 0, fmt", "\tknown, err := l.users.list(ctx, l.userName(user), l.now().UnixMilli())\n\tif err != nil && user == \"\" {\n\t\treturn 0, 0, fmt"},
	{endpoints, "an end that the others do not learn of", "session_admin.go", "\tif err := l.revokeSessions(ctx, ids...); err != nil {", "\tif err := l.revokeSessions(ctx, ids...); err != nil && ids == nil {"},
	{endpoints, "the operator is told that a session ended", "admin.go", `return a.l.endSessionOf(ctx, user, id)`, "_ = a.l.endSessionOf(ctx, user, id)\n\treturn nil"},
	{apiTokens, "a token that is in no list", "internal/apitoken/redis_index.go", "\t\tif reply.Err != nil {\n\t\t\treturn reply.Err", "\t\tif reply.Err != nil && t.ID == \"\" {\n\t\t\treturn reply.Err"},
	{shadowFile, "a file that the disk did not take", "internal/apitoken/file_replace.go", "\tif err := file.Sync(); err != nil {\n\t\treturn nil, err\n\t}\n", ""},
	{refresh, "a lease that Redis refuses is another's", "refresh_replicas.go", "\t\tif err != nil {\n\t\t\t// It may", "\t\tif err != nil && got {\n\t\t\t// It may"},
	{refresh, "another token is taken back", "provider_calls.go", `l.client.Revoke(ctx, e, refreshToken, "refresh_token")`, `l.client.Revoke(ctx, e, e.URL, "refresh_token")`},
	{refresh, "a failed refresh is tried at each request", "session.go", `at = now + retryRefresh`, `at = now`},
	{refresh, "a failed refresh is not tried again for long", "refresh.go", `retryRefresh = 2`, `retryRefresh = 20`},
	{login, "a login at the second that it ends at", "flow.go", `l.now().Unix() >= f.Ends`, `l.now().Unix() > f.Ends`},
	{jwtKeys, "documents that are stood on for two days", "internal/oidc/document.go", `goodFor  = 24 * time.Hour `, `goodFor  = 48 * time.Hour `},
	{redisGroup, "an address without a host", "settings_redis.go", `err != nil || host == "" || port == ""`, `err != nil || host == "-" || port == ""`},
	{claims, "what is broken after || is found where it is not", "internal/claims/parse.go", "\t\tif err := p.advance(); err != nil {\n\t\t\treturn nil, err\n\t\t}\n\t}\n}\n\n// both", "\t\tif err := p.advance(); err != nil {\n\t\t\treturn nil, nil\n\t\t}\n\t}\n}\n\n// both"},
	{endpoints, "strangers fill the log", "challenge.go", "\t\tlog = l.log.debug\n", ""},
}
