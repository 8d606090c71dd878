package latchkey

// APITokensConfig says how API tokens of our own are kept and given. They are
// accepted where there is a place for them: File, or Redis.
type APITokensConfig struct {
	// Enabled accepts API tokens, and gives them on the account page. Default
	// true, which without File and Redis means nothing.
	Enabled bool `json:"enabled"`
	// File is the shadow file that they are in; it is made when the first one is
	// given. Default: none, they are in Redis.
	File string `json:"file"`
	// Header is a header that a token may come in, besides Authorization: Bearer.
	// It never reaches the upstream. Default "X-API-Key".
	Header string `json:"header"`
	// CheckEvery is how often, at most, the file is looked at for changes that
	// were not made through this process. Default "60s".
	CheckEvery string `json:"checkEvery"`
	// Scopes are those that people may give to their tokens, each with the rule
	// that says who may; an empty rule is true of everybody. Default: none, tokens
	// of the account page have no scope.
	Scopes map[string]string `json:"scopes"`
	// Manage says who may manage sessions and API tokens through the JSON API
	// besides sessions: with "session" nobody, with "scope NAME" access tokens of
	// the provider that have that scope. Default "session".
	Manage string `json:"manage"`
	// MaxPerOwner is how many tokens somebody may have who makes them for
	// themselves, expired ones included. Default 100; 0: no limit.
	MaxPerOwner int `json:"maxPerOwner"`
	// MaxLifetime is the longest life of a token that somebody gives to
	// themselves. Default "8760h"; 0: no limit.
	MaxLifetime string `json:"maxLifetime"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}
