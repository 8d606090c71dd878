package headers

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// MaxNames is how many names the headers and the announced trailers of one
// request may have. It is also how many a Guard remembers, so that no request
// with more has harmless ones alone.
const MaxNames = 200

// maxName is the longest name that a Guard remembers, in bytes. Longer ones are
// folded each time.
const maxName = 64

// maxListed is how many names a Connection or Trailer header may list. One with
// more goes: no client has a reason for it.
const maxListed = 100

// commonNames are those that nearly every request has, known from the start.
// Upgrade is not one of them: it needs a look each time.
var commonNames = []string{
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers",
	"Access-Control-Request-Method", "Authorization", "Cache-Control", "Content-Encoding", "Content-Length",
	"Content-Type", "Cookie", "Date", "Dnt", "Expect", "Forwarded", "From", "Host", "If-Match", "If-Modified-Since",
	"If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive", "Last-Event-Id", "Max-Forwards", "Origin",
	"Pragma", "Priority", "Range", "Referer", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Sec-Gpc", "Sec-Websocket-Extensions",
	"Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version", "Te", "Traceparent", "Tracestate",
	"Upgrade-Insecure-Requests", "User-Agent", "Via", "X-Api-Key", "X-Forwarded-For", "X-Forwarded-Host",
	"X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-Ip", "X-Request-Id",
	"X-Requested-With",
}

// Guard knows which header names are ours. One serves all requests at once.
type Guard struct {
	names   *Names
	id      int
	keep    map[string]bool // folded: a client's to send, though somebody forwards them
	changed func()

	known    atomic.Value // *known
	learning sync.Mutex   // held while known is replaced
	version  int64        // of known
}

// NewGuard makes a Guard of the names, but for those to keep. Changed is called
// whenever it has forgotten which names are harmless, because others became ours.
func NewGuard(names *Names, keep []string, changed func()) *Guard {
	g := &Guard{names: names, keep: map[string]bool{}, changed: changed}
	for _, name := range keep {
		g.keep[Fold(name)] = true
	}
	names.mu.Lock()
	defer names.mu.Unlock()
	g.id = names.tell(func() { g.forget() })
	g.begin()
	return g
}

// Close lets the Guard's names go. It still knows those of this moment.
func (g *Guard) Close() { g.names.remove(g.id) }

// forget begins anew with what is ours by now. It is called with names.mu held.
func (g *Guard) forget() {
	g.begin()
	g.changed()
}

func (g *Guard) begin() {
	g.learning.Lock()
	g.store(&known{ours: g.names.ours, common: g.names.common, harmless: g.names.common})
	g.learning.Unlock()
}

// store is called with learning held.
func (g *Guard) store(k *known) {
	g.version++
	k.version = g.version
	g.known.Store(k)
}

// Strip deletes every header and trailer of a request that could be taken for
// one of ours, and what names one in Connection and Trailer; and what asks the
// upstream to switch to another protocol than that of a WebSocket.
//
// The trailer map becomes the request's own: net/http adds to the one it
// handed out whatever trailers it finds at the end of the body, announced or
// not, when nobody looks any more. Values that arrive then are not seen
// through r, as long as r is a copy of the server's request (WithContext), as
// it is in every middleware behind another.
func (g *Guard) Strip(r *http.Request) {
	k := g.known.Load().(*known)
	if r.Header["Upgrade"] != nil {
		stripUpgrade(r)
	}
	for name := range r.Header {
		if !k.harmless[name] {
			g.judge(k, r.Header, name)
		}
	}
	if r.Trailer != nil {
		g.stripTrailer(k, r)
	}
}

// Nowhere refuses whatever is written to it. So the error of
// Header.WriteSubset(Nowhere, harmless) says, by a compiled loop, that there is
// a header which is not harmless. It passes over names that are no tokens (RFC
// 9110, section 5.1), which net/http neither accepts nor sends.
var Nowhere io.Writer = closedPipe()

func closedPipe() io.Writer {
	reader, writer := io.Pipe()
	reader.Close()
	return writer
}

// Harmless are the names, as they are spelled, that need no look. The map is
// never changed; next time it may be another, of another version.
func (g *Guard) Harmless() (names map[string]bool, version int64) {
	k := g.known.Load().(*known)
	names = k.harmless
	version = k.version
	return names, version
}

func (g *Guard) reserved(k *known, folded string) bool {
	return k.reserved(folded) && !g.keep[folded]
}

// judge deals with a header that is not known to be harmless.
func (g *Guard) judge(k *known, header http.Header, name string) {
	folded := Fold(name)
	switch {
	case g.reserved(k, folded) || mimics(name, folded):
		delete(header, name)
	case folded == "connection":
		g.stripLists(k, header, name)
	case folded == "trailer":
		g.stripLists(k, header, name)
	case folded == "http2-settings":
		delete(header, name)
	case folded == "upgrade" && name != "Upgrade":
		delete(header, name) // what is spelled right was looked at
	}
}

func (g *Guard) stripTrailer(k *known, r *http.Request) {
	kept := http.Header{}
	for name, values := range r.Trailer {
		if !g.reserved(k, Fold(name)) {
			kept[name] = values
		}
	}
	r.Trailer = kept
}

// stripLists takes ours, and a switch of protocols that is not asked for any
// more, out of a header that is a list of header names.
func (g *Guard) stripLists(k *known, header http.Header, name string) {
	list := ""
	if len(header[name]) <= maxListed {
		list = strings.Join(header[name], ",")
	}
	if list == "" || strings.Count(list, ",") >= maxListed {
		delete(header, name)
		return
	}
	var kept []string
	for _, listed := range strings.Split(list, ",") {
		listed = strings.TrimSpace(listed)
		if listed != "" && g.mayList(k, header, Fold(listed)) {
			kept = append(kept, listed)
		}
	}
	if len(kept) == 0 {
		delete(header, name)
		return
	}
	header[name] = []string{strings.Join(kept, ", ")}
}

func (g *Guard) mayList(k *known, header http.Header, folded string) bool {
	if folded == "upgrade" {
		return header["Upgrade"] != nil
	}
	return folded != "http2-settings" && !g.reserved(k, folded)
}

// Learn remembers the names of a request that are harmless, as far as there is
// room; with none left it begins anew. It is for requests of people who are
// known: a stranger's names would push out everybody's.
func (g *Guard) Learn(header http.Header) {
	k := g.known.Load().(*known)
	var names []string
	for name := range header {
		if !k.harmless[name] && len(name) <= maxName && g.learnable(k, name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		g.learn(names)
	}
}

// learnable says whether a name needs no look when it comes again.
func (g *Guard) learnable(k *known, name string) bool {
	folded := Fold(name)
	switch folded {
	case "connection", "trailer", "upgrade", "http2-settings":
		return false
	}
	return !g.reserved(k, folded) && !mimics(name, folded)
}

// learn puts a copy with more names in the place of what is known. The copy
// is made under the lock, or two goroutines would undo each other's.
func (g *Guard) learn(names []string) {
	g.learning.Lock()
	defer g.learning.Unlock()
	k := g.known.Load().(*known)
	from := k.harmless
	if len(from)+len(names) > MaxNames {
		from = k.common
	}
	more := make(map[string]bool, len(from)+len(names))
	for old := range from {
		more[old] = true
	}
	for _, name := range names {
		if len(more) < MaxNames && g.learnable(k, name) {
			more[name] = true
		}
	}
	g.store(&known{ours: k.ours, common: k.common, harmless: more})
}
