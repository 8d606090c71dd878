package latchkey

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const testSecret = "a secret for tests of 32 bytes and more"

// validConfig is the smallest set of settings that is accepted.
func validConfig() *Config {
	c := CreateConfig()
	c.Provider.Issuer = "https://id.example.com"
	c.Provider.ClientID = "app"
	c.Secret = []string{testSecret}
	c.Bearer.Audiences = []string{"api"}
	return c
}

func TestDefaults(t *testing.T) {
	s, err := compile(validConfig())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want interface{} }{
		"scopes":      {s.scopes, "openid profile email"},
		"lifetime":    {s.lifetime, 24 * time.Hour},
		"idleTimeout": {s.idleTimeout, time.Duration(0)},
		"timeout":     {s.timeout, 5 * time.Second},
		"basePath":    {s.basePath, "/oauth2"},
		"cookie":      {s.cookie.Name, "__Host-latchkey"},
		"headers":     {strings.Join(s.forwarded(), " "), "X-Auth-Request-Email X-Auth-Request-Groups X-Auth-Request-User X-Auth-Request-Token"},
		"issuers":     {len(s.issuers), 1},
		"issuer":      {s.issuers[0].name, "https://id.example.com"},
		"tokens":      {s.tokens, 20000},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

// Each line breaks one setting; the error must name it and the mend.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no issuer":            {func(c *Config) { c.Provider.Issuer = "" }, "provider.issuer: is required"},
		"issuer without host":  {func(c *Config) { c.Provider.Issuer = "id" }, `provider.issuer: "id" is not a URL`},
		"issuer with query":    {func(c *Config) { c.Provider.Issuer = "https://id/?a" }, "provider.issuer: \"https://id/?a\" has a query"},
		"discoveryURL":         {func(c *Config) { c.Provider.DiscoveryURL = "ftp://id" }, "provider.discoveryURL"},
		"no clientID":          {func(c *Config) { c.Provider.ClientID = "" }, "provider.clientID: is required"},
		"clientAuth":           {func(c *Config) { c.Provider.ClientAuth = "basic" }, `provider.clientAuth: "basic" is none of auto,`},
		"basic without secret": {func(c *Config) { c.Provider.ClientAuth = "client_secret_basic" }, "needs provider.clientSecret"},
		"none with secret":     {func(c *Config) { c.Provider.ClientAuth, c.Provider.ClientSecret = "none", "s" }, "provider.clientAuth"},
		"unset env":            {func(c *Config) { c.Provider.ClientSecret = "env:LATCHKEY_UNSET" }, `"LATCHKEY_UNSET" is not set`},
		"scopes":               {func(c *Config) { c.Provider.Scopes = []string{"email"} }, `provider.scopes: "email" lacks openid`},
		"authParams":           {func(c *Config) { c.Provider.AuthParams = map[string]string{"State": "x"} }, `provider.authParams: "State"`},
		"caCert file":          {func(c *Config) { c.Provider.CACert = "file:/nowhere" }, "provider.caCert: stat /nowhere"},
		"caCert":               {func(c *Config) { c.Provider.CACert = "no pem" }, "provider.caCert"},
		"timeout":              {func(c *Config) { c.Provider.Timeout = "5 s" }, `provider.timeout: "5 s" is not a duration`},
		"timeout of zero":      {func(c *Config) { c.Provider.Timeout = "0" }, "provider.timeout"},
		"no secret":            {func(c *Config) { c.Secret = nil }, "secret: is required"},
		"empty secret":         {func(c *Config) { c.Secret = []string{testSecret, ""} }, "secret: one of the list is empty"},
		"short secret":         {func(c *Config) { c.Secret = []string{strings.Repeat("x", 31)} }, "secret: is shorter than 32 bytes"},
		"secret file":          {func(c *Config) { c.Secret = []string{"file:/nowhere"} }, "secret: read secret"},
		"basePath":             {func(c *Config) { c.BasePath = "oauth2" }, `basePath: "oauth2"`},
		"basePath of slash":    {func(c *Config) { c.BasePath = "/" }, `basePath: "/"`},
		"redirectURL":          {func(c *Config) { c.RedirectURL = "https://a/b" }, "redirectURL: \"https://a/b\" has a path"},
		"redirectURL outside": {func(c *Config) {
			c.RedirectURL, c.Session.Cookie.Domain = "https://login.other.org", "example.com"
		}, `redirectURL: its host "login.other.org"`},
		"public":              {func(c *Config) { c.Public = []string{"a/../b"} }, `public: "a/../b"`},
		"unauthenticated":     {func(c *Config) { c.Unauthenticated = "allow" }, `unauthenticated: "allow" is none of auto, redirect, reject, pass`},
		"lifetime":            {func(c *Config) { c.Session.Lifetime = "1d" }, `session.lifetime: "1d"`},
		"idleTimeout":         {func(c *Config) { c.Session.IdleTimeout = "-1s" }, "session.idleTimeout"},
		"cookie name":         {func(c *Config) { c.Session.Cookie.Name = "a b" }, "session.cookie"},
		"cookie prefix":       {func(c *Config) { c.Session.Cookie.Name = "__Secure-a" }, "session.cookie.name"},
		"cookie path":         {func(c *Config) { c.Session.Cookie.Path = "/app" }, `session.cookie.path: "/app" does not cover`},
		"sameSite":            {func(c *Config) { c.Session.Cookie.SameSite = "Lax" }, `session.cookie.sameSite: "Lax"`},
		"none without secure": {func(c *Config) { c.Session.Cookie.SameSite, c.Session.Cookie.Secure = "none", false }, "needs secure: true"},
		"no audiences":        {func(c *Config) { c.Bearer.Audiences = nil }, "bearer.audiences: name what"},
		"empty audience":      {func(c *Config) { c.Bearer.Audiences = []string{""} }, "bearer.audiences"},
		"no bearer lifetime":  {func(c *Config) { c.Bearer.MaxLifetime = "0" }, `bearer.maxLifetime: "0" is less than 1s`},
		"a bearer's decade":   {func(c *Config) { c.Bearer.MaxLifetime = "87600h" }, `bearer.maxLifetime: "87600h" is more than 8784h`},
		"bearer off":          {func(c *Config) { c.Bearer.Enabled = false }, "bearer.enabled: is false"},
		"issuer twice": {func(c *Config) {
			c.Bearer.Issuers = []IssuerConfig{{Issuer: "https://a"}, {Issuer: "https://a"}}
		}, `bearer.issuers: "https://a" is given twice`},
		"algorithm": {func(c *Config) {
			c.Bearer.Issuers = []IssuerConfig{{Issuer: "https://a", Algorithms: []string{"HS256"}}}
		}, `bearer.issuers.algorithms: "HS256"`},
		"jwksURL": {func(c *Config) {
			c.Bearer.Issuers = []IssuerConfig{{Issuer: "https://a", JWKSURL: "jwks"}}
		}, "bearer.issuers.jwksURL"},
		"authorize":           {func(c *Config) { c.Authorize = "Equals(`a`" }, "authorize: "},
		"authorize and pass":  {func(c *Config) { c.Authorize, c.Unauthenticated = "Equals(`a`, `b`)", "pass" }, "authorize: unauthenticated: pass"},
		"header name":         {func(c *Config) { c.Forward.Headers = map[string]string{"X User": "sub"} }, `forward.headers: "X User"`},
		"header meaning":      {func(c *Config) { c.Forward.Headers = map[string]string{"X-Forwarded-Host": "sub"} }, `"X-Forwarded-Host" has another meaning`},
		"claim as token":      {func(c *Config) { c.Forward.Headers = map[string]string{"authorization": "sub"} }, `forward.headers: "authorization" is for tokens`},
		"claim name":          {func(c *Config) { c.Forward.Headers = map[string]string{"X-User": ""} }, "forward.headers: X-User"},
		"header twice":        {func(c *Config) { c.Forward.AccessTokenHeader = "x_auth_request_user" }, "are one header to some upstreams"},
		"tokens":              {func(c *Config) { c.Cache.Tokens = -1 }, "cache.tokens: -1"},
		"level":               {func(c *Config) { c.Log.Level = "all" }, `log.level: "all"`},
		"store":               {func(c *Config) { c.Session.Store = "disk" }, `session.store: "disk" is none of cookie, memory, redis`},
		"store without redis": {func(c *Config) { c.Session.Store = "redis" }, `session.store: "redis" needs redis.addresses`},
		"onLogin":             {func(c *Config) { c.Session.OnLogin = "end" }, `session.onLogin: "end" is none of keep, endOthers`},
		"maxPerUser":          {func(c *Config) { c.Session.MaxPerUser = -1 }, "session.maxPerUser: -1 is not between 0 and 1000"},
		"too many per user":   {func(c *Config) { c.Session.MaxPerUser = 1001 }, "session.maxPerUser: 1001"},
		"refresh.before":      {func(c *Config) { c.Refresh.Before = "-1s" }, `refresh.before: "-1s" is less than 0s`},
		"refresh.shareFor":    {func(c *Config) { c.Refresh.ShareFor = "0" }, `refresh.shareFor: "0" is less than 1s`},
		"refresh.timeout":     {func(c *Config) { c.Refresh.Timeout = "0" }, `refresh.timeout: "0" is less than 1ms`},
		"maxTokenAge":         {func(c *Config) { c.Refresh.MaxTokenAge = "old" }, `refresh.maxTokenAge: "old" is not a duration`},
		"redis address":       {func(c *Config) { c.Redis.Addresses = []string{"redis"} }, `redis.addresses: "redis" is not host:port`},
		"redis without host":  {func(c *Config) { c.Redis.Addresses = []string{":6379"} }, `redis.addresses: ":6379" is not host:port`},
		"redis without port":  {func(c *Config) { c.Redis.Addresses = []string{"redis:"} }, `redis.addresses: "redis:" is not host:port`},
		"redis mode":          {func(c *Config) { c.Redis.Mode = "ring" }, `redis.mode: "ring" is none of single,`},
		"redis unused":        {func(c *Config) { c.Redis.Username = "u" }, "redis.addresses: is required with the other settings"},
		"two single servers":  {func(c *Config) { c.Redis.Addresses = []string{"a:1", "b:1"} }, "redis.addresses: a single server has one"},
		"no masterName":       {func(c *Config) { c.Redis.Addresses, c.Redis.Mode = []string{"a:1"}, "sentinel" }, "redis.masterName: is required"},
		"masterName":          {func(c *Config) { c.Redis.Addresses, c.Redis.MasterName = []string{"a:1"}, "m" }, "redis.masterName: is for"},
		"cluster database": {func(c *Config) {
			c.Redis.Addresses, c.Redis.Mode, c.Redis.Database = []string{"a:1"}, "cluster", 1
		}, "redis.database: 1 is none"},
		"redis prefix":   {func(c *Config) { c.Redis.Prefix = "{a}" }, `redis.prefix: "{a}"`},
		"redis password": {func(c *Config) { c.Redis.Password = "env:NO_SUCH_NAME" }, "redis.password: the environment variable"},
		"redis timeout":  {func(c *Config) { c.Redis.Timeout = "0" }, `redis.timeout: "0" is less than 1ms`},
		"whenDown":       {func(c *Config) { c.Redis.WhenDown = "wait" }, `redis.whenDown: "wait" is none of stale, deny`},
		"staleFor":       {func(c *Config) { c.Redis.StaleFor = "x" }, `redis.staleFor: "x" is not a duration`},
		"redis caCert":   {func(c *Config) { c.Redis.TLS.CACert = "none" }, "redis.tls.caCert: has no certificate"},
		"tls off":        {func(c *Config) { c.Redis.TLS.InsecureSkipVerify = true }, "redis.tls.enabled: is false"},
		"backfillQueue":  {func(c *Config) { c.Cache.BackfillQueue = 0 }, "cache.backfillQueue: 0 is not between 1"},
		"a typo in redis": {func(c *Config) { c.Redis.Unknown = map[string]interface{}{"adresses": 1} },
			"redis.adresses: unknown setting; the nearest is redis.addresses"},
		"a typo in redis.tls": {func(c *Config) { c.Redis.TLS.Unknown = map[string]interface{}{"cacert": 1} }, "redis.tls.cacert: unknown"},
		"a typo in refresh":   {func(c *Config) { c.Refresh.Unknown = map[string]interface{}{"befor": 1} }, "refresh.befor: unknown"},
		"a typo":              {func(c *Config) { c.Unknown = map[string]interface{}{"sesion": 1} }, "sesion: unknown setting; the nearest is session"},
		"a typo below": {func(c *Config) {
			c.Session.Cookie.Unknown = map[string]interface{}{"samesight": 1}
		}, "session.cookie.samesight: unknown setting; the nearest is session.cookie.sameSite"},
	} {
		config := validConfig()
		c.change(config)
		_, err := New(testContext(t), http.NotFoundHandler(), config, "test")
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not say %q", name, err, c.want)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	c := CreateConfig()
	c.Session.Lifetime = "soon"
	_, err := compile(c)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, setting := range []string{"provider.issuer", "provider.clientID", "secret", "session.lifetime", "bearer.audiences"} {
		if !strings.Contains(err.Error(), setting+": ") {
			t.Errorf("%q does not name %s", err, setting)
		}
	}
}

