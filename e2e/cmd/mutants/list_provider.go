package main

const (
	askedFile   = "settings_asked.go"
	idTokenFile = "internal/oidc/idtoken.go"
	callsFile   = "provider_calls.go"
)

// providerMutants are about a provider that changes, and about what it says of a login.
var providerMutants = []mutant{
	{login, "an ID token without iat", idTokenFile, "if _, present := claims[\"iat\"]; !present {", "if _, present := claims[\"iat\"]; present && claims == nil {"},
	{login, "auth_time not said", idTokenFile, "after != 0 && (!present || at < earliest)", "after != 0 && present && at < earliest"},
	{login, "auth_time too old", idTokenFile, "after != 0 && (!present || at < earliest)", "after != 0 && (!present || at < earliest-1e18)"},
	{login, "auth_time in the future", idTokenFile, "want.AuthenticatedAfter != 0 && at > seconds(p.now().Add(leeway))", "at < 0"},
	{login, "acr not said", idTokenFile, "if len(contexts) > 0 && (acr == \"\" || !contains(contexts, acr)) {", "if len(contexts) > 0 && acr != \"\" && !contains(contexts, acr) {"},
	{login, "another acr", idTokenFile, "if len(contexts) > 0 && (acr == \"\" || !contains(contexts, acr)) {", "if len(contexts) > 0 && acr == \"\" {"},
	{login, "max_age is not asked about", "callback.go", "AuthenticatedAfter: l.set.asked.after(f.begun()), ", ""},
	{login, "acr_values are not asked about", "callback.go", ", Contexts: l.set.asked.contexts}", "}"},
	{login, "a session of a login that asked for less", "session.go", "if l.set.asked.anything() {", "if l.set.asked.anything() && s == nil {"},
	{login, "an essential acr", askedFile, "\ta.contexts = acr.Values\n", ""},
	{login, "an essential auth_time", askedFile, "\tif authTime.Essential {\n", "\tif a == nil {\n"},
	{login, "a voluntary acr is required", askedFile, "if !acr.Essential || len(acr.Values) == 0 {", "if len(acr.Values) == 0 {"},
	{login, "a max_age that is no number", askedFile, "if err != nil || age < 0 || age > anyAge {", "if err != nil && age < 0 || age < 0 || age > anyAge {"},
	{login, "a max_age below zero", askedFile, "if err != nil || age < 0 || age > anyAge {", "if err != nil || age > anyAge {"},
	{caches, "a verdict of a router that asks for less", "settings.go", "s.asked.policy(), ", ""},
	{claims, "a token that is bound to a key", "internal/oidc/accesstoken.go", "if cnf, present := claims[\"cnf\"]; present {", "if cnf, present := claims[\"cnf\"]; present && claims == nil {"},
	{claims, "a token that is bound to a key, by null", "internal/oidc/accesstoken.go", "if cnf, present := claims[\"cnf\"]; present {", "if cnf := claims[\"cnf\"]; cnf != nil {"},

	{denial, "a kid in the pause is not there", "internal/oidc/document.go", "\treturn fmt.Errorf(\"%s of %q: %w: %w\", d.name, d.issuer, ErrUnavailable, errPaused)\n", "\treturn nil\n"},
	{denial, "the token endpoint's tokens do not wait for keys", idTokenFile, "\tt.fromProvider = true\n", ""},
	{denial, "anybody's token waits for keys", keySetFile, "\tif t.fromProvider {\n\t\treturn 0\n\t}\n", "\tif t.kid != \"\" {\n\t\treturn 0\n\t}\n"},
	{denial, "a key replaced under its kid", tokenFile, "\t\terr = p.verifyAnew(ctx, t, key)\n", "\t\terr = t.refuseSignature()\n"},
	{denial, "a forged signature while the provider is away", keySetFile, "if err != nil && t.fromProvider {", "if err != nil {"},
	{denial, "a signature by a key of before", keySetFile, "if err != nil && t.fromProvider {", "if err != nil && t == nil {"},
	{denial, "objects and lists by the thousand", tokenFile, "decodeObject(data, maxBrackets)", "decodeObject(data, 64*maxBrackets)"},
	{denial, "a line of the log without end", "logs.go", "len(a.Value.String()) > maxLogged {", "len(a.Value.String()) > 10000*maxLogged {"},
	{denial, "codes redeemed at once, without bound", "shared.go", "const maxCodes = 64", "const maxCodes = 1 << 20"},
	{denial, "a code that is done still counts", "internal/oauth2/token.go", "\tdefer c.Codes.leave()\n", ""},

	{endpoints, "an endpoint that moved", callsFile, "\treturn call(moved)\n", "\treturn err\n"},
	{endpoints, "keys that moved", keySetFile, "m, err := p.Rediscover(ctx)", "m, err := p.Metadata(ctx)"},
	{endpoints, "an algorithm that is new", idTokenFile, "\t\terr = p.checkHeaderAnew(ctx, t, err)\n", ""},
	{endpoints, "discovery asked for each endpoint that is nowhere", "internal/oidc/provider.go", "p.discovery.renew(ctx, since, unknownKidPause)", "p.discovery.renew(ctx, since, 0)"},
	{endpoints, "an endpoint where nobody listens", "internal/gone/gone.go", `return errors.As(err, &op) && op.Op == "dial"`, `return errors.As(err, &op) && op.Op == ""`},
	{endpoints, "a connection that broke off", "internal/gone/gone.go", `return errors.As(err, &op) && op.Op == "dial"`, `return errors.As(err, &op) || err != nil`},
	{endpoints, "404, 405, 410", "internal/gone/gone.go", "return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusGone", "return status == http.StatusNotFound"},
	{endpoints, "an expires_in of zero or less", "internal/oauth2/token.go", "\tif !(n > 0) {\n\t\treturn 0\n\t}\n", "\tif !(n > 0) {\n\t\treturn NoExpiry\n\t}\n"},
}
