package latchkey

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/traefik/paerser/types"

	"github.com/latchkey-auth/latchkey/internal/claims"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// settings are a Config that was found valid, in the form the flows use.
type settings struct {
	issuer, discoveryURL string
	clientID             string
	clientSecret         *secret // nil: a public client
	clientAuth           string
	scopes               string
	authParams           map[string]string
	asked                asked
	userInfo             bool
	caCert               string // PEM
	timeout              time.Duration

	keys *keyring
	// secretSources are where the secrets are, and secretLabel stands for those that
	// were there when these settings were checked.
	secretSources, secretLabel string

	basePath    string
	redirectURL *url.URL // nil: the request's own
	publicPaths map[string]bool
	publicTrees []string
	unprotected *regexp.Regexp // paths that begin like an endpoint or a public one

	publicWebSockets bool

	unauthenticated       string
	lifetime, idleTimeout time.Duration
	bearerLifetime        time.Duration // of access tokens, at most
	cookie                http.Cookie   // name and attributes, without a value

	store      string // cookie, memory or redis
	maxPerUser int    // 0: no limit
	endOthers  bool   // at login
	refresh    refreshSettings
	redis      *redisSettings

	issuers   []issuer          // of bearer tokens; none: not accepted
	apiTokens *apiTokenSettings // nil: not accepted
	admin     claims.Rule       // nil: nobody
	manage    string            // the scope with which an access token manages what a session does; "": none does
	audiences []string          // bearer.audiences: of our own tokens too

	delegate       *delegateSettings // nil: the service behind gets no token
	delegateIssuer string
	delegateHeader string // nobody else may set it, whether or not there is a token here

	rule              claims.Rule // nil: whoever is authenticated
	forward           []claimHeader
	accessTokenHeader string
	idTokenHeader     string
	setsAuthorization bool     // one of these is Authorization
	keep              []string // names that others forward, and that are a client's to send here

	// asksAccessToken says that a claim of the access token is named, so that
	// those are worth keeping with a session.
	asksAccessToken bool

	tokens        int
	backfillQueue int
	level         slog.Level

	// policy is a fingerprint of all that a credential's verdict depends on: a
	// lax router's verdict never serves a strict one.
	policy string
	// view is a fingerprint of what this router makes of an identity.
	view string
}

// issuer is one whose access tokens are accepted.
type issuer struct {
	name, jwksURL                string
	audiences, algorithms, types []string
}

// claimHeader is one of forward.headers.
type claimHeader struct {
	name   string
	source string // the claim's name, as it was written
	claim  claims.Path
}

