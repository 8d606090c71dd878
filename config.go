package latchkey

// Config are the settings of one middleware, as Traefik decodes them. Durations
// are texts such as "90s" or "12h", or whole seconds. A secret may be written
// env:NAME or file:/path; a file is read again when it changes.
//
// Traefik drops keys that it does not know without a word, but hands them over
// to the fields named Unknown, so that New can refuse them.
type Config struct {
	Provider ProviderConfig `json:"provider"`
	// Secret seals cookies: at least 32 bytes, best random ones. Of a list the
	// first seals and all open, which is how a secret is rotated. Required.
	Secret []string `json:"secret"`
	// SecretDelay is how long a secret has been known before it seals, where it was
	// not listed behind another one first: for as long, other replicas may not have
	// it yet. 0: it seals at once. Default "10s".
	SecretDelay string `json:"secretDelay"`
	// BasePath is where the endpoints are. Default "/oauth2".
	BasePath string `json:"basePath"`
	// RedirectURL pins scheme and host of the callback, such as
	// https://login.example.com. Default: those of the request.
	RedirectURL string `json:"redirectURL"`
	// Public are paths that anybody may enter: with a trailing slash the
	// subtree, without one that path alone. Default: none.
	Public []string `json:"public"`
	// PublicWebSockets lets WebSockets through on public paths; elsewhere they
	// need a credential like everything else. Default false.
	PublicWebSockets bool `json:"publicWebSockets"`
	// Unauthenticated is what happens to a request without a credential: "auto"
	// redirects navigations to the provider and refuses the rest, "redirect"
	// redirects every GET outside scripts, "reject" never redirects, "pass" lets
	// it go on without identity headers. Default "auto".
	Unauthenticated string          `json:"unauthenticated"`
	Session         SessionConfig   `json:"session"`
	Refresh         RefreshConfig   `json:"refresh"`
	Bearer          BearerConfig    `json:"bearer"`
	APITokens       APITokensConfig `json:"apiTokens"`
	Delegate        DelegateConfig  `json:"delegate"`
	// Authorize is a rule over the identity's claims, such as
	// OneOf(`groups`, `ops`) && Equals(`email_verified`, `true`). Default:
	// whoever is authenticated may enter.
	Authorize string        `json:"authorize"`
	Forward   ForwardConfig `json:"forward"`
	// Admin is a rule like Authorize: whoever it is true of may see and end
	// everybody's sessions and API tokens through the JSON API. Default: nobody.
	Admin string      `json:"admin"`
	Redis RedisConfig `json:"redis"`
	Cache CacheConfig `json:"cache"`
	Log   LogConfig   `json:"log"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// ProviderConfig names the OpenID provider and the client registered there.
type ProviderConfig struct {
	// Issuer is the provider's issuer identifier, to the letter. Required, unless
	// only API tokens are accepted.
	Issuer string `json:"issuer"`
	// DiscoveryURL is where the discovery document is fetched when the provider
	// is reached at another address than the issuer's; the token, key and
	// userinfo endpoints are then called at that address too. Default: the
	// issuer followed by /.well-known/openid-configuration.
	DiscoveryURL string `json:"discoveryURL"`
	// ClientID is the client registered at the provider. Required with Issuer.
	ClientID string `json:"clientID"`
	// ClientSecret is the client's secret; without one the client is public.
	// Default: none.
	ClientSecret string `json:"clientSecret"`
	// ClientAuth is how the client proves itself at the token endpoint: "auto",
	// "client_secret_basic", "client_secret_post" or "none". Default "auto": as
	// discovery says, basic first, none without a secret.
	ClientAuth string `json:"clientAuth"`
	// Scopes are asked for at login; openid is required among them. Default
	// [openid, profile, email].
	Scopes []string `json:"scopes"`
	// AuthParams are added to the authorization request: prompt, max_age,
	// acr_values and the like; names that Latchkey sets itself are refused.
	// max_age (seconds) and acr_values are checked in the ID token. Default: none.
	AuthParams map[string]string `json:"authParams"`
	// UserInfo merges the claims of the userinfo endpoint into the session's at
	// login. Default false.
	UserInfo bool `json:"userInfo"`
	// CACert are certificates (PEM, or file:/path) that the provider's
	// certificate may be signed by, besides the system's. Default: none.
	CACert string `json:"caCert"`
	// Timeout bounds each call to the provider. Default "5s".
	Timeout string `json:"timeout"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// SessionConfig are the settings of logins.
type SessionConfig struct {
	// Store is where sessions are: "cookie" seals them into the browser's
	// cookies, "memory" keeps them in this process, "redis" in Redis; of the two
	// latter the browser has an id alone. Default "redis" where redis.addresses
	// is set, else "cookie".
	Store string `json:"store"`
	// Lifetime ends a session this long after the login. Default "24h".
	Lifetime string `json:"lifetime"`
	// IdleTimeout ends a session this long after its last request. Default "0":
	// off.
	IdleTimeout string       `json:"idleTimeout"`
	Cookie      CookieConfig `json:"cookie"`
	// MaxPerUser is how many sessions a user may have; the login of one more
	// ends the oldest. Default 0: no limit.
	MaxPerUser int `json:"maxPerUser"`
	// OnLogin is what a login does to the user's other sessions: "keep" or
	// "endOthers". Default "keep".
	OnLogin string `json:"onLogin"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// CookieConfig are the attributes of the session cookie (RFC 6265, section
// 4.1.2). It is always HttpOnly.
type CookieConfig struct {
	// Name is the cookie's name; where Secure, Domain and Path allow it, it gets
	// the prefix __Host-. Elsewhere it may begin with __Secure-. Default
	// "latchkey".
	Name string `json:"name"`
	// Domain shares the cookie with all hosts of a domain. Default: the host
	// alone.
	Domain string `json:"domain"`
	// Path limits the cookie to a path. Default "/".
	Path string `json:"path"`
	// SameSite is "lax", "strict" or "none". Default "lax".
	SameSite string `json:"sameSite"`
	// Secure keeps the cookie from connections without TLS. Default true.
	Secure bool `json:"secure"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// RefreshConfig says how a session's tokens are renewed with its refresh token
// (RFC 6749, section 6). Providers give one when provider.scopes asks for it,
// most of them for offline_access.
type RefreshConfig struct {
	// Before is how long before its end an access token is renewed, at most half
	// of its life. Default "60s".
	Before string `json:"before"`
	// MaxTokenAge is the age from which a refresh token is no longer tried:
	// background requests get 401 at once, navigations a login. Default "6h"; 0:
	// no limit.
	MaxTokenAge string `json:"maxTokenAge"`
	// ShareFor is how long the result of a grant answers requests that still come
	// with the old refresh token. Default "30s".
	ShareFor string `json:"shareFor"`
	// Timeout bounds one grant. Default "15s".
	Timeout string `json:"timeout"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// BearerConfig says whose JWT access tokens are accepted (RFC 6750, RFC 9068).
type BearerConfig struct {
	// Enabled accepts access tokens in the Authorization header. Default true.
	Enabled bool `json:"enabled"`
	// Issuers whose tokens are accepted. Default: the provider.
	Issuers []IssuerConfig `json:"issuers"`
	// Audiences, one of which a token must be meant for. Required when bearer
	// tokens are accepted, here or for each of Issuers.
	Audiences []string `json:"audiences"`
	// MaxLifetime is the longest life of a token: one whose exp is further from its
	// iat, or without that from now, is refused. A revocation is remembered for as
	// long. Default "24h".
	MaxLifetime string `json:"maxLifetime"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// IssuerConfig is one issuer of access tokens.
type IssuerConfig struct {
	// Issuer is the iss claim, to the letter. Required.
	Issuer string `json:"issuer"`
	// JWKSURL is where its keys are. Default: as its discovery document says.
	JWKSURL string `json:"jwksURL"`
	// Audiences, one of which a token must be meant for. Default: those of
	// bearer.audiences.
	Audiences []string `json:"audiences"`
	// Algorithms that its tokens may be signed with. Default: RS256, RS384,
	// RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA.
	Algorithms []string `json:"algorithms"`
	// Types are the values of the typ header that its tokens may have. Default
	// [at+jwt, JWT]; JWT stands for a missing one too.
	Types []string `json:"types"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// ForwardConfig says what the upstream learns of the identity.
type ForwardConfig struct {
	// Headers are set from claims, header name to claim name; a list is joined
	// with commas. The same headers sent by a client are removed, here and by
	// every other middleware of the process. Default {X-Auth-Request-User: sub,
	// X-Auth-Request-Email: email, X-Auth-Request-Groups: groups}.
	Headers map[string]string `json:"headers"`
	// Keep are headers of which this router's upstream gets the client's own
	// value, though another router forwards them, or their name begins with
	// X-Auth-Request- or is one that Latchkey always removes. Default: none.
	Keep []string `json:"keep"`
	// AccessTokenHeader gets the access token; in Authorization it is preceded
	// by "Bearer ". Default: none.
	AccessTokenHeader string `json:"accessTokenHeader"`
	// IDTokenHeader gets a session's ID token. Default: none.
	IDTokenHeader string `json:"idTokenHeader"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// CacheConfig bounds what is remembered.
type CacheConfig struct {
	// Tokens is how many verified credentials a process remembers, and how many
	// headers that carried one. Default 20000; 0 remembers none.
	Tokens int `json:"tokens"`
	// BackfillQueue is how many sessions found in Redis may wait to be written
	// to this process' memory; more are dropped until they are found again.
	// Default 1000.
	BackfillQueue int `json:"backfillQueue"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// LogConfig says how much is logged.
type LogConfig struct {
	// Level is "debug", "info", "warn" or "error". Warnings and errors come as
	// Traefik's errors, the rest at its level DEBUG. Default "info".
	Level string `json:"level"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// CreateConfig returns the defaults, for Traefik to decode the settings into.
// The defaults of lists and maps are not among them: what is decoded would be
// merged into them.
func CreateConfig() *Config {
	return &Config{
		Provider:        ProviderConfig{ClientAuth: "auto", Timeout: "5s"},
		SecretDelay:     "10s",
		BasePath:        "/oauth2",
		Unauthenticated: "auto",
		Session: SessionConfig{
			Lifetime:    "24h",
			IdleTimeout: "0",
			OnLogin:     "keep",
			Cookie:      CookieConfig{Name: "latchkey", Path: "/", SameSite: "lax", Secure: true},
		},
		Refresh:   RefreshConfig{Before: "60s", MaxTokenAge: "6h", ShareFor: "30s", Timeout: "15s"},
		Bearer:    BearerConfig{Enabled: true, MaxLifetime: "24h"},
		APITokens: APITokensConfig{Enabled: true, Header: "X-API-Key", CheckEvery: "60s", Manage: "session", MaxPerOwner: 100, MaxLifetime: "8760h"},
		Delegate:  DelegateConfig{Mode: "sign", Lifetime: "1h", MinimumLifetime: "5m", Header: "X-Auth-Request-Token", Issuer: "latchkey"},
		Redis:     RedisConfig{Mode: "single", Prefix: "latchkey:", Timeout: "500ms", WhenDown: "stale", StaleFor: "30s"},
		Cache:     CacheConfig{Tokens: 20000, BackfillQueue: 1000},
		Log:       LogConfig{Level: "info"},
	}
}

func defaultScopes() []string { return []string{"openid", "profile", "email"} }

func defaultHeaders() map[string]string {
	return map[string]string{
		"X-Auth-Request-User":   "sub",
		"X-Auth-Request-Email":  "email",
		"X-Auth-Request-Groups": "groups",
	}
}
