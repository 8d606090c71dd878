package main

const (
	claimsFile = "internal/oidc/claims.go"
	accessFile = "internal/oidc/accesstoken.go"
	idFile     = "internal/oidc/idtoken.go"
)

var registeredMutants = []mutant{
	{claims, "iss in a list", claimsFile,
		`if iss, ok := claims["iss"].(string); !ok || iss != p.issuer {`, `if iss, ok := claims["iss"].(string); ok && iss != p.issuer {`},
	{claims, "iss differs by a slash", claimsFile,
		"; !ok || iss != p.issuer {", `; !ok || iss != p.issuer && iss != p.issuer+"/" {`},
	{claims, "a sub that is no string", claimsFile, `if !ok || sub == "" ||`, `if ok && sub == "" ||`},
	{claims, "an empty sub", claimsFile, `if !ok || sub == "" ||`, `if !ok ||`},
	{claims, "a sub over 255 bytes", claimsFile, "|| len(sub) > maxSubject ", ""},
	{claims, "CR, LF, NUL in sub", claimsFile, " || controls.MatchString(sub) {", " {"},
	{claims, "two subjects of broken Unicode", claimsFile, `[\p{Cc}\x{FFFD}]`, `[\p{Cc}]`},
	{claims, "exp missing", claimsFile, "if !present || exp <= early {", "if present && exp <= early {"},
	{claims, "exp past", claimsFile, "if !present || exp <= early {", "if !present || exp < 0 {"},
	{claims, "skew over 60 s", claimsFile, "leeway     = 60 * time.Second", "leeway     = 61 * time.Second"},
	{claims, "nbf in the future", claimsFile, `{"nbf", "iat"}`, `{"iat"}`},
	{claims, "iat in the future", claimsFile, `{"nbf", "iat"}`, `{"nbf"}`},
	{claims, "a time that is a string, null or a list", claimsFile, "if !ok || s < 0 || s > maxSeconds {", "if ok && (s < 0 || s > maxSeconds) {"},
	{claims, "a negative time", claimsFile, "if !ok || s < 0 || s > maxSeconds {", "if !ok || s > maxSeconds {"},
	{claims, "a huge time", claimsFile, "if !ok || s < 0 || s > maxSeconds {", "if !ok || s < 0 {"},
	{claims, "aud with a number or null in it", claimsFile, "if len(out) != len(list) {", "if len(list) < 0 {"},
	{claims, "aud that is neither string nor list", claimsFile, "if !ok || len(list) > maxList {", "if len(list) > maxList {"},
	{claims, "an e-mail that is not verified", "authenticate.go",
		`if !present || verified == true || verified == "true" {`, `if !present || verified != nil {`},
	{claims, "an e-mail in an access token that is not verified", "authenticate.go",
		"\tclaims = trustedEmail(claims)\n", ""},
	{claims, "an e-mail in a session that is not verified", "session.go",
		"Claims: trustedEmail(claims),", "Claims: claims,"},
	{claims, "an e-mail in a session's ID token that is not verified", "session.go",
		"IDToken: trustedEmail(idToken)}", "IDToken: idToken}"},
	{claims, "an e-mail in a session's access token that is not verified", "session.go",
		"who.AccessToken = trustedEmail(access)", "who.AccessToken = access"},
	{claims, "userinfo over the ID token's claims", "session.go",
		"\t\tfor name, value := range idToken {\n\t\t\tclaims[name] = value\n", "\t\tfor name, value := range idToken {\n\t\t\tif claims[name] == nil {\n\t\t\t\tclaims[name] = value\n\t\t\t}\n"},
}

