package headers

import (
	"strings"
	"sync"
)

// reservedPrefix begins, folded, the names that are identity headers whether or
// not a middleware of this process forwards them: the upstream may know one from
// another proxy.
const reservedPrefix = "x-auth-request-"

// identities are the headers in which other proxies say, without a signature, who
// a person is. An upstream that stood behind one may still believe them. Signed
// assertions are not among them: whoever reads one verifies it.
var identities = []string{
	"Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email", "X-Remote-User", "X-Remote-Group", "X-Remote-Groups",
	"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token",
	"X-Webauth-User", "X-Webauth-Email", "X-Webauth-Name", "X-Webauth-Groups", "X-Webauth-Role",
	"X-Authentik-Username", "X-Authentik-Email", "X-Authentik-Name", "X-Authentik-Uid", "X-Authentik-Groups",
	"X-Goog-Authenticated-User-Email", "X-Goog-Authenticated-User-Id", "X-Amzn-Oidc-Identity",
	"X-Ms-Client-Principal", "X-Ms-Client-Principal-Name", "X-Ms-Client-Principal-Id", "Cf-Access-Authenticated-User-Email",
}

// overrides are the headers that frameworks take for the request's path or host:
// from URL rewriting modules and gateways that stand before an application.
// Public paths and each router's rule are about what Traefik saw, so what a client
// sends there is as good as a forged identity. The method decides nothing here, so
// a client may ask the application for another one.
var overrides = []string{
	"X-Original-Host", "X-Host", "X-Host-Override", "X-Http-Host-Override",
	"X-Original-URL", "X-Original-URI", "X-Original-Path", "X-Rewrite-URL", "X-Rewrite-URI", "X-Override-URL",
	"X-Forwarded-Uri", "X-Forwarded-Path", "X-Request-Uri", "X-Http-Destinationurl", "X-Envoy-Original-Path", "X-Waws-Unencoded-Url",
}

// Names are the header names that the middlewares of a process forward. The
// Guards of all of them share one: what one router sets, none lets a client
// send. Names are only ever added.
type Names struct {
	mu     sync.Mutex
	ours   map[string]bool // folded; replaced, never changed
	common map[string]bool // names that most requests have and that are not ours; the same
	guards map[int]func()  // by number, what tells them; not by pointer, which would make a circle of types
	last   int
}

// NewNames returns the names that are never a client's to send.
func NewNames() *Names {
	n := &Names{ours: map[string]bool{}, common: map[string]bool{}, guards: map[int]func(){}}
	for _, name := range append(overrides, identities...) {
		n.ours[Fold(name)] = true
	}
	for _, name := range commonNames {
		n.common[name] = true
	}
	return n
}

// Add makes these names ours, for every Guard and at once. Empty ones, of
// settings that are off, are left out.
func (n *Names) Add(names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	added := map[string]bool{}
	for _, name := range names {
		if folded := Fold(name); name != "" && !n.ours[folded] {
			added[folded] = true
		}
	}
	if len(added) == 0 {
		return
	}
	n.replace(added)
	for _, forget := range n.guards {
		forget()
	}
}

// replace puts larger copies in the place of ours, and smaller ones in that of
// common. It is called with mu held.
func (n *Names) replace(added map[string]bool) {
	ours := make(map[string]bool, len(n.ours)+len(added))
	for name := range n.ours {
		ours[name] = true
	}
	for name := range added {
		ours[name] = true
	}
	harmless := make(map[string]bool, len(n.common))
	for name := range n.common {
		if !added[Fold(name)] {
			harmless[name] = true
		}
	}
	n.ours = ours
	n.common = harmless
}

// tell has a Guard told of what is added, until remove. It is called with mu held.
func (n *Names) tell(forget func()) (id int) {
	n.last++
	n.guards[n.last] = forget
	return n.last
}

func (n *Names) remove(id int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.guards, id)
}

// mimics says whether a name is another spelling of those that tell of the client's
// connection: address, host, certificate. Traefik deletes a stranger's and sets its
// own, in the one spelling that it knows.
func mimics(name, folded string) bool {
	return (strings.HasPrefix(folded, "x-forwarded-") || folded == "x-real-ip") && !strings.EqualFold(name, folded)
}

// known is what a Guard goes by. It is replaced, never changed.
type known struct {
	ours     map[string]bool // folded
	common   map[string]bool // as they are spelled: where harmless begins
	harmless map[string]bool // as they are spelled: those that need no look
	version  int64           // another one with each replacement
}

// reserved says whether the name, folded, is not a client's to send.
func (k *known) reserved(folded string) bool {
	return k.ours[folded] || strings.HasPrefix(folded, reservedPrefix)
}
