package main

// A machine that is busy is no Redis that is away, and the other way round.
var busyMutants = []mutant{
	{redisGroup, "a time-out is Redis' failure without a look", "internal/redis/patience.go", "\tfor n == 0 && err != nil && os.IsTimeout(err) && p.extend(queued(), time.Now()) {\n", "\tfor n == 0 && err != nil && os.IsTimeout(err) && n > 0 && p.extend(queued(), time.Now()) {\n"},
	{redisGroup, "a look, and no more for whoever is late", "internal/redis/patience.go", "\tif more < slow {\n", "\tif more < time.Hour {\n"},
	{redisGroup, "looking for ever", "internal/redis/patience.go", "\t\tif p.looked {\n", "\t\tif p.looked && p.spare < 0 {\n"},
	{redisGroup, "time without end for whoever is late", "internal/redis/patience.go", "\tp.spare -= more\n", ""},
	{redisGroup, "a queue for the processor is no excuse", "internal/redis/patience.go", "\treturn queue\n}", "\treturn now.Sub(due)\n}"},
	{redisGroup, "a time-out that is too long", "internal/redis/patience.go", "\tp.deadline = time.Now().Add(limit)\n", "\tp.deadline = time.Now().Add(100 * limit)\n"},
	{redisGroup, "failures open the breaker without a probe", "internal/redis/node.go", "\taway := n.probe(context.Background())\n", "\taway := f\n"},
	{redisGroup, "a probe that is not answered leaves the breaker closed", "internal/redis/node.go", "\tn.breaker.judged(away)\n", "\tn.breaker.judged(nil)\n"},
	{redisGroup, "all who fail ask at once", "internal/redis/breaker.go", " || isOpen(epoch) || b.probing {", " || isOpen(epoch) {"},
	{redisGroup, "an answered probe clears nobody", "internal/redis/breaker.go", "\t\tb.answers.Add(1)\n\t\treturn\n", "\t\treturn\n"},
	{redisGroup, "failures from before a probe count", "internal/redis/breaker.go", "\tb.probing = false\n\tb.failures = 0\n", "\tb.probing = false\n"},
	{redisGroup, "as many connections at once as callers", "internal/redis/pool.go", "filled(maxDials)", "filled(bound)"},
	{redisGroup, "who waited dials though a connection is free", "internal/redis/pool.go", "\tdefer func() { p.turns <- struct{}{} }()\n\tif c := p.reuse(again); c != nil {\n", "\tdefer func() { p.turns <- struct{}{} }()\n\tif c := p.reuse(again); c != nil && again && !again {\n"},
	{redisGroup, "who waited is not told that the server is away", "internal/redis/pool.go", "if f == nil && p.away() {", "if f == nil && p.closed {"},
	{redisGroup, "who is told leaves no place", "internal/redis/pool.go", "\t\tfrom <- struct{}{}\n\t\treturn &failure{code: \"open\"", "\t\treturn &failure{code: \"open\""},
	{redisGroup, "callers wait for a connection no longer than for an answer", "internal/redis/node.go", "\tn.pool.patience = poolPatience\n", ""},
}
