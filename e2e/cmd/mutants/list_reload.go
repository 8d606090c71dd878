package main

// Traefik makes every middleware anew at a reload; requests are under way in the old ones meanwhile.
var reloadMutants = []mutant{
	{caches, "a replaced middleware answers nobody", "plugin.go", "\tl.api = l.apiTable()\n", "\tl.api = l.apiTable()\n\tcontext.AfterFunc(ctx, func() { l.next = http.NotFoundHandler() })\n"},
	{caches, "what is shared is closed while it is in use", "shared.go", `g.after(releaseAfter, func() { g.release(fingerprint, e) })`, `g.release(fingerprint, e)`},
	{caches, "a reload starts without what was shared", "shared.go", "\t\tg.entries[fingerprint] = e\n", ``},
	{caches, "the first middleware that goes closes what others use", "shared.go", `if e.users == 0 {`, `if e.users >= 0 {`},
}
