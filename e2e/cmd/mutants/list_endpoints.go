package main

var endpointMutants = []mutant{
	{endpoints, "a logout that another site asks for", "logout.go", "\tif crossSite(r) {\n", "\tif r.Method == \"\" {\n"},
	{endpoints, "another site, by Fetch Metadata", "endpoints.go", "\tdefault:\n\t\treturn true\n", "\tdefault:\n"},
	{endpoints, "another site, by Origin", "endpoints.go", `return origin != "" && !strings.HasSuffix(origin, "://"+r.Host)`, `return origin == "-"`},
	{endpoints, "another site's host that ends like ours", "endpoints.go", `strings.HasSuffix(origin, "://"+r.Host)`, `strings.HasSuffix(origin, r.Host)`},
	{endpoints, "a null origin", "endpoints.go", `return origin != "" && `, `return origin != "" && origin != "null" && `},
	{endpoints, "a state alone ends the session", "logout.go", "\t\tl.finishLogout(w, state)\n", "\t\tl.expireChunks(w, r, 0)\n\t\tl.finishLogout(w, state)\n"},
	{endpoints, "another method", "endpoints.go", "if !contains(e.methods, r.Method) {", "if r.Method == \"\" {"},
	{endpoints, "another spelling of an endpoint", "endpoints.go", "l.endpoints[strings.TrimPrefix(r.URL.Path, l.set.basePath)]", "l.endpoints[strings.TrimSuffix(strings.ToLower(strings.TrimPrefix(r.URL.Path, l.set.basePath)), \"/\")]"},
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
