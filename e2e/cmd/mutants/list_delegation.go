package main

const (
	delegateFile  = "delegate.go"
	delegatedFile = "delegated.go"
	rulesFile     = "internal/delegation/rules.go"
)

var delegateMutants = []mutant{
	{delegated, "scopes that the parent has not", rulesFile, "\t\tif has[scope] {\n", "\t\tif scope != \"\" {\n"},
	{delegated, "a token that outlives its parent", rulesFile, "\tif p.Expires < exp {\n\t\texp = p.Expires\n\t}\n", ""},
	{delegated, "less than the minimum is left", rulesFile, "return exp, exp-now >= wholeSeconds(r.Minimum)", "return exp, true"},
	{delegated, "a token without an end ahead", rulesFile, "\tif exp <= now {\n\t\treturn exp, false\n\t}\n", ""},
	{delegated, "one parent's token for another", rulesFile, "parts := []string{r.Kind, p.ID, ", "parts := []string{r.Kind, "},
	{delegated, "a parent that was given longer keeps a short token", rulesFile, "strconv.FormatInt(p.Expires, 10), ", ""},
	{delegated, "one service's token for another", rulesFile, "int64(r.Lifetime), 10), r.Service}", "int64(r.Lifetime), 10)}"},
	{delegated, "a token with scopes that were lost since", rulesFile, "\tparts = append(parts, r.Scope(p)...)\n", ""},
	{delegated, "a circle of services without an end", rulesFile, "if actors(p.Act) >= maxDepth {", "if actors(p.Act) > 100*maxDepth {"},
	{delegated, "who asked is forgotten", rulesFile, "\t\tact[\"act\"] = p.Act\n", ""},
	{delegated, "a token that serves for all of its life", rulesFile, "until := created + (expires-created+1)/2", "until := expires"},
	{delegated, "a token that serves when less than the minimum is left", rulesFile, "last < until {", "last < 0 {"},
	{delegated, "a warm request goes on with an old token", delegateFile, "\tif until := time.Unix(token.servesUntil(d.request.Minimum), 0); until.Before(child.until) {\n\t\tchild.until = until\n\t}\n", ""},
	{delegated, "a view's token after its time", delegateFile, " && now.Before(child.until) {", " {"},
	{delegated, "a result of another replica after its time", "refresh_replicas.go", " || c.lasts(result) <= 0 {", " {"},
	{delegated, "an exchanged token that outlives the provider's word", delegateFile, "if said := accessEnds(now, tokens); said != 0 && said < ends {", "if said := accessEnds(now, tokens); said < 0 {"},
	{delegated, "an exchanged token of less than the minimum", delegateFile, "if time.Duration(ends-now)*time.Second < d.request.Minimum {", "if ends < 0 {"},
	{delegated, "a provider that refuses is asked without a pause", delegateFile, "\t\treturn nil, fmt.Errorf(\"%w: %v\", errGrantRefused, err)\n\t}\n\tif err != nil {", "\t\treturn nil, fmt.Errorf(\"%w: %v\", errInternal, err)\n\t}\n\tif err != nil {"},
	{delegated, "a credential that the provider does not know is exchanged", delegateFile, `case subject == "" || v.identity.Kind == identity.Delegated:`, `case subject == "-":`},
	{delegated, "a client brings the header", "settings_forward.go", "s.idTokenHeader, s.delegateHeader} {", "s.idTokenHeader} {"},
	{delegated, "another router's view", "settings.go", ", s.delegateView()}", "}"},
	{delegated, "another router's verdict", "settings.go", ", s.delegatePolicy(c),", ","},
	{delegated, "another router's scopes", "settings_delegate.go", "giving = s.apiTokens.giving", "giving = \"\""},
}

var delegatedMutants = []mutant{
	{delegated, "a token that its parent's end does not end", "lineage.go", "\t\tv.keys[i] = key\n", "\t\tv.keys[i] = key\n\t\tv.keys[i][0]++\n"},
	{delegated, "a token of a parent that was ended before", delegatedFile, "\tif err := l.checkRevoked(ctx, v, generation); err != nil {\n\t\treturn nil, err\n\t}\n", "\tv.clean.Store(generation)\n"},
	{delegated, "the time of the parent is forgotten", "lineage.go", "\tv.issued = int64(issued)\n", "\tv.issued = int64(issued) + 1<<60\n"},
	{delegated, "our own keys are not asked", "authenticate.go", "case l.isDelegated(c.raw):", "case false:"},
	{delegated, "a delegated token manages the account", "api.go", "case identity.Session:\n\t\treturn true\n", "case identity.Session, identity.Delegated:\n\t\treturn true\n"},
	{delegated, "a secret that is rotated out", "keyring.go", "delegation.NewSigner(k.inForce)", "delegation.NewSigner(k.inForce[:1])"},
	{delegated, "the private key is published", "internal/delegation/key.go", `"alg": "ES256", "use": "sig",`, `"alg": "ES256", "use": "sig", "d": k.private.D.String(),`},
	{delegated, "an exchange whose answer is no access token", "internal/oauth2/exchange.go", "if issued != typeAccessToken && issued != typeJWT {", "if issued == \"-\" {"},
	{delegated, "a refused subject token is an outage", "internal/oauth2/exchange.go", "if errors.Is(err, errInvalidRequest) {", "if errors.Is(err, errInvalidRequest) && err == nil {"},
}
