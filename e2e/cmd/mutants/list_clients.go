package main

// A setting that does not reach its client.
var clientMutants = []mutant{
	{redisGroup, "any certificate will do", "shared_redis.go", "InsecureSkipVerify: r.insecure}", "InsecureSkipVerify: true}"},
	{redisGroup, "insecureSkipVerify is not heard", "shared_redis.go", ", InsecureSkipVerify: r.insecure}", "}"},
	{redisGroup, "TLS of any age", "shared_redis.go", "MinVersion: tls.VersionTLS12, ServerName", "MinVersion: tls.VersionTLS10, ServerName"},
	{redisGroup, "the certificate may be for any name asked for", "shared_redis.go", "ServerName: r.serverName, ", ""},
	{redisGroup, "Redis' authority is not heard", "shared_redis.go", "\tpool.AppendCertsFromPEM([]byte(r.caCert))\n", ""},
	{redisGroup, "no TLS though it is enabled", "shared_redis.go", "\tif !r.tls {\n", "\tif !r.tls || r.insecure || r.serverName == \"\" {\n"},
	{redisGroup, "nobody in particular", "shared_redis.go", "Username: set.username,", ""},
	{redisGroup, "no password", "shared_redis.go", "Password: set.passwordNow(), ", ""},
	{redisGroup, "the password of the start for ever", "shared_redis.go", "return func() string { return r.password.get() }", "value := r.password.get()\n\treturn func() string { return value }"},
	{redisGroup, "always database 0", "shared_redis.go", "Database: set.database, ", ""},
	{redisGroup, "a time-out that is not heard", "shared_redis.go", "Timeout: set.timeout, Now: l.now,\n", "Now: l.now,\n"},
	{redisGroup, "the mode is not heard", "shared_redis.go", "Mode: set.mode, ", ""},
	{redisGroup, "the master's name is not heard", "shared_redis.go", "MasterName: set.masterName, ", ""},
	{redisGroup, "deny is not heard", "settings_redis.go", "\tif c.WhenDown == \"deny\" {\n", "\tif c.WhenDown == \"\" {\n"},
	{redisGroup, "staleFor is not heard", "shared_redis.go", ", set.tolerate\n", ", 30*time.Second\n"},
	{jwtKeys, "the provider's authority is not heard", "shared.go", "oidc.NewHTTPClient([]byte(set.caCert), set.timeout)", "oidc.NewHTTPClient(nil, set.timeout)"},
	{jwtKeys, "the provider has any time", "shared.go", "oidc.NewHTTPClient([]byte(set.caCert), set.timeout)", "oidc.NewHTTPClient([]byte(set.caCert), time.Minute)"},
	{jwtKeys, "discovery at the issuer only", "shared.go", ", DiscoveryURL: set.discoveryURL})", "})"},
	{refresh, "a refresh has the time of the other calls", "shared.go", "\tpatient.Timeout = set.refresh.timeout\n", ""},
	{login, "the client proves itself as it likes", "shared.go", "l.client = &oauth2.Client{ID: set.clientID, Auth: set.clientAuth, ", "l.client = &oauth2.Client{ID: set.clientID, "},
	{refresh, "grants are shared for any time", "shared_redis.go", "NewRefreshCoordinator(set.refresh.timeout, set.refresh.shareFor, l.now, l.otherReplicas()), func() {}", "NewRefreshCoordinator(set.refresh.timeout, time.Minute, l.now, l.otherReplicas()), func() {}"},
}

// A Redis that is there, and refuses.
var refusalMutants = []mutant{
	{redisGroup, "a full Redis is well", "internal/redis/client.go", "\t\tc.refused.failed(f)\n", ""},
	{redisGroup, "what an answer refuses is not heard", "internal/redis/client.go", "\tc.refused.answered(q.commands, replies)\n", ""},
	{redisGroup, "refused for ever", "internal/redis/refusal.go", "\tdelete(r.refused, command)\n", ""},
	{redisGroup, "another command's answer ends a refusal", "internal/redis/refusal.go", "\tdelete(r.refused, command)\n", "\tr.refused = map[string]string{}\n"},
	{redisGroup, "a full Redis is full until the same command is answered", "internal/redis/refusal.go", "if growing[command] {", "if growing[command] && command == \"\" {"},
	{redisGroup, "what needs no room ends a refusal", "internal/redis/refusal.go", "if growing[command] {", "if command != \"\" {"},
	{redisGroup, "a missing right is given by another command", "internal/redis/refusal.go", "\t\t\tif ofAll[code] {", "\t\t\tif code != \"\" {"},
	{redisGroup, "a line for each refusal", "internal/redis/refusal.go", "now.Sub(r.logged) >= refusalEvery", "now.Sub(r.logged) >= 0"},
	{redisGroup, "one line for ever", "internal/redis/refusal.go", "r.logged.IsZero() || now.Sub(r.logged) >= refusalEvery", "r.logged.IsZero()"},
	{redisGroup, "any error is a state of Redis", "internal/redis/refusal.go", "if code := errorCode(replies[i].Text); telling[code] {", "if code := errorCode(replies[i].Text); code != \"\" {"},
	{redisGroup, "the first command is blamed", "internal/redis/failure.go", "f.command = commands[i][0]", "f.command = commands[0][0]"},
	{redisGroup, "a Redis that deletes is not warned of", "internal/redis/policy.go", "policy != \"\" && policy != keepsAll && ", "policy == \"\" && "},
	{redisGroup, "warned of at each connection", "internal/redis/policy.go", " && n.warned.CompareAndSwap(0, 1) {", " {"},
	{redisGroup, "status is ok while Redis refuses", "status.go", "|| h.Refuses != \"\" ", ""},
}
