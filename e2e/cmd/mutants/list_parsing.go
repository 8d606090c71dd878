package main

const objectFile = "internal/oidc/object.go"

var parsingMutants = []mutant{
	{parsing, "a token over 16 KiB", tokenFile, "if len(raw) > maxToken || strings.Count", "if len(raw) > 64*maxToken || strings.Count"},
	{parsing, "dots by the thousand; a JWE", tokenFile, `strings.Count(raw, ".") != 2`, `strings.Count(raw, ".") < 2`},
	{parsing, "CR and LF inside", tokenFile, `strings.ContainsAny(raw, lineEnds) {`, `strings.ContainsAny(raw, "\t\v") {`},
	{parsing, "no signature", tokenFile, "if err != nil || len(signature) == 0 {", "if err != nil {"},
	{parsing, "a signature in another encoding", tokenFile, "if err != nil || len(signature) == 0 {", "if len(signature) == 0 {"},
	{parsing, "a second spelling of the last character", tokenFile, "base64.RawURLEncoding.Strict()", "base64.RawURLEncoding"},
	{parsing, "more than 256 claims", tokenFile, "if len(object) > maxMembers {", "if len(object) > 64*maxMembers {"},
	{parsing, "duplicate claims", tokenFile, "\tif err := unique(t.texts.claims, t.claims); err != nil {", "\tif err := unique(t.texts.header, nil); err == nil {"},
	{parsing, "what is not UTF-8", objectFile, "if !utf8.Valid(data) {", "if !utf8.Valid(nil) {"},
	{parsing, "null for an object", objectFile, " || object == nil {", " {"},
	{parsing, "trailing data; what is not JSON", objectFile,
		"if json.Unmarshal(data, &object) != nil || object == nil {",
		"if json.NewDecoder(bytes.NewReader(data)).Decode(&object) != nil || object == nil {"},
	{parsing, "JSON deeper than 32", objectFile, "if n > maxDepth && deep(data) {", "if n > 1<<20 && deep(data) {"},
	{parsing, "JSON of depth 33", objectFile, "if n > maxDepth && deep(data) {", "if n > maxDepth+1 && deep(data) {"},
	{parsing, "JSON a level deeper", objectFile, `openers = bytes.Repeat(bracket, scannerDepth-maxDepth)`, `openers = bytes.Repeat(bracket, scannerDepth-maxDepth-1)`},
	{parsing, "duplicates further down", objectFile, "countStrings(again) != countStrings(data)", "len(again) == 0"},
	{parsing, "escaped quotes that make up for a duplicate", objectFile, `(bytes.Count(data, quoteMark) - bytes.Count(data, escapedQuote)) / 2`, `bytes.Count(data, quoteMark) / 2`},
	{parsing, "a backslash that is escaped and does not escape", objectFile, "\t\tdata = bytes.ReplaceAll(data, escapedBackslash, nil)\n", ""},
	{parsing, "a limit of encoding/json that is not there", objectFile, "if !measurable {", "if measurable {"},
	{parsing, "duplicates in the header", tokenFile, "\tif t.newHeader != \"\" {\n\t\tif err := unique", "\tif t.newHeader == \"\" {\n\t\tif err := unique"},
	{parsing, "a list of audiences without end", claimsFile, "if !ok || len(list) > maxList {", "if !ok {"},
	{parsing, "an error that quotes all that was sent", objectFile, "if len(s) > most {", "if len(s) > 1<<20 {"},
}

var bodyMutants = []mutant{
	{parsing, "a document over 1 MiB, or endless", "internal/oidc/fetch.go", "if len(body) > maxBody {", "if len(body) > 2*maxBody {"},
	{parsing, "a document with another status", "internal/oidc/fetch.go", "if resp.StatusCode != http.StatusOK {", "if resp.StatusCode == 0 {"},
	{parsing, "a document that never comes", "internal/oidc/document.go",
		"context.WithTimeout(context.Background(), d.timeout)", "context.WithTimeout(context.Background(), time.Hour)"},
	{parsing, "a fetch that panics", "internal/oidc/document.go", "if r := recover(); r != nil {", "if r := error(nil); r != nil {"},
	{parsing, "a provider that takes for ever", "internal/oidc/fetch.go", "\t\tTimeout: timeout,\n", ""},
	{parsing, "old TLS", "internal/oidc/fetch.go", ", MinVersion: tls.VersionTLS12}", "}"},
	{parsing, "a redirect to somewhere else", "internal/oidc/fetch.go", "\t\t\treturn http.ErrUseLastResponse\n", "\t\t\treturn nil\n"},
	{parsing, "a token response over 1 MiB, or endless", "internal/oauth2/client.go", "if len(body) > maxBody {", "if len(body) > 2*maxBody {"},
	{parsing, "a token response that is not one JSON object", "internal/oauth2/client.go",
		"parsed := json.Unmarshal(body, &object) == nil && object != nil", "parsed := json.Unmarshal(body, &object) == nil || object == nil"},
	{parsing, "an error code with anything in it", "internal/oauth2/client.go", "if !errorCode.MatchString(code) {", "if code == \"\" {"},
	{parsing, "a token of a kind we do not know", "internal/oauth2/token.go", `if !strings.EqualFold(t.TokenType, "Bearer") {`, `if strings.EqualFold(t.TokenType, "-") {`},
	{parsing, "a token response without a token", "internal/oauth2/token.go", `if t.AccessToken == "" {`, `if t.AccessToken == "-" {`},
	{parsing, "expires_in that is huge or NaN", "internal/oauth2/token.go", "\tif n > maxExpiresIn {\n\t\treturn maxExpiresIn\n\t}\n", ""},
	{parsing, "an empty client secret", "internal/oauth2/client.go", "\tif secret == \"\" {\n", "\tif secret == \"-\" {\n"},
}