func TestSecretsNeverInErrors(t *testing.T) {
	c := validConfig()
	c.Secret = []string{"hunter2"}
	c.Provider.ClientSecret = "swordfish"
	c.Provider.ClientAuth = "none"
	_, err := compile(c)
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("got %v", err)
	}
}

// Two routers share verdicts only where the same credential means the same.
func TestPolicyFingerprint(t *testing.T) {
	plain, err := compile(validConfig())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		shares bool
	}{
		"another rule":       {func(c *Config) { c.Authorize = "Equals(`a`, `b`)" }, true},
		"other headers":      {func(c *Config) { c.Forward.Headers = map[string]string{"X-User": "sub"} }, true},
		"the access token":   {func(c *Config) { c.Forward.AccessTokenHeader = "X-Token" }, false},
		"the ID token":       {func(c *Config) { c.Forward.IDTokenHeader = "X-Token" }, false},
		"other public paths": {func(c *Config) { c.Public = []string{"/a"} }, true},
		"another issuer":     {func(c *Config) { c.Provider.Issuer = "https://other.example.com" }, false},
		"another client":     {func(c *Config) { c.Provider.ClientID = "other" }, false},
		"another secret":     {func(c *Config) { c.Secret = []string{testSecret + "!"} }, false},
		"another audience":   {func(c *Config) { c.Bearer.Audiences = []string{"other"} }, false},
		"a split audience":   {func(c *Config) { c.Bearer.Audiences = []string{"a", "pi"} }, false},
		"shorter tokens":     {func(c *Config) { c.Bearer.MaxLifetime = "1h" }, false},
		"a shorter lifetime": {func(c *Config) { c.Session.Lifetime = "1h" }, false},
		"an idle time-out":   {func(c *Config) { c.Session.IdleTimeout = "1h" }, false},
		"another cookie":     {func(c *Config) { c.Session.Cookie.Name = "other" }, false},
		"another discovery":  {func(c *Config) { c.Provider.DiscoveryURL = "https://d.example.com" }, false},
		"bearer tokens off":  {func(c *Config) { c.Bearer = BearerConfig{} }, false},
		"stricter token types": {func(c *Config) {
			c.Bearer.Issuers = []IssuerConfig{{Issuer: c.Provider.Issuer, Types: []string{"at+jwt"}}}
		}, false},
		"fewer algorithms": {func(c *Config) {
			c.Bearer.Issuers = []IssuerConfig{{Issuer: c.Provider.Issuer, Algorithms: []string{"ES256"}}}
		}, false},
	} {
		config := validConfig()
		c.change(config)
		other, err := compile(config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if shares := other.policy == plain.policy; shares != c.shares {
			t.Errorf("%s: shares verdicts: %v, want %v", name, shares, c.shares)
		}
	}
}

