package main

const targetFile = "return_target.go"

var targetMutants = []mutant{
	{targets, "return_to of login", "login.go",
		`returnTarget(r.URL.Query().Get("return_to"), l.set.basePath)`, `r.URL.Query().Get("return_to")`},
	{targets, "return_to of logout", "logout.go",
		`l.homeOrigin(r) + returnTarget(to, l.set.basePath)`, `l.homeOrigin(r) + to`},
	{targets, "the path that was asked for", "challenge.go",
		`returnTarget(r.URL.RequestURI(), l.set.basePath)`, `r.URL.RequestURI()`},
	{targets, "a target that escaping makes too long", targetFile, `len(clean) <= maxReturnTarget`, `true`},
	{targets, "a target so long that it fills the cookie", targetFile, `len(target) > maxReturnTarget || `, ``},
	{targets, "a scheme", targetFile, ` || !strings.HasPrefix(target, "/") {`, ` {`},
	{targets, "what cannot be parsed", targetFile, `if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {`, `if err != nil {
		return target
	}
	if u.Scheme != "" || u.Host != "" || u.User != nil {`},
	{targets, "//", targetFile, `strings.HasPrefix(read, "//") || `, ``},
	{targets, `/\`, targetFile, `strings.Contains(read, "\\") || `, ``},
	{targets, "/%09/ and CRLF", targetFile, ` || hasControl(read) {`, ` {`},
	{targets, "an encoding", targetFile, `{target, u.Path, unescaped(u.Path)}`, `{target}`},
	{targets, "a double encoding", targetFile, `{target, u.Path, unescaped(u.Path)}`, `{target, u.Path}`},
	{targets, "CRLF in the query", targetFile, ` || hasControl(unescaped(u.RawQuery)) {`, ` {`},
	{targets, "round in circles, at basePath", targetFile, `clean == basePath || `, ``},
	{targets, "round in circles, at an endpoint", targetFile, `strings.HasPrefix(clean, basePath+"/") && clean != basePath+accountPath || `, ``},
	{targets, "round in circles, by dot segments", targetFile, "\tclean := path.Clean(u.Path)\n", "\tclean := path.Join(u.Path[:0]) + u.Path\n"},
	{targets, "a forged authority", "endpoints.go", "if strings.ContainsAny(r.Host, \"@/\\\\?#\") {", "if r.Host == \"\" {"},
	{targets, "a fragment", targetFile, `u.RequestURI()`, `u.String()`},
	{targets, "back to a host that does not share the cookie", "endpoints.go",
		` || !withinDomain(host, l.set.cookie.Domain) {`, ` || host == "" {`},
	{targets, "back to another host without a shared cookie", "endpoints.go",
		`if l.set.cookie.Domain == "" || `, `if `},
	{targets, "a host that ends like the domain", "settings_login.go",
		`strings.HasSuffix(host, "."+domain)`, `strings.HasSuffix(host, domain)`},
	{targets, "where the logout leads, unsealed", "logout.go",
		"ours := err == nil && json.Unmarshal(plain, &s) == nil && ", "if err != nil {\n\t\ts.Return = state\n\t\tredirect(w, state)\n\t\treturn\n\t}\n\tours := json.Unmarshal(plain, &s) == nil && "},
	{targets, "where the logout leads, after its time", "logout.go",
		" && !l.now().After(time.Unix(s.Ends, 0))", " && !time.Unix(s.Ends, 0).IsZero()"},
}
