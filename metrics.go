package latchkey

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// counters count, for the whole process, what happens off the warm path. A
// request that the token cache answers is counted by Traefik alone.
type counters struct {
	loginsStarted, loginsFinished, loginsFailed, logouts, providerLogouts, verifications atomic.Int64

	mu       sync.Mutex
	refusals map[string]int64 // by reason code
}

func newCounters() *counters { return &counters{refusals: map[string]int64{}} }

func (c *counters) refused(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusals[code]++
}

// metrics is a text in Prometheus' format.
type metrics struct{ strings.Builder }

func (m *metrics) counter(name, help string, value int64) { m.family(name, help, "counter", value) }
func (m *metrics) gauge(name, help string, value int64)   { m.family(name, help, "gauge", value) }

func (m *metrics) family(name, help, kind string, value int64) {
	fmt.Fprintf(&m.Builder, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", name, help, name, kind, name, value)
}

// labelled writes one family with a line for each of the label's values.
func (m *metrics) labelled(name, help, kind, label string, values map[string]int64) {
	var names []string
	for value := range values {
		names = append(names, value)
	}
	sort.Strings(names)
	fmt.Fprintf(&m.Builder, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	for _, value := range names {
		fmt.Fprintf(&m.Builder, "%s{%s=%q} %d\n", name, label, value, values[value])
	}
}

// serveMetrics writes the counters. They tell numbers, never who.
func (l *Latchkey) serveMetrics(w http.ResponseWriter, r *http.Request) {
	m := &metrics{}
	l.writeLogins(m)
	l.writeCaches(m)
	l.writeProvider(m)
	l.writeRefreshes(m)
	l.writeRevocations(m)
	l.writeRedis(m)
	l.writeAPITokens(m)
	l.writeDelegations(m)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprint(w, m.Builder.String())
}

func (l *Latchkey) writeLogins(m *metrics) {
	c := l.counters
	m.counter("latchkey_logins_started_total", "Logins sent to the provider.", c.loginsStarted.Load())
	m.counter("latchkey_logins_finished_total", "Logins that led to a session.", c.loginsFinished.Load())
	m.counter("latchkey_logins_failed_total", "Callbacks that led to no session.", c.loginsFailed.Load())
	m.counter("latchkey_logouts_total", "Sessions ended by their owner.", c.logouts.Load())
	m.counter("latchkey_refresh_tokens_kept_total", "Refresh tokens that did not go back at a logout, as too many were on their way.", l.ends.dropped.Load())
	m.counter("latchkey_provider_logouts_total", "Logouts that the provider asked for.", c.providerLogouts.Load())
	c.mu.Lock()
	defer c.mu.Unlock()
	m.labelled("latchkey_refusals_total", "Requests refused, by reason code.", "counter", "reason", c.refusals)
}

func (l *Latchkey) writeCaches(m *metrics) {
	m.gauge("latchkey_token_cache_entries", "Verified credentials held.", int64(l.tokens.size()))
	m.counter("latchkey_verifications_total", "Credentials that the token cache did not vouch for.", l.counters.verifications.Load())
	m.counter("latchkey_token_cache_evictions_total", "Verified credentials pushed out by others.", l.tokens.evicted.Load())
	m.gauge("latchkey_shared_resources", "Resources shared by the middlewares of this process.", int64(resources.held()))
	if l.sessions == nil || l.sessions.tiered == nil {
		return
	}
	stats := l.sessions.tiered.Stats()
	m.labelled("latchkey_session_reads_total", "Sessions looked for in the store, by where they were found.", "counter", "found",
		map[string]int64{"memory": stats.MemoryHits, "redis": stats.RedisHits, "nowhere": stats.Misses})
	m.labelled("latchkey_session_backfills_total", "Sessions found in Redis, by what became of writing them to memory.", "counter", "outcome",
		map[string]int64{"written": stats.Backfills, "overtaken": stats.Overtaken, "dropped": stats.Dropped, "panicked": stats.Panics})
	m.gauge("latchkey_session_backfill_queue", "Sessions waiting to be written to memory.", int64(stats.Queue))
	m.counter("latchkey_session_bad_records_total", "Records in Redis that did not open.", stats.Bad)
}

func (l *Latchkey) writeProvider(m *metrics) {
	stats := l.provider.Stats()
	m.counter("latchkey_discovery_fetches_total", "Fetches of this provider's discovery document.", int64(stats.DiscoveryFetches))
	m.counter("latchkey_key_fetches_total", "Fetches of this provider's keys.", int64(stats.KeyFetches))
	m.counter("latchkey_provider_failures_total", "Fetches from this provider that failed.", int64(stats.Failures))
}

func (l *Latchkey) writeRefreshes(m *metrics) {
	c := l.refreshes
	m.counter("latchkey_refresh_grants_total", "Refresh grants asked of the provider.", c.grants.Load())
	m.counter("latchkey_refresh_followers_total", "Requests that waited for a grant another one had begun.", c.followers.Load())
	m.counter("latchkey_refresh_lease_waits_total", "Grants that another replica was about.", c.leaseWaits.Load())
	m.labelled("latchkey_refresh_failures_total", "Grants that led to no tokens, by reason.", "counter", "reason",
		map[string]int64{"refused": c.refused.Load(), "failed": c.failed.Load(), "overloaded": c.overloaded.Load()})
	m.gauge("latchkey_refresh_in_flight", "Grants under way.", int64(len(c.slots)))
	m.gauge("latchkey_refresh_queue", "Grants waiting for their turn.", c.queued.Load())
}

func (l *Latchkey) writeRevocations(m *metrics) {
	stats := l.revocations.Stats()
	m.gauge("latchkey_revocations", "Revocations held.", stats.Entries)
	m.counter("latchkey_revocations_read_total", "Revocations read from the log.", stats.Read)
	m.counter("latchkey_revocations_written_total", "Revocations written to the log.", stats.Written)
	m.counter("latchkey_revocations_bad_total", "Entries of the log that could not be read.", stats.Bad)
	m.gauge("latchkey_revocations_pending", "Revocations that could not be written to the log yet.", stats.Pending)
	m.counter("latchkey_revocation_write_failures_total", "Attempts to write to the log that failed.", stats.Refused)
	m.counter("latchkey_revocations_restored_total", "Revocations that the log had lost and that were written again.", stats.Restored)
	m.gauge("latchkey_redis_clock_ahead_milliseconds", "By how much Redis' clock is ahead of this process'.", stats.Gap.Milliseconds())
	m.gauge("latchkey_revocation_lag_seconds", "Seconds since the log was last known to be read to its end.", int64(stats.Lag.Seconds()))
	open, ended := l.streams.count()
	m.gauge("latchkey_streams", "WebSockets and event streams under way.", open)
	m.counter("latchkey_streams_revoked_total", "WebSockets and event streams ended by a revocation.", ended)
}

func (l *Latchkey) writeRedis(m *metrics) {
	if l.redis == nil {
		return
	}
	health := l.redis.Health()
	m.labelled("latchkey_redis_breaker", "1 for the state that the breaker is in.", "gauge", "state",
		map[string]int64{"closed": is(health.Breaker == "closed"), "half-open": is(health.Breaker == "half-open"), "open": is(health.Breaker == "open")})
	m.gauge("latchkey_redis_connections", "Connections to Redis.", int64(health.Connections))
	m.counter("latchkey_redis_commands_total", "Commands sent to Redis.", health.Commands)
	m.counter("latchkey_redis_failures_total", "Commands without an answer that can be used.", health.Failures)
	m.labelled("latchkey_redis_refusals_total", "Commands that Redis refused, by its code.", "counter", "code", health.Refusals)
}

// writeAPITokens writes how the store stands; what it counts of a shadow file is 0
// where the tokens are in Redis.
func (l *Latchkey) writeAPITokens(m *metrics) {
	if l.apiTokens == nil {
		return
	}
	stats := l.apiTokens.Stats()
	m.gauge("latchkey_api_tokens", "API tokens in the shadow file.", stats.Tokens)
	m.gauge("latchkey_api_tokens_generation", "Changes of the shadow file that this process knows of.", stats.Generation)
	m.counter("latchkey_api_tokens_checks_total", "Looks at the shadow file for changes.", stats.Checks)
	m.counter("latchkey_api_tokens_loads_total", "Times that the shadow file was read.", stats.Loads)
	m.counter("latchkey_api_tokens_failures_total", "Looks and reads that failed: the last good set stays.", stats.Failures)
}

func (l *Latchkey) writeDelegations(m *metrics) {
	c := l.delegations
	if c == nil {
		return
	}
	m.counter("latchkey_delegated_tokens_total", "Tokens made for services behind.", c.grants.Load())
	m.labelled("latchkey_delegation_failures_total", "Tokens that could not be made, by reason.", "counter", "reason",
		map[string]int64{"refused": c.refused.Load(), "failed": c.failed.Load(), "overloaded": c.overloaded.Load()})
}

func is(so bool) int64 {
	if so {
		return 1
	}
	return 0
}
