package latchkey

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/page"
)

// health is the document of the status endpoint. Status is "degraded" while the
// provider's last answer was none, Redis is away or refuses commands, or a revocation is not known
// everywhere.
type health struct {
	Status   string      `json:"status"` // "ok" or "degraded"
	Provider oidc.Health `json:"provider"`
	Redis    string      `json:"redis"`                  // "none", or its breaker: "closed" is well, "open", "half-open"
	Refuses  string      `json:"redisRefuses,omitempty"` // the code, such as OOM, while Redis refuses commands
	Revoked  string      `json:"revocations"`            // "ok"; "pending": some could not be written yet; "unreadable"
	Tokens   int         `json:"cachedTokens"`
	Shared   int         `json:"sharedResources"`
}

// serveStatus says whether the middleware can do its work. It is 200 either
// way: Traefik goes on serving whom it knows.
func (l *Latchkey) serveStatus(w http.ResponseWriter, r *http.Request) {
	h := health{Status: "ok", Provider: l.provider.Health(), Redis: "none", Tokens: l.tokens.size(), Shared: resources.held()}
	if l.redis != nil {
		redis := l.redis.Health()
		h.Redis = redis.Breaker
		h.Refuses = redis.Refuses
	}
	h.Revoked = l.revocationHealth()
	if h.Provider.LastError != "" || h.Redis != "none" && h.Redis != "closed" || h.Refuses != "" || h.Revoked != "ok" {
		h.Status = "degraded"
	}
	document, err := json.Marshal(h)
	if err != nil {
		l.refuse(w, r, fmt.Errorf("%w: %v", errInternal, err), "")
		return
	}
	writeJSON(w, string(document))
}

func (l *Latchkey) revocationHealth() string {
	stats := l.revocations.Stats()
	if !stats.Readable || stats.Failing {
		return "unreadable"
	}
	if stats.Pending > 0 {
		return "pending"
	}
	return "ok"
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
	h.Set("X-Content-Type-Options", "nosniff")
	page.Send(w, http.StatusOK, []byte(document))
}
