package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// delegatedHeader is where a service finds its token for the next one.
const delegatedHeader = "X-Auth-Request-Token"

// hop is a request as the app behind a router got it.
type hop struct {
	harness.Seen
	token string // for the next service; "": none
}

func (f *fleet) hop(a answer) hop {
	f.t.Helper()
	if a.status != http.StatusOK {
		f.t.Fatalf("status %d, want 200\n%s", a.status, a.body)
	}
	seen := a.seen(f.t)
	if values := seen.Header[delegatedHeader]; len(values) > 1 {
		f.t.Errorf("%s: %d tokens reached the app", seen.Path, len(values))
	}
	return hop{seen, seen.Header.Get(delegatedHeader)}
}

// browse sends what a script of a page sends in the person's browser.
func (f *fleet) browse(replica int, p *person, path string) hop {
	f.t.Helper()
	return f.hop(f.get(p.client, f.Traefiks[replica].URL+path, "Accept", "application/json", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"))
}

// relay sends what a service sends to the next one.
func (f *fleet) relay(replica int, path, token string) hop {
	f.t.Helper()
	a, err := f.send(f.t.Context(), replica, http.MethodGet, path, "", "Authorization", "Bearer "+token)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.hop(a)
}

// opens is the status of the answer to a token, 0 when there was none.
func (f *fleet) opens(replica int, path, token string) int {
	a, err := f.send(f.t.Context(), replica, http.MethodGet, path, "", "Authorization", "Bearer "+token)
	if err != nil {
		return 0
	}
	return a.status
}

// chain is a session and what was made from it: a token for the query service, and by way of that one for storage.
type chain struct {
	*person
	query, storage string
}

func (f *fleet) chain(p *person) chain {
	f.t.Helper()
	c := chain{person: p}
	c.query = f.browse(0, p, "/portal/chain").token
	c.storage = f.relay(1, "/query/chain", c.query).token
	return c
}

// links are the requests that the chain's parts are for, each with what every replica answers to it.
func (f *fleet) links(c chain) map[string]func(replica int) int {
	return map[string]func(replica int) int{
		"the session":               func(replica int) int { return f.status(replica, c.cookie) },
		"the query service's token": func(replica int) int { return f.opens(replica, "/query/link", c.query) },
		"the token for storage":     func(replica int) int { return f.opens(replica, "/storage/link", c.storage) },
	}
}

// holds checks what every replica answers to all of the chain.
func (f *fleet) holds(c chain, want int, when string) {
	f.t.Helper()
	for what, status := range f.links(c) {
		for i := range f.Traefiks {
			if got := status(i); got != want {
				f.t.Errorf("%s of %s at replica %d, %s: status %d, want %d", what, c.user, i, when, got, want)
			}
		}
	}
}

// expected are the headers that an app may get of these requests.
var expected = regexp.MustCompile(`^(Accept(-Encoding)?|User-Agent|Sec-Fetch-(Site|Mode)|X-Forwarded-\w+|X-Real-Ip|X-Auth-Request-(User|Email|Groups|Token))$`)

// jws is what looks like a JWT in the compact form.
var jws = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*`)

// keepsToItself checks that the app got its token for the next service, the credential that was for itself, and no
// other: neither a cookie, nor a session, nor any token besides.
func (f *fleet) keepsToItself(h hop, p *person, own ...string) {
	f.t.Helper()
	_, id, _ := strings.Cut(p.cookie, "=")
	for name, values := range h.Header {
		if name == "Authorization" && len(own) == 1 && slices.Equal(values, []string{"Bearer " + own[0]}) {
			continue
		}
		text := strings.Join(values, " ")
		if !expected.MatchString(name) || strings.Contains(text, id) {
			f.t.Errorf("%s: header %s reached the app with %d bytes", h.Path, name, len(text))
		}
		if found := jws.FindAllString(text, -1); name != delegatedHeader && len(found) > 0 {
			f.t.Errorf("%s: %d tokens reached the app in %s", h.Path, len(found), name)
		}
	}
}

// ownKeys has golang-jwt look for a token's key among those that Latchkey tells, which are the same at every replica.
func (f *fleet) ownKeys() jwt.Keyfunc {
	f.t.Helper()
	var set jose.JSONWebKeySet
	told := ""
	for i, traefik := range f.Traefiks {
		a := f.get(crowd, traefik.URL+"/oauth2/jwks")
		if a.status != http.StatusOK || told != "" && a.body != told {
			f.t.Fatalf("keys of replica %d: status %d\n%s\nand of the one before\n%s", i, a.status, a.body, told)
		}
		told = a.body
	}
	if err := json.Unmarshal([]byte(told), &set); err != nil || len(set.Keys) == 0 {
		f.t.Fatalf("read keys: %v\n%s", err, told)
	}
	for _, key := range set.Keys {
		public, ok := key.Key.(*ecdsa.PublicKey)
		if !ok || public.Curve != elliptic.P256() || !key.Valid() || key.Algorithm != "ES256" || key.Use != "sig" {
			f.t.Errorf("key %q is no public one of P-256, for ES256", key.KeyID)
		}
	}
	return func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		keys := set.Key(kid)
		if len(keys) != 1 {
			return nil, fmt.Errorf("%d keys are called %q", len(keys), kid)
		}
		return keys[0].Key, nil
	}
}

// verified is what a token says, once golang-jwt finds that it is good for a service.
func (f *fleet) verified(token, service string) jwt.MapClaims {
	f.t.Helper()
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, f.ownKeys(), jwt.WithValidMethods([]string{"ES256"}),
		jwt.WithIssuer(delegationIssuer), jwt.WithAudience(service), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil {
		f.t.Fatalf("the token for %s: %v\n%s", service, err, token)
	}
	if parsed.Header["typ"] != "at+jwt" || claims["aud"] != service {
		f.t.Errorf("the token for %s is of type %v and for %v, want at+jwt and %s alone", service, parsed.Header["typ"], claims["aud"], service)
	}
	return claims
}

func seconds(claims jwt.MapClaims, name string) time.Time {
	n, _ := claims[name].(float64)
	return time.Unix(int64(n), 0)
}
