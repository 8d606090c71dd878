package main

// A Redis that answers with what is no answer, or is gone before it answers.
var misfitMutants = []mutant{
	{redisGroup, "any reply is an answer", "internal/redis/node.go", "if m := misfit(q.commands, replies); m != nil {", "if m := misfit(nil, nil); m != nil {"},
	{redisGroup, "a greeting of any kind", "internal/redis/connection.go", "return misfit(commands, replies)", "return nil"},
	{redisGroup, "the items of a list may be anything", "internal/redis/command.go", "if r.Items[i].Err != nil || !strings.Contains(items, r.Items[i].letter()) {", "if r.Items[i].Err != nil || items == \"\" {"},
	{redisGroup, "errors in a list", "internal/redis/command.go", "if r.Items[i].Err != nil || !strings", "if !strings"},
	{redisGroup, "nil where an id belongs", "internal/redis/command.go", `"XADD": {once, "t"}`, `"XADD": {once, "tn"}`},
	{redisGroup, "OK where a list belongs", "internal/redis/command.go", `"XREAD": {reads, "nl:l"}`, `"XREAD": {reads, "nlt:l"}`},
	{redisGroup, "an entry is written twice", "internal/redis/command.go", `"XADD": {once, "t"}`, `"XADD": {writes, "t"}`},
	{redisGroup, "a SET that asks is sent twice", "internal/redis/command.go", "== once || isConditional(args) {", "== once {"},
	{redisGroup, "what may not be repeated is", "internal/redis/node.go", "return f.lost && q.repeatable || demoted", "return f.lost || demoted"},
	{redisGroup, "a closed connection is found out by what may not be repeated", "internal/redis/pool.go", "if again && p.now()", "if p.now()"},
	{redisGroup, "a text for an integer", "internal/redis/reply.go", "if r.Err != nil || r.Kind != Integer {", "if r.Err != nil {"},
	{redisGroup, "an integer for a text", "internal/redis/reply.go", "if r.Err != nil || r.Kind != Text && r.Kind != Nil {", "if r.Err != nil {"},
	{redisGroup, "a password that fits no more is the command's fault", "internal/redis/failure.go", `"NOAUTH": true, "WRONGPASS": true, "UNBLOCKED"`, `"NOAUTH": true, "UNBLOCKED"`},
	{redisGroup, "who is not let in takes the server for away", "internal/redis/node.go", "f.barred && n.pool.size() > 0 || ", ""},
	{redisGroup, "who is not let in closes the connections of others", "internal/redis/node.go", "if f.barred || f.spared && !demoted {", "if f.spared && !demoted {"},
	{redisGroup, "a refused password is as any failure", "internal/redis/connection.go", `f.barred = f.code == "WRONGPASS" || f.code == "NOAUTH"`, `f.barred = f.code == "WRONGPASS"`},
	{redisGroup, "why no node of a cluster answers", "internal/redis/topology.go", "\t\tlast = f\n", "\t\t_ = last\n"},
	{redisGroup, "a list of sessions that breaks off", "session_users.go", "if len(reply.Items)%2 != 0 {", "if reply.Items = reply.Items[:len(reply.Items)/2*2]; len(reply.Items) < 0 {"},
	{redisGroup, "a text for a list", "internal/redis/reply.go", "if r.Err != nil || r.Kind != List && r.Kind != Nil {", "if r.Err != nil {"},
	{redisGroup, "a refused lease is had", "internal/redis/lease.go", "\t\tif reply.Err != nil {\n\t\t\treturn false,", "\t\tif reply.Err != nil && key == \"\" {\n\t\t\treturn false,"},
	{redisGroup, "a lease that is kept, and nobody knows", "internal/redis/lease.go", "if err != nil && c.config.Log != nil {", "if false {"},
}
