package redis

import (
	"net"
	"os"
	"runtime"
	"time"
)

// A deadline may pass because this process, or the machine, had no time for us.
// That is no failure of the server's: its answer may have come long ago, and
// nobody has read it. So what times out looks once more, at what is there by now;
// and who finds himself late gets as much time again as he came too late.
const (
	slow      = 10 * time.Millisecond // who is later than this is on a busy machine
	lookFor   = 5 * time.Millisecond  // the last look at what is there
	maxSpare  = 5 * time.Second       // altogether, for one exchange
	dialTries = 5                     // each with twice the time of the one before
)

// queued is how long somebody who could go on waits for a processor at this
// moment. A timer does not tell: whom it wakes goes first.
func queued() time.Duration {
	began := time.Now()
	runtime.Gosched()
	return time.Since(began)
}

// lateness is by how much whoever was to be ready then, and is now, came too late;
// or the wait for a processor, if that is longer.
func lateness(due, now time.Time, queue time.Duration) time.Duration {
	if by := now.Sub(due); by > queue {
		return by
	}
	return queue
}

// patient reads from a connection.
type patient struct {
	stream   net.Conn
	deadline time.Time
	looked   bool
	spare    time.Duration // left to be given
}

// begin starts the time for an exchange.
func (p *patient) begin(limit time.Duration) error {
	p.looked = false
	p.spare = maxSpare
	p.deadline = time.Now().Add(limit)
	return p.stream.SetReadDeadline(p.deadline)
}

// strict is for one look at the connection, in this time and no more.
func (p *patient) strict(limit time.Duration) error {
	p.spare = 0
	return p.stream.SetReadDeadline(time.Now().Add(limit))
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	n, err := p.stream.Read(b)
	for n == 0 && err != nil && os.IsTimeout(err) && p.extend(queued(), time.Now()) {
		n, err = p.stream.Read(b)
	}
	return n, err
}

// extend says whether to read again.
func (p *patient) extend(queue time.Duration, now time.Time) bool {
	more := lateness(p.deadline, now, queue)
	if more < slow {
		if p.looked {
			return false
		}
		more = lookFor
	}
	p.looked = true
	if more > p.spare {
		more = p.spare
	}
	p.spare -= more
	if more <= 0 {
		return false
	}
	p.deadline = now.Add(more)
	return p.stream.SetReadDeadline(p.deadline) == nil
}
