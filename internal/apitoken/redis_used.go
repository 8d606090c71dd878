package apitoken

import (
	"context"
	"strconv"
	"sync"
	"time"
)

const (
	usedFor    = 400 * 24 * time.Hour
	usedWithin = time.Second
	// maxNotes bounds the tokens whose last note is remembered, and maxWriters the
	// notes on their way: one for which there is no room is left to the next use.
	maxNotes   = 10000
	maxWriters = 16
)

// notes is when this process noted uses of tokens last.
type notes struct {
	mu      sync.Mutex
	times   map[string]int64
	writers int
}

func (r *Redis) usedKey(id string) string { return r.prefix + "apitoken-used:" + id }

// Used implements Store.
func (r *Redis) Used(_ context.Context, id string, now int64) {
	if r.used.begin(id, now) {
		go r.writeUse(id, now)
	}
}

func (n *notes) begin(id string, now int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if within(now, n.times[id]) || n.writers >= maxWriters {
		return false
	}
	if n.times == nil || len(n.times) >= maxNotes {
		n.times = map[string]int64{}
	}
	n.times[id] = now
	n.writers++
	return true
}

func (n *notes) end() {
	n.mu.Lock()
	n.writers--
	n.mu.Unlock()
}

// writeUse runs in a goroutine of its own. Nobody is let in or out by it, so it
// may fail.
func (r *Redis) writeUse(id string, now int64) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		_ = recover()
	}()
	defer r.used.end()
	ctx, cancel := context.WithTimeout(context.Background(), usedWithin)
	defer cancel()
	seconds := strconv.FormatInt(int64(usedFor/time.Second), 10)
	_, _ = r.client.Do(ctx, "SET", r.usedKey(id), strconv.FormatInt(now, 10), "EX", seconds)
}

// LastUse implements Store.
func (r *Redis) LastUse(ctx context.Context, ids []string) (map[string]int64, error) {
	found := map[string]int64{}
	for begin := 0; begin < len(ids); begin += page {
		end := begin + page
		if end > len(ids) {
			end = len(ids)
		}
		if err := r.lastUse(ctx, ids[begin:end], found); err != nil {
			return nil, unavailable("last use of tokens", err)
		}
	}
	return found, nil
}

func (r *Redis) lastUse(ctx context.Context, ids []string, found map[string]int64) error {
	commands := make([][]string, len(ids))
	for i, id := range ids {
		commands[i] = []string{"GET", r.usedKey(id)}
	}
	replies, err := r.client.DoAll(ctx, commands)
	if err != nil {
		return err
	}
	for i, reply := range replies {
		at, err := strconv.ParseInt(reply.Text, 10, 64)
		if err == nil && reply.Err == nil && at > 0 {
			found[ids[i]] = at
		}
	}
	return nil
}
