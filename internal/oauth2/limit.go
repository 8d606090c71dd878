package oauth2

import "sync/atomic"

// Limit bounds how much is under way at once. Whoever has begun a login can send
// any code, and each holds a request and a connection until the server answers
// or the time-out is over.
type Limit struct {
	most int64
	held atomic.Int64
}

// NewLimit returns a limit of most at once.
func NewLimit(most int) *Limit { return &Limit{most: int64(most)} }

// enter says whether there is room; if so, the caller leaves.
func (l *Limit) enter() bool {
	if l == nil {
		return true
	}
	if l.held.Add(1) <= l.most {
		return true
	}
	l.leave()
	return false
}

func (l *Limit) leave() {
	if l != nil {
		l.held.Add(-1)
	}
}