var kindMutants = []mutant{
	{claims, "aud missing, another's, a substring", accessFile, `if a != "" && contains(wanted, a) {`, `if a != "" {`},
	{claims, "an empty aud", accessFile, `if a != "" && contains(wanted, a) {`, `if contains(wanted, a) {`},
	{claims, "a typ that is not an access token's", accessFile, "if !containsType(types, typ) {", "if len(types) == 0 {"},
	{claims, "the types of the settings", "authenticate.go", "Types: i.types, ", ""},
	{claims, "marks of another kind of token", accessFile, "if err := checkMarks(t.claims); err != nil {", "if err := error(nil); err != nil {"},
	{claims, "at_hash in an access token", accessFile, `{"at_hash", "c_hash",`, `{"c_hash",`},
	{claims, "c_hash in an access token", accessFile, `{"at_hash", "c_hash",`, `{"at_hash",`},
	{claims, "s_hash in an access token", accessFile, `"s_hash", "nonce", "events"}`, `"nonce", "events"}`},
	{claims, "nonce in an access token", accessFile, `"s_hash", "nonce", "events"}`, `"s_hash", "events"}`},
	{claims, "events in an access token", accessFile, `"s_hash", "nonce", "events"}`, `"s_hash", "nonce"}`},
	{claims, "token_use of another kind", accessFile, `present && v != "access" {`, `present && v == nil {`},
	{claims, "a typ claim of another kind", accessFile, `present && !strings.EqualFold(stringOf(v), "Bearer") {`, `present && strings.EqualFold(stringOf(v), "-") {`},
	{claims, "an ID token as access token", accessFile, "if contains(aud, want.ClientID) && !markedAccess(t.claims) {", "if contains(aud, want.ClientID) && t.claims == nil {"},
	{claims, "an ID token as access token, by the settings", "authenticate.go", ", ClientID: l.set.clientID}", "}"},
	{claims, "client_id alone is no mark", accessFile, `return claims["client_id"] != nil && claims["jti"] != nil`, `return claims["client_id"] != nil`},
	{claims, "jti alone is no mark", accessFile, `return claims["client_id"] != nil && claims["jti"] != nil`, `return claims["jti"] != nil`},
	{claims, "bearer tokens without an audience, in the settings", "settings_login.go",
		`if len(audiences) == 0 || contains(audiences, "") {`, `if contains(audiences, "") {`},
	{claims, "an empty audience, in the settings", "settings_login.go",
		`if len(audiences) == 0 || contains(audiences, "") {`, `if len(audiences) == 0 {`},
}

var idTokenMutants = []mutant{
	{claims, "an access or logout token as ID token", idFile, `if typ != "" && typ != "jwt" {`, `if typ == "-" {`},
	{claims, "a logout token without typ as ID token", idFile, `if events, present := t.claims["events"]; present {`, `if events, present := t.claims["events"]; present && events == nil {`},
	{claims, "another client's ID token", idFile, `if clientID == "" || !contains(aud, clientID) {`, `if clientID == "" {`},
	{claims, "an empty client", idFile, `if clientID == "" || !contains(aud, clientID) {`, `if !contains(aud, clientID) {`},
	{claims, "several audiences without azp", idFile, "if !present && len(aud) == 1 {", "if !present {"},
	{claims, "azp of another", idFile, "if s, ok := azp.(string); !ok || s != clientID {", "if s, ok := azp.(string); !ok || s == \"\" {"},
	{claims, "azp that is a list", idFile, "if s, ok := azp.(string); !ok || s != clientID {", "if s, ok := azp.(string); ok && s != clientID {"},
	{claims, "another nonce", idFile, "if subtle.ConstantTimeCompare([]byte(nonce), []byte(want)) != 1 {", "if nonce == \"-\" {"},
	{claims, "at_hash wrong", idFile, "if err = t.checkHash(\"at_hash\", \"the access token\", want.AccessToken); err != nil {", "if err != nil {"},
	{claims, "c_hash wrong", idFile, "if err = t.checkHash(\"c_hash\", \"the code\", want.Code); err != nil {", "if err != nil {"},
	{claims, "at_hash by another hash", idFile, "h := algorithms[t.alg].hash.New()", "h := algorithms[\"RS256\"].hash.New()"},
	{claims, "the registered claims of an ID token", idFile, "if err = p.checkRegistered(t.claims); err != nil {", "if err != nil {"},
	{claims, "the registered claims of an access token", accessFile, "if err = p.checkRegistered(t.claims); err != nil {", "if err != nil {"},
}
