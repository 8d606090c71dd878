package main

var endpointMutants = []mutant{
	{endpoints, "a logout that another site asks for", "logout.go", "\tif crossSite(r) {\n", "\tif r.Method == \"\" {\n"},
	{endpoints, "another site, by Fetch Metadata", "endpoints.go", "\tdefault:\n\t\treturn true\n", "\tdefault:\n"},
	{endpoints, "another site, by Origin", "endpoints.go", `return origin != "" && !strings.HasSuffix(origin, "://"+r.Host)`, `return origin == "-"`},
	{endpoints, "another site's host that ends like ours", "endpoints.go", `strings.HasSuffix(origin, "://"+r.Host)`, `strings.HasSuffix(origin, r.Host)`},
	{endpoints, "a null origin", "endpoints.go", `return origin != "" && `, `return origin != "" && origin != "null" && `},
	{endpoints, "a state alone ends the session", "logout.go", "\t\tl.finishLogout(w, r, state)\n", "\t\tl.expireChunks(w, r, 0)\n\t\tl.finishLogout(w, r, state)\n"},
	{endpoints, "another method", "endpoints.go", "if !contains(e.methods, r.Method) {", "if r.Method == \"\" {"},
	{endpoints, "another spelling of an endpoint", "endpoints.go", "l.endpoints[name]", "l.endpoints[strings.TrimSuffix(strings.ToLower(name), \"/\")]"},
	{endpoints, "userinfo of nobody", "status.go", "\tif err != nil {\n\t\tl.refuse(w, r, err, \"\")\n\t\treturn\n\t}\n", "\tif err != nil {\n\t\tv = &verified{}\n\t}\n"},
	{endpoints, "answers in a shared cache", "endpoints.go", "\tw.Header().Set(\"Cache-Control\", \"no-store\")\n", ""},
	{endpoints, "claims read as a script", "status.go", "\th.Set(\"X-Content-Type-Options\", \"nosniff\")\n", ""},
	{endpoints, "a redirect in a shared cache", "login.go", "\th.Set(\"Cache-Control\", \"no-store\")\n", ""},
	{endpoints, "the state in a Referer", "login.go", "\th.Set(\"Referrer-Policy\", \"no-referrer\")\n", ""},
	{endpoints, "a refusal in a shared cache", "challenge.go", "\th.Set(\"Cache-Control\", \"no-store\")\n", ""},
}

var pageMutants = []mutant{
	{endpoints, "clickjacking", "internal/page/page.go", "; frame-ancestors 'none'", ""},
	{endpoints, "anything loaded into a page", "internal/page/page.go", `"default-src 'none'; style-src`, `"style-src`},
	{endpoints, "a form in a page", "internal/page/page.go", " form-action 'none';", ""},
	{endpoints, "another base in a page", "internal/page/page.go", " base-uri 'none';", ""},
	{endpoints, "a page read as something else", "internal/page/page.go", "\th.Set(\"X-Content-Type-Options\", \"nosniff\")\n", ""},
	{endpoints, "a page in a shared cache", "internal/page/page.go", "\th.Set(\"Cache-Control\", \"no-store\")\n", ""},
	{endpoints, "the code in a Referer", "internal/page/page.go", "\th.Set(\"Referrer-Policy\", \"no-referrer\")\n", ""},
	{endpoints, "a request id with markup or line ends", "challenge.go", ` && strings.Trim(id, letters) == "" {`, ` {`},
	{endpoints, "a long request id", "challenge.go", ` && len(id) <= 64 `, ` `},
}

const (
	accountFile = "account.go"
	apiFile     = "api.go"
)

var accountMutants = []mutant{
	{endpoints, "a form of another origin of the same site", accountFile, "if r.Method == http.MethodPost && foreign(r) {", "if r.Method == http.MethodPost && crossSite(r) {"},
	{endpoints, "an access token opens the account page", accountFile, "if err == nil && c.session == \"\" {", "if err == nil && c.user == \"\" {"},
	{endpoints, "a form that does not come from the page", accountFile, ` || len(r.PostForm.Get("once")) != 32 {`, ` {`},
	{endpoints, "a form that is sent twice", accountFile, "\tif !first {\n", "\tif !first && c == nil {\n"},
	{endpoints, "an endless form", accountFile, "http.MaxBytesReader(w, r.Body, maxForm)", "http.MaxBytesReader(w, r.Body, 100*maxForm)"},
	{endpoints, "what a link asks for", accountFile, `switch r.PostForm.Get("do") {`, `switch r.Form.Get("do") {`},
	{endpoints, "others' sessions on the account page", accountFile, "l.listSessions(r.Context(), c.user)", `l.listSessions(r.Context(), "")`},
	{endpoints, "another's session, ended", "session_admin.go", "\t\tif s.ID == id {\n", "\t\tif s.ID != \"\" {\n"},
	{endpoints, "the session that asks ends with the others", "session_admin.go", "\t\tif s.ID != except {\n", "\t\tif s.ID != \"\" {\n"},
	{endpoints, "a session's end that was not told is reported as done", "session_admin.go",
		"\tif err := l.revokeSessions(ctx, ids...); err != nil {\n", "\tif err := l.revokeSessions(ctx, ids...); err != nil && len(ids) == 0 {\n"},
	{endpoints, "a user's end that leaves access tokens", "session_admin.go", "if err := l.revoke(ctx, revocation.User(l.set.issuer, user)); err != nil {", "if err := ctx.Err(); err != nil {"},
	{endpoints, "a revoked session, in the list", "session_admin.go", "return info, !revoked, unread", "return info, true, unread"},
	{endpoints, "a session that the provider ended, in the list", "session_admin.go", "\t\tabout.SID = text(claims[\"sid\"])\n", "\t\t_ = claims\n"},
	{endpoints, "an address that is none, in the list", "session_admin.go", "if real := net.ParseIP(r.Header.Get(\"X-Real-Ip\")); real != nil {\n\t\treturn real.String()\n", "if real := r.Header.Get(\"X-Real-Ip\"); real != \"\" {\n\t\treturn real\n"},
	{endpoints, "an endpoint that begins like the account page, after a login", "return_target.go", "clean != basePath+accountPath ||", "!strings.HasPrefix(clean, basePath+accountPath) ||"},
	{endpoints, "a login leads nowhere but to the account page", "return_target.go", ` && clean != basePath+accountPath || `, ` || `},
	{endpoints, "endpoints of logins where nobody can log in", "endpoints.go", "\tif l.set.issuer == \"\" {\n", "\tif l.set.issuer == \"-\" {\n"},
}

