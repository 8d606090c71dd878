package latchkey

// DelegateConfig says which token the service behind gets for calling others in
// the name of whoever asks: a narrower one than came in, which it never sees.
type DelegateConfig struct {
	// Kind is "internal" for a token that is for one service and has some scopes,
	// "notebook" for one that may all that its parent may. Default "": none.
	Kind string `json:"kind"`
	// Service is the service that the token is for, its audience. Required with
	// the kind internal.
	Service string `json:"service"`
	// Scopes are asked for with the kind internal; the token gets those that its
	// parent has. Default: none.
	Scopes []string `json:"scopes"`
	// Mode is "sign" for a token that Latchkey signs, or "exchange" for one that
	// the provider gives for its own (RFC 8693). Default "sign".
	Mode string `json:"mode"`
	// Lifetime is the longest life of a token; its parent may end it sooner.
	// Default "1h".
	Lifetime string `json:"lifetime"`
	// MinimumLifetime is what is left of a token at least when a request is
	// forwarded with it. Whose own credential ends sooner is refused with 401.
	// Default "5m".
	MinimumLifetime string `json:"minimumLifetime"`
	// Header gets the token; in Authorization it is preceded by "Bearer ".
	// Default "X-Auth-Request-Token".
	Header string `json:"header"`
	// Issuer is the iss claim of tokens that Latchkey signs, and of those that it
	// accepts as its own. Default "latchkey".
	Issuer string `json:"issuer"`
	// Resources are named to the provider with the mode exchange (RFC 8707).
	// Default: none.
	Resources []string `json:"resources"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}
