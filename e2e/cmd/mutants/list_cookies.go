package main

const (
	sessionCookieFile = "session_cookie.go"
	chunksFile        = "internal/seal/chunks.go"
	sealFile          = "internal/seal/seal.go"
)

var cookieMutants = []mutant{
	{cookies, "tossing: two of one name", sessionCookieFile, " && l.countCookies(r, name) != 1 {", " && l.countCookies(r, name) > 99 {"},
	{cookies, "tossing: two of one name, of which one has a space", sessionCookieFile, `";"), name) > 1`, `";"), name+"=") > 1`},
	{cookies, "cookies without end", sessionCookieFile, "if r.Header[\"Cookie\"] == nil || !l.readable(r) {\n\t\treturn \"\"\n", "if r.Header[\"Cookie\"] == nil {\n\t\treturn \"\"\n"},
	{cookies, "flows without end in one answer", "flow.go", " && n < maxExpired;", ";"},
	{cookies, "cookies without end, for flows", sessionCookieFile, "\tif r.Header[\"Cookie\"] == nil || !l.readable(r) {\n\t\treturn nil\n", "\tif r.Header[\"Cookie\"] == nil {\n\t\treturn nil\n"},
	{cookies, "cookies without end, for the app", "forward.go", "if mentions > maxMentions {", "if mentions > 1<<30 {"},
	{cookies, "ours with a space goes to the app", "forward.go", `strings.TrimRight(name, " \t\r\n")`, `name`},
	{cookies, "a session that inflates", "session_record.go", "\tif len(plain) > maxRecord {\n", "\tif len(plain) < 0 {\n"},
	{cookies, "an old cookie after its end, from the cache", "session.go", "if l.sessions == nil && v.until > cookieEnds {", "if l.sessions == nil && v.until < 0 {"},
	{cookies, "an empty Authorization", "authenticate.go", `r.Header["Authorization"]; len(authorization) > 0 {`, `r.Header["Authorization"]; authorization != nil {`},
	{cookies, "a script reads the cookie", "settings_login.go", ", HttpOnly: true,", ","},
	{cookies, "another host sets the cookie", "settings_login.go", "\t\treturn \"__Host-\"\n", "\t\treturn \"\"\n"},
	{cookies, "the prefix where browsers refuse it", "settings_login.go", `if c.Secure && c.Domain == "" && c.Path == "/" {`, `if c.Domain == "" {`},
	{cookies, "sameSite none without secure, in the settings", "settings_login.go", `if cookie.SameSite == "none" && !cookie.Secure {`, `if cookie.SameSite == "" {`},
	{cookies, "a cookie that no browser takes, in the settings", "settings_login.go",
		"; err != nil {\n\t\tm.add(\"session.cookie\", \"%v\", err)", "; err != nil && cookie.Name == \"\" {\n\t\tm.add(\"session.cookie\", \"%v\", err)"},
	{cookies, "a prefix that browsers refuse, in the settings", "settings_login.go", ` && prefix == "" && cookie.Secure:`, `:`},
	{cookies, "another prefix, in the settings", "settings_login.go", `	case strings.HasPrefix(cookie.Name, "__"):`, `	case strings.HasPrefix(cookie.Name, "__Host"):`},
	{cookies, "a session over 30 KiB", sessionCookieFile, "\t\treturn nil, fmt.Errorf(\"%w: %v\", errTooLarge, err)\n", "\t\tchunks = []string{sealed}\n"},
	{cookies, "superfluous chunks stay", sessionCookieFile, "\tl.expireChunks(w, r, len(chunks))\n", ""},
	{cookies, "the cookies stay after logout", "logout.go", "\tl.expireChunks(w, r, 0)\n\tif err != nil ||", "\tif err != nil ||"},
}

