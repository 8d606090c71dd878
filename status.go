package latchkey

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/latchkey-auth/latchkey/internal/oidc"
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

// health is the document of the status endpoint.
type health struct {
	Status   string      `json:"status"` // "ok", or "degraded" while the provider's last answer was none
	Provider oidc.Health `json:"provider"`
	Tokens   int         `json:"cachedTokens"`
	Shared   int         `json:"sharedResources"`
}

// serveStatus says whether the middleware can do its work. It is 200 either
// way: Traefik goes on serving whom it knows.
func (l *Latchkey) serveStatus(w http.ResponseWriter, r *http.Request) {
	h := health{Status: "ok", Provider: l.provider.Health(), Tokens: l.tokens.size(), Shared: resources.held()}
	if h.Provider.LastError != "" {
		h.Status = "degraded"
	}
	document, err := json.Marshal(h)
	if err != nil {
		l.refuse(w, r, fmt.Errorf("%w: %v", errInternal, err), "")
		return
	}
	writeJSON(w, string(document))
}

// serveUserInfo gives a single-page application the claims of whoever is
// logged in. What is wrong with a credential is told as everywhere.
func (l *Latchkey) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	v, err := l.authenticate(w, r)
	if err != nil {
		l.refuse(w, r, err, "")
		return
	}
	writeJSON(w, v.identity.Claims)
}

func writeJSON(w http.ResponseWriter, document string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.Write([]byte(document))
}

// serveMetrics writes the counters in Prometheus' text format. They tell
// numbers, never who.
func (l *Latchkey) serveMetrics(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	c := l.counters
	metric(&b, "latchkey_logins_started_total", "counter", "Logins sent to the provider.", c.loginsStarted.Load())
	metric(&b, "latchkey_logins_finished_total", "counter", "Logins that led to a session.", c.loginsFinished.Load())
	metric(&b, "latchkey_logins_failed_total", "counter", "Callbacks that led to no session.", c.loginsFailed.Load())
	metric(&b, "latchkey_logouts_total", "counter", "Sessions ended by their owner.", c.logouts.Load())
	metric(&b, "latchkey_token_cache_entries", "gauge", "Verified credentials held.", int64(l.tokens.size()))
	metric(&b, "latchkey_verifications_total", "counter", "Credentials that the token cache did not vouch for.", c.verifications.Load())
	metric(&b, "latchkey_token_cache_evictions_total", "counter", "Verified credentials pushed out by others.", l.tokens.evicted.Load())
	metric(&b, "latchkey_shared_resources", "gauge", "Resources shared by the middlewares of this process.", int64(resources.held()))
	stats := l.provider.Stats()
	metric(&b, "latchkey_discovery_fetches_total", "counter", "Fetches of this provider's discovery document.", int64(stats.DiscoveryFetches))
	metric(&b, "latchkey_key_fetches_total", "counter", "Fetches of this provider's keys.", int64(stats.KeyFetches))
	metric(&b, "latchkey_provider_failures_total", "counter", "Fetches from this provider that failed.", int64(stats.Failures))
	c.writeRefusals(&b)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprint(w, b.String())
}

func metric(b *strings.Builder, name, kind, help string, value int64) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", name, help, name, kind, name, value)
}

func (c *counters) writeRefusals(b *strings.Builder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var codes []string
	for code := range c.refusals {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	const name = "latchkey_refusals_total"
	fmt.Fprintf(b, "# HELP %s Requests refused, by reason code.\n# TYPE %s counter\n", name, name)
	for _, code := range codes {
		fmt.Fprintf(b, "%s{reason=%q} %d\n", name, code, c.refusals[code])
	}
}
