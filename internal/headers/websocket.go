package headers

import (
	"net/http"
	"strings"
)

// WebSocket says whether the request asks for a WebSocket (RFC 6455, section
// 4.1) and for nothing else.
func WebSocket(r *http.Request) bool {
	upgrade := r.Header["Upgrade"]
	return len(upgrade) == 1 && strings.EqualFold(strings.TrimSpace(upgrade[0]), "websocket") &&
		r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && r.ProtoMajor == 1 &&
		len(r.Header["Sec-Websocket-Key"]) == 1
}

// stripUpgrade takes the offer to switch to another protocol off a request,
// unless it is for a WebSocket: an upstream that takes one to h2c reads further
// requests from the connection, which nobody has looked at (RFC 7540, section
// 3.2).
func stripUpgrade(r *http.Request) {
	if !WebSocket(r) {
		delete(r.Header, "Upgrade")
	}
}
