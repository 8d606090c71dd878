package apitoken

import (
	"context"
	"errors"
	"sync"
)

// job is one write that waits. What comes of it is written before done is closed.
type job struct {
	id    string
	first bool // before those that are not
	do    step
	done  chan struct{}

	t   Token
	err error
}

// apply takes the step, and says whether the tokens are others by it.
func (j *job) apply(tokens map[string]Token) bool {
	t, there := tokens[j.id]
	t.ID = j.id
	t, keep, err := j.do(tokens, t, there)
	if err != nil {
		j.err = err
		return false
	}
	j.t = t
	delete(tokens, j.id)
	if keep {
		t.ID = ""
		tokens[j.id] = t
	}
	return true
}

// queue is what waits to be written. All that does is written at once, however much
// it is: so nobody who writes a lot keeps another one waiting for longer than two
// writes.
type queue struct {
	mu          sync.Mutex
	first, then []*job
	busy        bool // somebody writes
}

// add says whether the caller is to have somebody write.
func (q *queue) add(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.first {
		q.first = append(q.first, j)
	} else {
		q.then = append(q.then, j)
	}
	begin := !q.busy
	q.busy = true
	return begin
}

// more says whether anything waits; where nothing does, nobody writes any more.
func (q *queue) more() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = len(q.first)+len(q.then) > 0
	return q.busy
}

// take is all that waits.
func (q *queue) take() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := append(q.first, q.then...)
	q.first = nil
	q.then = nil
	return jobs
}

// drop takes out a job that nobody waits for any more, unless it is under way.
func (q *queue) drop(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.first = without(q.first, j)
	q.then = without(q.then, j)
}

func without(jobs []*job, j *job) []*job {
	var kept []*job
	for _, other := range jobs {
		if other != j {
			kept = append(kept, other)
		}
	}
	return kept
}

// writeQueue runs in a goroutine of its own, one at a time.
func (f *File) writeQueue() {
	for f.queue.more() {
		f.writeSafely()
	}
}

// writeSafely has all that waits done, whatever happens. What others edited
// meanwhile is told when nothing is locked any more.
func (f *File) writeSafely() {
	var jobs []*job
	err := errors.New("panic")
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		_ = recover()
		for _, j := range jobs {
			if err != nil && j.err == nil {
				j.err = troubleWith(err)
			}
			close(j.done)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	held, failed := takeLock(ctx, f.path+".lock")
	// Not before: whoever has given up by now is not written.
	jobs = f.queue.take()
	if failed != nil {
		err = failed
		return
	}
	dead, failed := f.writeLocked(held, jobs)
	f.tell(dead)
	err = failed
}
