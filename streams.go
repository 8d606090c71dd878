package latchkey

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/headers"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// streams are the WebSockets and event streams under way, by what their
// credential can be revoked by. They go on for hours after their request was let
// in, so a revocation has to look for them.
type streams struct {
	mu    sync.Mutex
	open  map[revocation.Key]map[*stream]bool
	ended int64
}

type stream struct {
	issued int64 // as the credential
	keys   [3]revocation.Key
	cancel context.CancelFunc
}

var noKey revocation.Key

func newStreams() *streams { return &streams{open: map[revocation.Key]map[*stream]bool{}} }

// isStream says whether the answer goes on for as long as the client likes.
func isStream(r *http.Request) bool {
	return headers.WebSocket(r) || accepts(r.Header, eventStream)
}

const eventStream = "text/event-stream"

// maxAccept bounds what is read of Accept, in bytes.
const maxAccept = 16 << 10

// accepts says whether a media type, in lower case, is among those that the
// request accepts: in any line, and in any case (RFC 9110, section 8.3.1). A list
// that is too long to be read may be a stream's, and is no browser's.
func accepts(h http.Header, mediaType string) bool {
	all := strings.Join(h["Accept"], ",")
	if len(all) > maxAccept {
		return mediaType == eventStream
	}
	return strings.Contains(strings.ToLower(all), mediaType)
}

// forwardStream is forward for a stream: it ends with whatever let it in.
func (l *Latchkey) forwardStream(w http.ResponseWriter, r *http.Request, v *verified, view *view) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &stream{issued: v.issued, keys: v.keys, cancel: cancel}
	l.streams.add(s)
	defer l.streams.remove(s)
	// What was revoked before it was added has not found it.
	if err := l.checkClean(ctx, v); err != nil {
		l.challenge(w, r, err)
		return
	}
	timer := time.AfterFunc(time.Unix(v.ends, 0).Sub(l.now()), cancel)
	defer timer.Stop()
	l.forward(w, r.WithContext(ctx), view)
}

func (p *streams) add(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range s.keys {
		if key == noKey {
			continue
		}
		if p.open[key] == nil {
			p.open[key] = map[*stream]bool{}
		}
		p.open[key][s] = true
	}
}

func (p *streams) remove(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range s.keys {
		delete(p.open[key], s)
		if len(p.open[key]) == 0 {
			delete(p.open, key)
		}
	}
}

// revoked ends the streams that the entries are about: after a start, hundreds of
// thousands that are about none.
func (p *streams) revoked(entries []revocation.Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 {
		return
	}
	for i := range entries {
		if open := p.open[entries[i].Key]; open != nil {
			p.end(open, entries[i])
		}
	}
}

func (p *streams) end(open map[*stream]bool, e revocation.Entry) {
	for s := range open {
		if e.Always || s.issued <= e.At {
			s.cancel()
			p.ended++
		}
	}
}

// endAll ends every stream: nobody is left who would hear of a revocation.
func (p *streams) endAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, open := range p.open {
		for s := range open {
			s.cancel()
		}
	}
}

// count is how many are under way, and how many a revocation has ended.
func (p *streams) count() (open, ended int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[*stream]bool{}
	for _, of := range p.open {
		for s := range of {
			seen[s] = true
		}
	}
	return int64(len(seen)), p.ended
}
