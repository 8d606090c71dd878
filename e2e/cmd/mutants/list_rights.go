package main

const scopeFile = "internal/claims/scope.go"

// What a credential may do, and with which scopes.
var rightsMutants = []mutant{
	{delegated, "a session has the scopes of the router that finishes the login", "callback.go", "s.Scope = f.Scope //", "s.Scope = l.set.scopes //"},
	{delegated, "a session of an old version has scopes that nobody knows of", "session.go", "\t\treturn \"openid\"\n", "\t\treturn \"openid payments\"\n"},
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
