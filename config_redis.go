package latchkey

// RedisConfig is the Redis (6.2 or later) that replicas share.
type RedisConfig struct {
	// Addresses are host:port of the server, of the sentinels, or of some nodes
	// of the cluster. Default: none, each replica is for itself.
	Addresses []string `json:"addresses"`
	// Mode is "single", "sentinel" or "cluster". Default "single".
	Mode string `json:"mode"`
	// MasterName is what the sentinels call the master. Required with them.
	MasterName string `json:"masterName"`
	// Username is the ACL user. Default: Redis' default user.
	Username string `json:"username"`
	// Password is the user's; it may be written env:NAME or file:/path. Default:
	// none.
	Password string `json:"password"`
	// Database is the number of the database; a cluster has 0 alone. Default 0.
	Database int            `json:"database"`
	TLS      RedisTLSConfig `json:"tls"`
	// Prefix begins all keys. Default "latchkey:".
	Prefix string `json:"prefix"`
	// Timeout bounds each command. Default "500ms".
	Timeout string `json:"timeout"`
	// WhenDown is what happens to known identities while Redis is out of reach:
	// "stale" lets them go on for staleFor, "deny" refuses them at once, with 503.
	// Default "stale".
	WhenDown string `json:"whenDown"`
	// StaleFor is for how long. Default "30s".
	StaleFor string `json:"staleFor"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}

// RedisTLSConfig is how the connection to Redis is protected.
type RedisTLSConfig struct {
	// Enabled uses TLS 1.2 or later. Default false.
	Enabled bool `json:"enabled"`
	// CACert are certificates (PEM, or file:/path) that Redis' certificate may be
	// signed by, besides the system's. Default: none.
	CACert string `json:"caCert"`
	// ServerName is the name that the certificate must be for. Default: the host
	// of the address.
	ServerName string `json:"serverName"`
	// InsecureSkipVerify takes any certificate: whoever is between can read and
	// change everything. Default false.
	InsecureSkipVerify bool `json:"insecureSkipVerify"`

	Unknown map[string]interface{} `mapstructure:",remain" json:"-"`
}