var sealMutants = []mutant{
	{cookies, "a chunk count of a million", chunksFile, " || first[0] > '0'+MaxChunks {", " {"},
	{cookies, "a first chunk that no browser keeps", chunksFile, "len(first) > chunkSize || ", ""},
	{cookies, "no chunk count", chunksFile, "first[0] < '1' || ", ""},
	{cookies, "truncated: a chunk is missing", chunksFile, "if !ok || len(chunk) > chunkSize {", "if ok && len(chunk) > chunkSize {"},
	{cookies, "a chunk that no browser keeps", chunksFile, "if !ok || len(chunk) > chunkSize {", "if !ok {"},
	{cookies, "more cookies than a text may take", chunksFile, "\tif len(text) > maxText {\n", "\tif len(text) > 9*maxText {\n"},
	{cookies, "a chunk over 4 KiB", chunksFile, "chunkSize = 3800", "chunkSize = 4400"},
	{cookies, "another purpose or middleware", sealFile, "sealed[prefix:], []byte(context))", "sealed[prefix:], nil)"},
	{cookies, "swapped or changed text", sealFile, "sealed[prefix:], []byte(context))\n\tif err != nil {\n", "sealed[prefix:], []byte(context))\n\tif err != nil && len(plain) > 0 {\n"},
	{cookies, "swapped or changed text of version 1", sealFile, "sealed[begins:], []byte(context))\n\tif err != nil {\n", "sealed[begins:], []byte(context))\n\tif err != nil && len(plain) > 0 {\n"},
	{cookies, "version 1 for another purpose", sealFile, "sealed[begins:], []byte(context))", "sealed[begins:], []byte(\"session\"))"},
	{cookies, "one key for all texts", sealFile, "\tmac.Write(salt)\n", ""},
	{cookies, "one key for all purposes", sealFile, "\tmac.Write([]byte(context))\n", ""},
	{cookies, "a text too short, of version 1", sealFile, "\tif len(sealed) < begins+tagSize {\n", "\tif len(sealed) < 0 {\n"},
	{cookies, "a text of an unknown key reads as a forged one", sealFile, "\tk := r.named(sealed)\n\tif k == nil {\n\t\treturn nil, ErrUnknownKey\n\t}\n\tif len(sealed) < prefix", "\tk := r.named(sealed)\n\tif k == nil {\n\t\treturn nil, ErrOpen\n\t}\n\tif len(sealed) < prefix"},
	{cookies, "a text of another version reads as a forged one", sealFile, "return nil, ErrVersion", "return nil, ErrOpen"},
	{cookies, "what a passing secret sealed is sealed anew", sealFile, "k != nil && k.lasts && k.id", "k != nil && k.id"},
	{cookies, "what the first key sealed is sealed anew", sealFile, " && k.id != r.keys[0].id", ""},
	{cookies, "version 1 is never sealed anew", sealFile, "(begin[0] != version && begin[0] != firstOne)", "begin[0] != version"},
	{cookies, "a text too short", sealFile, "\tif len(sealed) < prefix+tagSize {\n", "\tif len(sealed) < 0 {\n"},
	{cookies, "a text without a head", sealFile, "len(sealed) < head || ", ""},
	{cookies, "a second spelling", sealFile, "base64.RawURLEncoding.Strict().DecodeString(text)", "base64.RawURLEncoding.DecodeString(text)"},
	{cookies, "a spelling with line ends", sealFile, ` || strings.ContainsAny(text, "\r\n") {`, ` || strings.ContainsAny(text, "\t") {`},
	{cookies, "another version", sealFile, "\tif sealed[0] != firstOne {\n", "\tif sealed[0] == 0 {\n"},
	{cookies, "a nonce that comes again", sealFile, "rand.Read(sealed[head:prefix])", "rand.Read(nil)"},
	{cookies, "two lists of parts that read alike", sealFile, `joined += strconv.Itoa(len(part)) + ":" + part`, `joined += strconv.Itoa(len(parts)) + ":" + part`},
	{cookies, "an old key seals", sealFile, "\tfirst := r.keys[0]\n", "\tfirst := r.keys[len(r.keys)-1]\n"},
	{cookies, "keys of the secret itself", sealFile, `gcm(derive(secret, "seal key"))`, `gcm(derive(secret, "seal key id"))`},
	{cookies, "a key of keys that the key id shows", sealFile, `derive(secret, "seal key of keys")`, `derive(secret, "seal key id")`},
	{cookies, "a short secret", "secret_usable.go", "\t\tif len(value) < minSecret {\n", "\t\tif len(value) == 0 {\n"},
	{cookies, "no secret, in the settings", "settings.go", "\tif len(sources) == 0 {\n", "\tif len(sources) < 0 {\n"},
	{cookies, "an empty file for a secret", "secret.go", "\tif value == \"\" {\n\t\treturn fmt.Errorf(\"read secret: the file", "\tif value == \"-\" {\n\t\treturn fmt.Errorf(\"read secret: the file"},
}

var sessionMutants = []mutant{
	{cookies, "a session of another cookie", sessionCookieFile, `seal.Context("session", l.set.cookie.Name, l.set.issuer, l.set.clientID)`, `seal.Context("session", l.set.issuer, l.set.clientID)`},
	{cookies, "a session of another provider", sessionCookieFile, `seal.Context("session", l.set.cookie.Name, l.set.issuer, l.set.clientID)`, `seal.Context("session", l.set.cookie.Name, l.set.clientID)`},
	{cookies, "a session of another client", sessionCookieFile, `seal.Context("session", l.set.cookie.Name, l.set.issuer, l.set.clientID)`, `seal.Context("session", l.set.cookie.Name, l.set.issuer)`},
	{cookies, "a session after its end", "session.go", "\tif l.now().Unix() >= s.ends(l.set) {\n\t\treturn nil, errExpired\n\t}\n", ""},
	{cookies, "a session without its lifetime's end", "session.go", "return s.Born/1000 + int64(set.lifetime/time.Second)", "return s.seen() + int64(set.lifetime/time.Second)"},
	{cookies, "an idle session", "session.go", "idle > 0 && s.seen()+idle < end {", "idle < 0 {"},
	{cookies, "an access token after its end", "session.go", "if s.AccessEnds != 0 && now >= s.AccessEnds {", "if s.AccessEnds != 0 && now < 0 {"},
	{cookies, "an access token after its end, from the cache", "session.go", "if s.AccessEnds > now && s.AccessEnds < until {", "if s.AccessEnds > now && until < 0 {"},
	{cookies, "garbage is an error", sessionCookieFile, "\t\treturn nil, errNoCredential\n\t}\n\ts, err := decodeSession(plain)", "\t\treturn nil, err\n\t}\n\ts, err := decodeSession(plain)"},
	{cookies, "the old key no longer opens", "keyring.go", "\t\tvalues = append(values, s.get())\n", "\t\tvalues = []string{s.get()}\n"},
}
