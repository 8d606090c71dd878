package latchkey

import (
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/seal"
)

// refreshSettings are RefreshConfig, checked.
type refreshSettings struct {
	before, maxTokenAge, shareFor, timeout time.Duration
}

// redisSettings are RedisConfig, checked.
type redisSettings struct {
	addresses          []string
	mode, masterName   string
	username           string
	password           *secret // nil: none
	database           int
	tls                bool
	caCert, serverName string
	insecure           bool
	prefix             string
	timeout            time.Duration
	tolerate           time.Duration // for how long known identities go on without Redis
	fingerprint        string        // of all of it; "" without Redis
}

func (s *settings) compileRefresh(m *mistakes, c RefreshConfig) {
	m.unknown("refresh.", c, c.Unknown)
	s.refresh = refreshSettings{
		before:      duration(m, "refresh.before", c.Before, 0),
		maxTokenAge: duration(m, "refresh.maxTokenAge", c.MaxTokenAge, 0),
		shareFor:    duration(m, "refresh.shareFor", c.ShareFor, time.Second),
		timeout:     duration(m, "refresh.timeout", c.Timeout, time.Millisecond),
	}
}

func (s *settings) compileRedis(m *mistakes, c RedisConfig) {
	m.unknown("redis.", c, c.Unknown)
	m.unknown("redis.tls.", c.TLS, c.TLS.Unknown)
	m.oneOf("redis.mode", c.Mode, "single", "sentinel", "cluster")
	m.oneOf("redis.whenDown", c.WhenDown, "stale", "deny")
	r := &redisSettings{
		addresses: c.Addresses, mode: c.Mode, masterName: c.MasterName, username: c.Username, database: c.Database,
		tls: c.TLS.Enabled, serverName: c.TLS.ServerName, insecure: c.TLS.InsecureSkipVerify, prefix: c.Prefix,
	}
	r.timeout = duration(m, "redis.timeout", c.Timeout, time.Millisecond)
	r.tolerate = duration(m, "redis.staleFor", c.StaleFor, 0)
	if c.WhenDown == "deny" {
		r.tolerate = 0
	}
	password, err := openSecret(c.Password)
	if err != nil {
		m.add("redis.password", "%v", err)
	}
	r.password = password
	r.checkAddresses(m, c)
	r.caCert = certificates(m, "redis.tls.caCert", c.TLS.CACert)
	if !c.TLS.Enabled && (c.TLS.CACert != "" || c.TLS.ServerName != "" || c.TLS.InsecureSkipVerify) {
		m.add("redis.tls.enabled", "is false, and other settings of redis.tls are given; drop one")
	}
	s.redis = r
}

// redisFingerprint stands for all that a connection to Redis depends on; it is
// empty without Redis.
func (s *settings) redisFingerprint(c RedisConfig) string {
	if len(c.Addresses) == 0 {
		return ""
	}
	r := s.redis
	return fingerprint(seal.Context(c.Addresses...), c.Mode, c.MasterName, c.Username, c.Password, c.Prefix, fmt.Sprint(c.Database),
		r.timeout.String(), r.tolerate.String(), fmt.Sprint(c.TLS.Enabled, c.TLS.InsecureSkipVerify), r.caCert, c.TLS.ServerName)
}

func (r *redisSettings) checkAddresses(m *mistakes, c RedisConfig) {
	for _, address := range c.Addresses {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			m.add("redis.addresses", "%q is not host:port", address)
		}
	}
	switch {
	case len(c.Addresses) == 0 && (c.Mode != "single" || c.MasterName != "" || c.Username != "" || c.Password != "" || c.TLS.Enabled):
		m.add("redis.addresses", "is required with the other settings of redis")
	case c.Mode == "single" && len(c.Addresses) > 1:
		m.add("redis.addresses", "a single server has one; for several set redis.mode to sentinel or cluster")
	case c.Mode == "sentinel" && c.MasterName == "":
		m.add("redis.masterName", "is required with sentinels")
	case c.Mode != "sentinel" && c.MasterName != "":
		m.add("redis.masterName", "is for redis.mode: sentinel")
	}
	if c.Database < 0 || c.Database > 0 && c.Mode == "cluster" {
		m.add("redis.database", "%d is none; a cluster has 0 alone", c.Database)
	}
	if c.Prefix == "" || strings.ContainsAny(c.Prefix, "{}") {
		m.add("redis.prefix", "%q is empty or has a brace, which means something to a cluster", c.Prefix)
	}
}

// certificates reads PEM, or the file that has it.
func certificates(m *mistakes, setting, value string) string {
	pem := value
	if err := unresolved(trimSecret(value)); err != nil && !strings.HasPrefix(value, "file:") {
		m.add(setting, "%v", err)
		return ""
	}
	if strings.HasPrefix(value, "file:") {
		content, err := readSetting(strings.TrimPrefix(value, "file:"))
		if err != nil {
			m.add(setting, "%v", err)
		}
		pem = string(content)
	}
	if pem != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		m.add(setting, "has no certificate; give PEM, or file:/path")
	}
	return pem
}

// compileStore settles where sessions are. compileRedis comes before it.
func (s *settings) compileStore(m *mistakes, c SessionConfig) {
	if c.Store != "" {
		m.oneOf("session.store", c.Store, "cookie", "memory", "redis")
	}
	m.oneOf("session.onLogin", c.OnLogin, "keep", "endOthers")
	s.store, s.maxPerUser, s.endOthers = c.Store, c.MaxPerUser, c.OnLogin == "endOthers"
	switch {
	case s.store == "redis" && len(s.redis.addresses) == 0:
		m.add("session.store", `"redis" needs redis.addresses`)
	case s.store == "" && len(s.redis.addresses) > 0:
		s.store = "redis"
	case s.store == "":
		s.store = "cookie"
	}
	if c.MaxPerUser < 0 || c.MaxPerUser > maxSessionsPerUser {
		m.add("session.maxPerUser", "%d is not between 0 and %d", c.MaxPerUser, maxSessionsPerUser)
	}
}