var apiMutants = []mutant{
	{endpoints, "a call of another origin of the same site", apiFile, "if r.Method != http.MethodGet && foreign(r) {", "if r.Method != http.MethodGet && crossSite(r) {"},
	{endpoints, "a form of another site, as a call", apiFile, `kind == "application/json" && (charset`, `kind != "" && (charset`},
	{endpoints, "somebody else's, for nobody special", apiFile, "\t\tif !who.admin {\n", "\t\tif !who.admin && who.user == \"\" {\n"},
	{endpoints, "everybody is an administrator without a rule", apiFile, "l.set.admin != nil && l.set.admin(who)", "l.set.admin == nil || l.set.admin(who)"},
	{endpoints, "the administrators' rule", apiFile, "l.set.admin != nil && l.set.admin(who)", "l.set.admin != nil"},
	{endpoints, "an administrators' rule that cannot be read, in the settings", "settings_tokens.go", "\t\tm.add(\"admin\", \"%v\", err)\n", ""},
	{endpoints, "one call about two users", apiFile, "if len(asked) > 1 || asked[0] == \"\" {", "if asked[0] == \"\" {"},
	{endpoints, "one call about nobody", apiFile, "if len(asked) > 1 || asked[0] == \"\" {", "if len(asked) > 1 {"},
	{endpoints, "everything of oneself, by a slip", "api_calls.go", `if r.URL.Query().Get("user") == "" {`, `if c.owner == "" {`},
	{endpoints, "an endless call", apiFile, "http.MaxBytesReader(w, r.Body, maxAPIBody)", "http.MaxBytesReader(w, r.Body, 100*maxAPIBody)"},
	{endpoints, "a misspelt member of a call", apiFile, "\td.DisallowUnknownFields()\n", ""},
	{endpoints, "a call that goes on after its end", apiFile, "if _, err := d.Token(); !errors.Is(err, io.EOF) {", "if _, err := d.Token(); errors.Is(err, io.ErrNoProgress) {"},
	{endpoints, "another path of the API", apiFile, "\t\tparts[1] = \"*\"\n", "\t\tparts = []string{parts[0], \"*\"}\n"},
	{endpoints, "another site loads an answer", apiFile, "\tw.Header().Set(\"Cross-Origin-Resource-Policy\", \"same-origin\")\n", ""},
	{endpoints, "an answer of the API read as a script", apiFile, "\th.Set(\"X-Content-Type-Options\", \"nosniff\")\n", ""},
	{endpoints, "the API where nobody can log in", "endpoints.go", `if isAPI(name) && l.set.issuer != "" {`, `if isAPI(name) {`},
	{endpoints, "an error's cause, told to the client", "challenge.go", "; a.told && cause != reason.Error() {", "; cause != reason.Error() {"},
}

const accountPageFile = "internal/page/account.go"

var accountPageMutants = []mutant{
	{endpoints, "clickjacking of the account page", accountPageFile, "; frame-ancestors 'none'\"", "\""},
	{endpoints, "anything loaded into the account page", accountPageFile, `"default-src 'none'; style-src "`, `"style-src "`},
	{endpoints, "any script in the account page", accountPageFile, `"; script-src " + hash(accountScript) +`, `"; script-src 'unsafe-inline'" +`},
	{endpoints, "a form to elsewhere in the account page", accountPageFile, " form-action 'self';", ""},
	{endpoints, "another base in the account page", accountPageFile, "; base-uri 'none'; form-action", "; form-action"},
	{endpoints, "another site loads the account page", accountPageFile, "\th.Set(\"Cross-Origin-Resource-Policy\", \"same-origin\")\n", ""},
	{endpoints, "another site holds the account page's window", accountPageFile, "\th.Set(\"Cross-Origin-Opener-Policy\", \"same-origin\")\n", ""},
	{endpoints, "forms of an origin called null", accountPageFile, "\th.Set(\"Referrer-Policy\", \"same-origin\")\n", ""},
	{endpoints, "the account page in a shared cache", accountPageFile, "\tprotect(h, accountPolicy)\n", "\tprotect(h, accountPolicy)\n\th.Del(\"Cache-Control\")\n"},
	{endpoints, "a note with markup", accountPageFile, `"Name": firstOf(t.Note, t.ID),`, `"Name": template.HTML(firstOf(t.Note, t.ID)),`},
	{endpoints, "a browser's name with markup", accountPageFile, `"Name": firstOf(s.Agent, "Unknown browser"),`, `"Name": template.HTML(firstOf(s.Agent, "Unknown browser")),`},
	{endpoints, "a link that is a script", accountPageFile, `"Logout": a.Logout,`, `"Logout": template.URL(a.Logout),`},
}
