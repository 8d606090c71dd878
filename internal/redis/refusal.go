package redis

import (
	"context"
	"log/slog"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// refusalEvery is how often the log has a refusal, at most.
const refusalEvery = time.Minute

// telling are the codes of refusals that somebody has to do something about:
// Redis is full, is a replica, cannot save, or does not let us do what we have to.
var telling = map[string]bool{
	"OOM": true, "READONLY": true, "MISCONF": true, "NOREPLICAS": true, "NOPERM": true, "WRONGTYPE": true,
	"NOAUTH": true, "WRONGPASS": true, "LOADING": true, "MASTERDOWN": true, "CLUSTERDOWN": true, "BUSY": true,
}

// ofAll are the codes of a server that refuses whatever takes room, and growing
// the commands that do. One of them that is answered says that this is over.
var (
	ofAll   = map[string]bool{"OOM": true, "READONLY": true, "MISCONF": true, "NOREPLICAS": true}
	growing = map[string]bool{"SET": true, "ZADD": true, "XADD": true}
)

// refusals are what the server refuses though it is there. A command counts as
// refused until one of the same name is answered, or one that shows that the
// server's state has changed.
type refusals struct {
	log     *slog.Logger // nil: silent
	now     func() time.Time
	current atomic.Int64 // commands in refused

	mu      sync.Mutex
	refused map[string]string // codes, by command
	counts  map[string]int64  // since the start, by code
	logged  time.Time
}

func newRefusals(c *Config) *refusals {
	return &refusals{log: c.Log, now: c.Now, refused: map[string]string{}, counts: map[string]int64{}}
}

// failed looks whether a failure is a refusal.
func (r *refusals) failed(f *failure) {
	if f.command != "" && telling[f.code] {
		r.add(f.command, f.code)
	}
}

// answered looks for refusals among replies.
func (r *refusals) answered(commands [][]string, replies []Reply) {
	for i := range replies {
		if replies[i].Err != nil {
			if code := errorCode(replies[i].Text); telling[code] {
				r.add(commands[i][0], code)
			}
			continue
		}
		if r.current.Load() > 0 {
			r.over(commands[i][0])
		}
	}
}

func (r *refusals) add(command, code string) {
	r.mu.Lock()
	r.refused[command] = code
	r.counts[code]++
	r.current.Store(int64(len(r.refused)))
	now := r.now()
	due := r.logged.IsZero() || now.Sub(r.logged) >= refusalEvery
	if due {
		r.logged = now
	}
	r.mu.Unlock()
	if due && r.log != nil {
		r.log.Log(context.Background(), slog.LevelError, "redis refuses commands", "command", command, "code", code)
	}
}

func (r *refusals) over(command string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.refused, command)
	if growing[command] {
		for name, code := range r.refused {
			if ofAll[code] {
				delete(r.refused, name)
			}
		}
	}
	r.current.Store(int64(len(r.refused)))
}

// show returns one of the codes that commands are refused with now, or "", and
// how often each code came.
func (r *refusals) show() (string, map[string]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var codes []string
	for _, code := range r.refused {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	counts := map[string]int64{}
	for code, n := range r.counts {
		counts[code] = n
	}
	if len(codes) == 0 {
		return "", counts
	}
	return codes[0], counts
}
