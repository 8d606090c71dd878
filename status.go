package latchkey

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// health is the document of the status endpoint.
type health struct {
	Status   string      `json:"status"` // "ok", or "degraded" while the provider's last answer was none, or Redis is away
	Provider oidc.Health `json:"provider"`
	Redis    string      `json:"redis"` // "none", or its breaker: "closed" is well, "open", "half-open"
	Tokens   int         `json:"cachedTokens"`
	Shared   int         `json:"sharedResources"`
}

// serveStatus says whether the middleware can do its work. It is 200 either
// way: Traefik goes on serving whom it knows.
func (l *Latchkey) serveStatus(w http.ResponseWriter, r *http.Request) {
	h := health{Status: "ok", Provider: l.provider.Health(), Redis: "none", Tokens: l.tokens.size(), Shared: resources.held()}
	if l.redis != nil {
		h.Redis = l.redis.Health().Breaker
	}
	if h.Provider.LastError != "" || h.Redis != "none" && h.Redis != "closed" || !l.revocations.Stats().Readable && l.redis != nil {
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
	h.Set("X-Content-Type-Options", "nosniff")
	w.Write([]byte(document))
}