func TestSecretSources(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	write := func(value string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	s, err := openSecret("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.get(); got != "first" {
		t.Errorf("got %q, want the file's line", got)
	}
	write("second one")
	if got := s.get(); got != "first" {
		t.Errorf("got %q: the file was looked at by whoever asked", got)
	}
	s.look()
	if got := s.get(); got != "second one" {
		t.Errorf("got %q, want the file's new line", got)
	}
	reported := 0
	s.report = func(_ error) { reported++ }
	for _, unusable := range []string{"", " \n", "\ufeff", "URN:k8s:secret:a:b"} {
		write(unusable)
		if s.look(); s.get() != "second one" {
			t.Errorf("%q: got %q, want the last good value", unusable, s.get())
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < 6; i++ {
		if s.look(); s.get() != "second one" {
			t.Errorf("got %q, want the last good value once the file is gone", s.get())
		}
	}
	if reported != 1 {
		t.Errorf("a file that is gone was reported %d times, want once", reported)
	}
	os.Setenv("LATCHKEY_TEST_SECRET", "from the environment\n")
	defer os.Unsetenv("LATCHKEY_TEST_SECRET")
	if s, err := openSecret("env:LATCHKEY_TEST_SECRET"); err != nil || s.get() != "from the environment" {
		t.Errorf("env: %v", err)
	}
	write("")
	if _, err := openSecret("file:" + path); err == nil {
		t.Error("an empty file was taken for a secret")
	}
}

// A secret that becomes too short to seal with is reported, and the last one
// stays in force.
func TestSecretBecomesTooShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(testSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := openSecret("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	keys, err := newKeyring([]*secret{opened}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	reported := 0
	keys.report = func(_ error) { reported++ }
	before := keys.at(now)
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened.look()
	for i := 1; i < 4; i++ {
		if keys.at(now.Add(time.Duration(i)*secretCheck)) != before {
			t.Error("a short secret seals")
		}
	}
	if reported != 1 {
		t.Errorf("a short secret was reported %d times, want once", reported)
	}
}
