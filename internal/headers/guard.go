package headers

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Bounds of what a Guard remembers. Names beyond them are folded each time.
const (
	maxNames = 1000
	maxName  = 64 // bytes
)

// maxListed is how many names a Connection or Trailer header may list. One with
// more goes: no client has a reason for it.
const maxListed = 100

// common are the names that nearly every request has. They are known from the
// start, so that a client that fills the memory with made-up names cannot
// slow down everybody else's requests.
var common = []string{
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers",
	"Access-Control-Request-Method", "Authorization", "Cache-Control", "Content-Encoding", "Content-Length",
	"Content-Type", "Cookie", "Date", "Dnt", "Expect", "Forwarded", "From", "Host", "If-Match", "If-Modified-Since",
	"If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive", "Last-Event-Id", "Max-Forwards", "Origin",
	"Pragma", "Priority", "Range", "Referer", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Sec-Gpc", "Sec-Websocket-Extensions",
	"Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version", "Te", "Traceparent", "Tracestate",
	"Upgrade", "Upgrade-Insecure-Requests", "User-Agent", "Via", "X-Api-Key", "X-Forwarded-For", "X-Forwarded-Host",
	"X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-Ip", "X-Request-Id",
	"X-Requested-With",
}

// Guard knows which header names are ours. One serves all requests at once.
type Guard struct {
	ours map[string]bool // folded

	// harmless holds a map[string]bool of names, as they are spelled, that do
	// not fold to ours. It is replaced, never changed.
	harmless atomic.Value
	learning sync.Mutex // held while harmless is replaced
}

// NewGuard makes a Guard of the names that are ours. Empty ones, of settings
// that are off, are left out.
func NewGuard(names []string) *Guard {
	g := &Guard{ours: map[string]bool{}}
	for _, name := range names {
		if name != "" {
			g.ours[Fold(name)] = true
		}
	}
	harmless := map[string]bool{}
	for _, name := range common {
		if !g.ours[Fold(name)] {
			harmless[name] = true
		}
	}
	g.harmless.Store(harmless)
	return g
}

// Strip deletes every header and trailer of a request that could be taken for
// one of ours, and what names one in Connection and Trailer.
//
// The trailer map becomes the request's own: net/http adds to the one it
// handed out whatever trailers it finds at the end of the body, announced or
// not, when nobody looks any more. Values that arrive then are not seen
// through r, as long as r is a copy of the server's request (WithContext), as
// it is in every middleware behind another.
func (g *Guard) Strip(r *http.Request) {
	harmless := g.Harmless()
	for name := range r.Header {
		if !harmless[name] {
			g.judge(r.Header, name)
		}
	}
	if r.Trailer != nil {
		g.stripTrailer(r)
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

// Harmless are the names, as they are spelled, that are known not to fold to
// ours. The map is never changed; next time it may be another.
func (g *Guard) Harmless() map[string]bool {
	return g.harmless.Load().(map[string]bool)
}

// judge deals with a header that is not known to be harmless.
func (g *Guard) judge(header http.Header, name string) {
	folded := Fold(name)
	if g.ours[folded] {
		delete(header, name)
		return
	}
	if folded == "connection" || folded == "trailer" {
		g.stripLists(header, name)
		return
	}
	g.learn(name)
}

func (g *Guard) stripTrailer(r *http.Request) {
	kept := http.Header{}
	for name, values := range r.Trailer {
		if !g.ours[Fold(name)] {
			kept[name] = values
		}
	}
	r.Trailer = kept
}

// stripLists takes ours out of a header that is a list of header names.
func (g *Guard) stripLists(header http.Header, name string) {
	var kept []string
	if strings.Count(strings.Join(header[name], ","), ",") >= maxListed {
		delete(header, name)
		return
	}
	for _, list := range header[name] {
		if list = g.stripList(list); list != "" {
			kept = append(kept, list)
		}
	}
	if len(kept) == 0 {
		delete(header, name)
		return
	}
	header[name] = kept
}

func (g *Guard) stripList(list string) string {
	var kept []string
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		if name != "" && !g.ours[Fold(name)] {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, ", ")
}

// learn remembers that a name is harmless, while there is room: with none
// left, strangers' names do not even take the lock.
func (g *Guard) learn(name string) {
	if len(g.Harmless()) < maxNames && len(name) <= maxName {
		g.replace(name)
	}
}

// replace puts a copy with one more name in the place of harmless. The copy
// is made under the lock, or two goroutines would undo each other's.
func (g *Guard) replace(name string) {
	g.learning.Lock()
	known := g.Harmless()
	if len(known) < maxNames {
		more := make(map[string]bool, len(known)+1)
		for old := range known {
			more[old] = true
		}
		more[name] = true
		g.harmless.Store(more)
	}
	g.learning.Unlock()
}
