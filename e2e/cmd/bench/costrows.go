package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// costRow is a request that anybody can send, without a credential that is good for anything.
type costRow struct {
	input   string
	goal    float64 // ms interpreted
	status  int     // of the answer
	request func(n int) *http.Request
}

func ask(path string, change func(http.Header)) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", "application/json")
	if change != nil {
		change(r.Header)
	}
	return r
}

func openPage(path string, change func(http.Header)) *http.Request {
	r := ask(path, change)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	return r
}

func post(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// forged is a token that nobody has signed; no two are the same, so that none is known to be bad.
func forged(header, claims string, signature int) string {
	bytes := make([]byte, signature)
	_, _ = rand.Read(bytes)
	return encoded(header) + "." + encoded(claims) + "." + base64.RawURLEncoding.EncodeToString(bytes)
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func bearerOf(path string, token func(n int) string) func(n int) *http.Request {
	return func(n int) *http.Request {
		return ask(path, func(h http.Header) { h.Set("Authorization", "Bearer "+token(n)) })
	}
}

// many is the header with n fields more, of names that nobody knows.
func many(n int, name string) func(http.Header) {
	return func(h http.Header) {
		for i := range n {
			h[name+strconv.Itoa(i)] = []string{"1"}
		}
	}
}

func cookies(n int, others string) func(http.Header) {
	pairs := make([]string, n)
	for i := range pairs {
		pairs[i] = "c" + strconv.Itoa(i)[:1] + "=" + strconv.Itoa(i%10)
	}
	return func(h http.Header) { h.Set("Cookie", others+strings.Join(pairs, ";")) }
}

const forgedHeader = `{"alg":"RS256","kid":"k1","typ":"at+jwt"}`

// costRows are those of attacks.md, and what else reads what anybody sends. In claims, %s is the issuer and %d the request.
func costRows(issuer string) []costRow {
	const protected, public = "/app", "/public/x"
	claims := func(extra string) func(n int) string {
		return func(n int) string {
			return fmt.Sprintf(`{"iss":%q,"sub":"u%d","exp":4102444800,%s}`, issuer, n, extra)
		}
	}
	token := func(extra string) func(n int) string {
		return func(n int) string { return forged(forgedHeader, claims(extra)(n), 20) }
	}
	chunks := ""
	for range 2 {
		for i := range 8 {
			chunks += "__Host-latchkey" + map[bool]string{true: "-" + strconv.Itoa(i)}[i > 0] + "=8x;"
		}
	}
	return []costRow{
		{"anonymous", 0.1, 401, func(int) *http.Request { return ask(protected, nil) }},
		{"anonymous, public", 0.1, 200, func(int) *http.Request { return ask(public, nil) }},
		{"a login begins", 5, 302, func(int) *http.Request { return openPage(protected, nil) }},
		{"bearer, ordinary and bad", 0.3, 401, bearerOf(protected, func(n int) string {
			return forged(`{"alg":"RS256","kid":"k1"}`, fmt.Sprintf(`{"iss":"https://a.test","sub":"u%d"}`, n), 20)
		})},
		{"bearer, of the issuer, forged", 5, 401, bearerOf(protected, func(n int) string {
			return forged(forgedHeader, claims(`"aud":"`+audience+`"`)(n), 256)
		})},
		{"bearer, no JWT", 0.3, 401, bearerOf(protected, func(n int) string { return rand.Text() })},
		{"bearer, 16 KiB of no JWT", 1, 401, bearerOf(protected, func(n int) string { return strings.Repeat("a", 16<<10) + rand.Text() })},
		{"bearer, an unknown kid", 5, 503, bearerOf(protected, func(n int) string {
			return forged(`{"alg":"RS256","kid":"`+rand.Text()+`","typ":"at+jwt"}`, claims(`"aud":"`+audience+`"`)(n), 256)
		})},
		{"bearer, lists 5,900 deep", 1, 401, bearerOf(protected, token(`"a":`+strings.Repeat("[", 5900)+strings.Repeat("]", 5900)))},
		{"bearer, objects 1,900 deep", 1, 401, bearerOf(protected, token(`"a":`+strings.Repeat(`{"a":`, 1900)+"1"+strings.Repeat("}", 1900)))},
		{"bearer, a header 1,900 deep", 1, 401, bearerOf(protected, func(n int) string {
			return forged(`{"alg":"RS256","kid":"k1","a":`+strings.Repeat(`{"a":`, 1900)+"1"+strings.Repeat("}", 1900)+"}", claims(`"a":1`)(n), 20)
		})},
		{"bearer, brackets by the thousand", 1, 401, bearerOf(protected, token(`"a":[`+strings.Repeat("[],", 3900)+"1]"))},
		{"bearer, aud of 3,900 texts", 5, 401, bearerOf(protected, token(`"aud":[`+strings.Repeat(`"",`, 3900)+`""]`))},
		{"bearer, aud of 256 texts", 5, 401, bearerOf(protected, token(`"aud":[`+strings.Repeat(`"a",`, 255)+`""]`))},
		{"bearer, 2,400 escaped texts", 5, 401, bearerOf(protected, token(`"a":[`+strings.Repeat(`"\"",`, 2350)+`""]`))},
		{"bearer, 1,100 members", 5, 401, bearerOf(protected, func(n int) string {
			members := make([]string, 1100)
			for i := range members {
				members[i] = fmt.Sprintf(`"%d":%d`, i, n)
			}
			return forged(forgedHeader, "{"+strings.Join(members, ",")+"}", 20)
		})},
		{"bearer, sub of 12,000 letters", 1, 401, bearerOf(protected, token(`"aud":"a","sub":"`+strings.Repeat("x", 12000)+`"`))},
		{"bearer, an API token's look", 5, 401, bearerOf(protected, func(n int) string { return "lk_" + strings.ToLower(rand.Text()) })},
		{"110,000 header names, public", 5, 0, func(int) *http.Request { return ask(public, many(110_000, "X-A")) }},
		{"8,000 header names", 5, 0, func(int) *http.Request { return ask(protected, many(8000, "X-A")) }},
		{"8,000 header names, public", 5, 0, func(int) *http.Request { return ask(public, many(8000, "X-A")) }},
		{"1,000 names, all new, public", 5, 0, func(n int) *http.Request { return ask(public, many(1000, "X-A"+strconv.Itoa(n))) }},
		{"1,000 names, public", 5, 0, func(int) *http.Request { return ask(public, many(1000, "X-A")) }},
		{"24,000 lines of X-API-Key", 1, 0, func(int) *http.Request {
			return ask(protected, func(h http.Header) { h["X-Api-Key"] = make([]string, 24_000) })
		}},
		{"24,000 lines of Connection", 5, 0, func(int) *http.Request {
			return ask(public, func(h http.Header) { h["Connection"] = strings.Split(strings.Repeat("a,", 24_000), ",") })
		}},
		{"24,000 lines of Cookie", 5, 0, func(int) *http.Request {
			return ask(protected, func(h http.Header) { h["Cookie"] = strings.Split(strings.Repeat("a=b,", 24_000), ",") })
		}},
		{"24,000 lines of Accept", 5, 0, func(int) *http.Request {
			return ask(protected, func(h http.Header) { h["Accept"] = make([]string, 24_000) })
		}},
		{"2,990 cookies, a login begins", 5, 0, func(int) *http.Request { return openPage(protected, cookies(2990, "")) }},
		{"8 chunks twice among 2,980 cookies", 5, 0, func(int) *http.Request { return openPage(protected, cookies(2980, chunks)) }},
		{"a garbage cookie", 5, 302, func(int) *http.Request {
			return openPage(protected, func(h http.Header) { h.Set("Cookie", "__Host-latchkey="+strings.Repeat("1"+rand.Text(), 100)) })
		}},
		{"a garbage cookie, of a script", 5, 401, func(int) *http.Request {
			return ask(protected, func(h http.Header) { h.Set("Cookie", "__Host-latchkey="+strings.Repeat("1"+rand.Text(), 100)) })
		}},
		{"a path of 60,000 letters", 5, 0, func(int) *http.Request { return openPage("/"+strings.Repeat("a/", 30_000), nil) }},
		{"a path of 20,000 escapes", 5, 0, func(int) *http.Request { return openPage("/"+strings.Repeat("%61", 20_000), nil) }},
		{"callback of 20,000 parameters", 5, 400, func(int) *http.Request {
			return ask("/oauth2/callback?"+strings.Repeat("a=1&", 20_000), nil)
		}},
		{"callback of an unknown state", 5, 400, func(n int) *http.Request {
			return ask("/oauth2/callback?code=x&state="+strings.Repeat("a", 12_000)+strconv.Itoa(n), nil)
		}},
		{"login with a target of 60,000 letters", 5, 0, func(int) *http.Request {
			return openPage("/oauth2/login?return_to=/"+strings.Repeat("%252e", 12_000), nil)
		}},
		{"logout with a made-up state", 5, 200, func(int) *http.Request { return openPage("/oauth2/logout?state="+strings.Repeat("a", 16_000), nil) }},
		{"back-channel logout, objects 1,900 deep", 5, 400, func(n int) *http.Request {
			return post("/oauth2/backchannel-logout", "logout_token="+forged(`{"alg":"RS256","kid":"k1"}`, claims(`"a":`+strings.Repeat(`{"a":`, 1900)+"1"+strings.Repeat("}", 1900))(n), 20))
		}},
		{"back-channel logout, ordinary and bad", 5, 400, func(n int) *http.Request {
			return post("/oauth2/backchannel-logout", "logout_token="+forged(`{"alg":"RS256","kid":"k1"}`, claims(`"aud":"costs"`)(n), 256))
		}},
		{"back-channel logout, a form of 16,000", 5, 400, func(int) *http.Request {
			return post("/oauth2/backchannel-logout", strings.Repeat("a=1&", 16_000))
		}},
		{"front-channel logout, 10,000 parameters", 5, 400, func(int) *http.Request {
			return ask("/oauth2/frontchannel-logout?"+strings.Repeat("sid=1&", 10_000), nil)
		}},
		{"API, 60,000 deep", 5, 401, func(int) *http.Request {
			r := post("/oauth2/api/tokens", strings.Repeat("[", 60_000))
			r.Header.Set("Content-Type", "application/json")
			return r
		}},
		{"API, a path of 20,000 parts", 5, 401, func(int) *http.Request { return ask("/oauth2/api/"+strings.Repeat("a/", 20_000), nil) }},
		{"an unknown endpoint", 5, 404, func(int) *http.Request { return ask("/oauth2/nothing", nil) }},
	}
}