// compile checks the settings and returns them ready for use, or all that is
// wrong with them. The Config stays as it is: Traefik gives the same one to
// every router of a middleware.
func compile(c *Config) (*settings, error) {
	m := &mistakes{}
	s := &settings{}
	m.unknown("", *c, c.Unknown)
	s.compileProvider(m, c)
	s.compileSecret(m, c)
	s.compilePaths(m, c)
	s.compileSession(m, c.Session)
	s.compileRedis(m, c.Redis)
	s.compileStore(m, c.Session)
	s.compileRefresh(m, c.Refresh)
	s.compileBearer(m, c)
	s.compileAPITokens(m, c)
	s.compileManage(m, c)
	s.compileAdmin(m, c.Admin)
	s.compileDelegate(m, c.Delegate)
	s.compileForward(m, c.Forward)

	m.oneOf("unauthenticated", c.Unauthenticated, "auto", "redirect", "reject", "pass")
	s.unauthenticated = c.Unauthenticated
	if s.issuer == "" && s.unauthenticated == "auto" {
		s.unauthenticated = "reject" // there is nobody to send a browser to
	}
	if c.Authorize != "" {
		rule, err := claims.Parse(c.Authorize)
		if err != nil {
			m.add("authorize", "%v", err)
		}
		s.rule = rule
		s.asksAccessToken = s.asksAccessToken || strings.Contains(c.Authorize, accessTokenClaims)
		if c.Unauthenticated == "pass" {
			m.add("authorize", "unauthenticated: pass lets requests by that no rule can be asked about; drop one of the two")
		}
	}
	m.unknown("cache.", c.Cache, c.Cache.Unknown)
	if s.tokens = c.Cache.Tokens; s.tokens < 0 || s.tokens > maxTokens {
		m.add("cache.tokens", "%d is not between 0 and %d", s.tokens, maxTokens)
	}
	if s.backfillQueue = c.Cache.BackfillQueue; s.backfillQueue < 1 || s.backfillQueue > maxTokens {
		m.add("cache.backfillQueue", "%d is not between 1 and %d", s.backfillQueue, maxTokens)
	}
	m.unknown("log.", c.Log, c.Log.Unknown)
	if err := s.level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		m.add("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	s.asksAccessToken = s.asksAccessToken || asksAccessTokenOf(c)
	s.redis.fingerprint = s.redisFingerprint(c.Redis)
	if s.apiTokens != nil {
		s.apiTokens.fingerprint = s.apiTokensFingerprint()
	}
	s.policy = s.policyFingerprint(c)
	s.view = s.viewFingerprint(c)
	return s, nil
}

// accessTokenClaims is how the name of a claim of the access token begins.
const accessTokenClaims = "access_token."

// maxTokens bounds cache.tokens, against a slip of the finger.
const maxTokens = 10000000

// maxSecretDelay bounds secretDelay, against a slip of the finger.
const maxSecretDelay = time.Hour

func (s *settings) compileSecret(m *mistakes, c *Config) {
	sources := c.Secret
	delay := duration(m, "secretDelay", c.SecretDelay, 0)
	if delay > maxSecretDelay {
		m.add("secretDelay", "%q is more than %s", c.SecretDelay, maxSecretDelay)
	}
	if len(sources) == 0 {
		m.add("secret", "is required: at least 32 random bytes, such as file:/run/secrets/latchkey or env:LATCHKEY_SECRET")
		return
	}
	var secrets []*secret
	for _, source := range sources {
		opened, err := openSecret(source)
		switch {
		case err != nil:
			m.add("secret", "%v", err)
		case opened == nil:
			m.add("secret", "one of the list is empty")
		default:
			secrets = append(secrets, opened)
		}
	}
	if len(secrets) < len(sources) {
		return
	}
	keys, err := newKeyring(secrets, delay)
	if err != nil {
		m.add("secret", "%v", err)
		return
	}
	s.keys = keys
	s.secretSources = fingerprint(sources...)
	s.secretLabel = fingerprint(keys.values)
}

func (s *settings) compilePaths(m *mistakes, c *Config) {
	s.basePath = c.BasePath
	if !plainPath(c.BasePath) || strings.HasSuffix(c.BasePath, "/") {
		m.add("basePath", "%q is not a path such as /oauth2, without a slash at its end", c.BasePath)
	}
	if c.RedirectURL != "" {
		u := absoluteURL(m, "redirectURL", c.RedirectURL)
		if u != nil && (u.Path != "" || u.RawQuery != "") {
			m.add("redirectURL", "%q has a path; give scheme and host alone, the callback is %s/callback there", c.RedirectURL, c.BasePath)
		}
		s.redirectURL = u
	}
	s.publicPaths = map[string]bool{}
	for _, path := range c.Public {
		switch {
		case !plainPath(path):
			m.add("public", "%q is not a plain path that begins with a slash", path)
		case strings.HasSuffix(path, "/"):
			s.publicTrees = append(s.publicTrees, path)
		default:
			s.publicPaths[path] = true
		}
	}
	s.unprotected = s.matchUnprotected()
	s.publicWebSockets = c.PublicWebSockets
}

// matchUnprotected is the quick look that tells a protected path from one that
// has to be looked at more closely.
func (s *settings) matchUnprotected() *regexp.Regexp {
	prefixes := []string{regexp.QuoteMeta(s.basePath)}
	for _, tree := range s.publicTrees {
		prefixes = append(prefixes, regexp.QuoteMeta(tree))
	}
	for path := range s.publicPaths {
		prefixes = append(prefixes, regexp.QuoteMeta(path)+"$")
	}
	return regexp.MustCompile("^(?:" + strings.Join(prefixes, "|") + ")")
}

// duration reads a setting with paerser: "90s", "12h", or whole seconds.
func duration(m *mistakes, setting, value string, least time.Duration) time.Duration {
	var d types.Duration
	if err := d.Set(value); err != nil {
		m.add(setting, "%q is not a duration; write 90s, 12h or whole seconds", value)
		return 0
	}
	switch {
	case time.Duration(d) > maxDuration || tooManySeconds(value):
		m.add(setting, "%q is more than a hundred years", value)
	case time.Duration(d) < least:
		m.add(setting, "%q is less than %s", value, least)
	}
	return time.Duration(d)
}

// maxDuration bounds every duration that is said by somebody, so that two of them can
// be added, and one to a time.
const maxDuration = 100 * 365 * 24 * time.Hour

// tooManySeconds says whether a number of whole seconds is one that a Duration
// does not hold: multiplied it would be another.
func tooManySeconds(value string) bool {
	seconds, err := strconv.ParseInt(value, 10, 64)
	return err == nil && (seconds > int64(maxDuration/time.Second) || seconds < -int64(maxDuration/time.Second))
}

func absoluteURL(m *mistakes, setting, value string) *url.URL {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.Fragment != "" {
		m.add(setting, "%q is not a URL such as https://id.example.com", value)
		return nil
	}
	return u
}

func (s *settings) policyFingerprint(c *Config) string {
	parts := []string{
		c.Provider.Issuer, c.Provider.DiscoveryURL, c.Provider.ClientID, c.Provider.CACert,
		s.secretLabel, s.store, s.redis.fingerprint, s.asked.policy(), s.cookie.Name, s.lifetime.String(), s.idleTimeout.String(), fmt.Sprint(c.Bearer.Enabled), s.scopes, s.bearerLifetime.String(), s.apiTokenPolicy(), s.delegatePolicy(c),
		fmt.Sprint(s.accessTokenHeader != "", s.idTokenHeader != "", s.asksAccessToken), // what is kept of it
	}
	for _, i := range s.issuers {
		parts = append(parts, i.name, i.jwksURL, seal.Context(i.audiences...), seal.Context(i.algorithms...), seal.Context(i.types...))
	}
	return fingerprint(parts...)
}

// revocableFor is how long what a revocation names may live, with what was made of
// it: own is a session or an API token, a copy of whose store lives for so long;
// dated is all of a user, or of a login at the provider.
func (s *settings) revocableFor(copies time.Duration) (own, dated time.Duration) {
	own = longest(s.lifetime, copies)
	if s.delegate != nil {
		own = longest(own, s.delegate.request.Lifetime)
	}
	dated = longest(own, s.bearerLifetime)
	return own, dated
}

func longest(a, b time.Duration) time.Duration {
	if a > b {
		return a
	}
	return b
}

func (s *settings) viewFingerprint(c *Config) string {
	parts := []string{c.Authorize, s.accessTokenHeader, s.idTokenHeader, s.delegateHeader, s.delegateView()}
	for _, h := range s.forward {
		parts = append(parts, h.name, h.source)
	}
	return fingerprint(seal.Context(parts...), seal.Context(s.keep...))
}

// fingerprint stands for the parts in keys of maps that must not hold them.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(seal.Context(parts...)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
