package revocation

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

const (
	// largestPage is how many entries one script reads: some milliseconds of Redis'
	// time, and 300 KB.
	largestPage = 5000
	// plainPage is how many are read without a script, item by item.
	plainPage = 200
	// pageWait is how long a page may take, besides the time-out of a command: a
	// machine may be busy, and Redis is not away for that.
	pageWait = 10 * time.Second
)

// page is a stretch of the stream, in the order in which it was read.
type page struct {
	entries     []Entry
	bad         int
	first, last string // ids; "": it is empty
}

func (p *page) size() int { return len(p.entries) + p.bad }

// pageScript has Redis make columns of a page, which compiled code reads: when
// interpreted, each item of a reply costs more than Redis needs for all of the
// entry. What is no entry becomes zeros. Keys are padded to 24 letters, so that
// they are decoded together.
const pageScript = `
local page
if ARGV[1] == 'back' then
  page = redis.call('XREVRANGE', KEYS[1], ARGV[2], '-', 'COUNT', ARGV[3])
else
  local found = redis.call('XREAD', 'COUNT', ARGV[3], 'STREAMS', KEYS[1], ARGV[2])
  page = found and found[1] and found[1][2] or {}
end
local k, a, u, o = {}, {}, {}, {}
for n, item in ipairs(page) do
  local v = item[2]
  if v[1] == 'k' and v[3] == 'a' and v[5] == 'u' and #v[2] == 22 and tonumber(v[4]) and tonumber(v[6]) then
    k[n] = v[2] a[n] = v[4] u[n] = v[6]
  else
    k[n] = 'AAAAAAAAAAAAAAAAAAAAAA' a[n] = '0' u[n] = '0'
  end
  o[n] = v[7] == 'o' and v[8] == '1' and '1' or '0'
end
if #page == 0 then return {} end
return {page[1][1], page[#page][1], table.concat(k, 'AA') .. 'AA', table.concat(a, ','), table.concat(u, ','), table.concat(o, ',')}
`

var errReply = errors.New("not an answer to the command")

// fetched is what came of asking for a page.
type fetched struct {
	id    string // from where
	reply redis.Reply
	err   error
}

func (g *Log) fetch(ctx context.Context, direction, id string, size int) fetched {
	reply, err := g.client.Block(ctx, pageWait, "EVAL", pageScript, "1", g.stream, direction, id, strconv.Itoa(size))
	return fetched{id: id, reply: reply, err: err}
}

// fetchAhead asks for the page before the one that came, while that is decoded.
func (g *Log) fetchAhead(ctx context.Context, f fetched, size int) chan fetched {
	if f.err != nil || len(f.reply.Items) != 6 {
		return nil
	}
	ahead := make(chan fetched, 1)
	go func() {
		next := g.fetchSafely(ctx, "("+f.reply.Items[1].Text, size)
		ahead <- next
	}()
	return ahead
}

func (g *Log) fetchSafely(ctx context.Context, id string, size int) (next fetched) {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		if r := recover(); r != nil {
			next = fetched{err: fmt.Errorf("panic: %v", r)}
		}
	}()
	next = g.fetch(ctx, "back", id, size)
	return next
}

// readPage reads back from before an id, or on from behind it.
func (g *Log) readPage(ctx context.Context, direction, id string, size int) (page, error) {
	if g.plain {
		p, err := g.readPlain(ctx, direction, id)
		return p, err
	}
	p, err := g.pageOf(ctx, direction, g.fetch(ctx, direction, id, size))
	return p, err
}

// pageOf reads what was fetched, or again in another way.
func (g *Log) pageOf(ctx context.Context, direction string, f fetched) (page, error) {
	id, reply, err := f.id, f.reply, f.err
	if errors.Is(err, redis.ErrCommand) && !isWrongType(reply) {
		g.plain = true // scripts are not allowed
		p, err := g.readPlain(ctx, direction, id)
		return p, err
	}
	if err != nil {
		return page{}, err
	}
	p, err := columns(reply)
	if err != nil { // garbage among them, which is told apart item by item
		p, err = g.readPlain(ctx, direction, id)
	}
	return p, err
}

func isWrongType(reply redis.Reply) bool { return strings.Contains(reply.Text, "WRONGTYPE") }

func (g *Log) readPlain(ctx context.Context, direction, id string) (page, error) {
	if direction == "back" {
		reply, err := g.client.Block(ctx, pageWait, "XREVRANGE", g.stream, id, "-", "COUNT", strconv.Itoa(plainPage))
		if err != nil {
			return page{}, err
		}
		p, err := plainEntries(reply)
		return p, err
	}
	reply, err := g.client.Block(ctx, pageWait, "XREAD", "COUNT", strconv.Itoa(plainPage), "STREAMS", g.stream, id)
	if err != nil {
		return page{}, err
	}
	p, err := streamOf(reply)
	return p, err
}

// columns reads what pageScript returns.
func columns(reply redis.Reply) (page, error) {
	var p page
	if reply.Kind == redis.List && len(reply.Items) == 0 {
		return p, nil
	}
	if len(reply.Items) != 6 {
		return p, fmt.Errorf("read a page: %w", errReply)
	}
	at, until, always, err := numbers(reply.Items[3:])
	if err != nil {
		return p, err
	}
	keys, err := paddedKeys(reply.Items[2].Text, len(at))
	if err != nil || len(at) != len(until) || len(at) != len(always) {
		return p, fmt.Errorf("read a page: columns of different lengths: %w", errReply)
	}
	p.first = reply.Items[0].Text
	p.last = reply.Items[1].Text
	p.entries = make([]Entry, len(keys))
	p.bad = join(p.entries, keys, at, until, always)
	p.entries = p.entries[:len(keys)-p.bad]
	return p, nil
}

func numbers(texts []redis.Reply) (at, until, always []int64, err error) {
	for i, into := range []*[]int64{&at, &until, &always} {
		if err := json.Unmarshal([]byte("["+texts[i].Text+"]"), into); err != nil {
			return nil, nil, nil, fmt.Errorf("read a page: %w", err)
		}
	}
	return at, until, always, nil
}

// paddedKey is a key as encoding/binary reads it.
type paddedKey struct {
	Key  Key
	Rest [2]byte
}

func paddedKeys(text string, n int) ([]paddedKey, error) {
	packed, err := base64.URLEncoding.DecodeString(text)
	if err != nil || len(packed) != 18*n {
		return nil, errReply
	}
	keys := make([]paddedKey, n)
	err = binary.Read(bytes.NewReader(packed), binary.BigEndian, keys)
	return keys, err
}

// join makes entries of columns, and returns how many were none. It is one loop
// without a call, for a million of them.
func join(entries []Entry, keys []paddedKey, at, until, always []int64) int {
	n := 0
	for i := range keys {
		if at[i] <= 0 || until[i] <= 0 || keys[i].Key == noKey {
			continue
		}
		entries[n] = Entry{Key: keys[i].Key, At: at[i], Until: until[i], Always: always[i] == 1}
		n++
	}
	return len(keys) - n
}

var noKey Key

// streamOf reads what XREAD returns: no stream at all, or this one.
func streamOf(reply redis.Reply) (page, error) {
	if reply.Kind == redis.Nil {
		return page{}, nil
	}
	if len(reply.Items) != 1 || len(reply.Items[0].Items) != 2 {
		return page{}, fmt.Errorf("read a page: %w", errReply)
	}
	p, err := plainEntries(reply.Items[0].Items[1])
	return p, err
}

// plainEntries reads a list of entries as the stream has them.
func plainEntries(list redis.Reply) (page, error) {
	var p page
	if list.Kind != redis.List {
		return p, fmt.Errorf("read a page: %w", errReply)
	}
	for i, item := range list.Items {
		if len(item.Items) != 2 || item.Items[0].Text == "" {
			return p, fmt.Errorf("read a page: an entry: %w", errReply)
		}
		p.last = item.Items[0].Text
		if i == 0 {
			p.first = p.last
		}
		e, ok := plainEntry(item.Items[1].Items)
		if !ok {
			p.bad++
			continue
		}
		p.entries = append(p.entries, e)
	}
	return p, nil
}

func plainEntry(fields []redis.Reply) (Entry, bool) {
	var e Entry
	if len(fields) < 6 || fields[0].Text != "k" || fields[2].Text != "a" || fields[4].Text != "u" {
		return e, false
	}
	key, ok := ParseKey(fields[1].Text)
	if !ok || key == noKey {
		return e, false
	}
	e.Key = key
	e.At = number(fields[3].Text)
	e.Until = number(fields[5].Text)
	e.Always = len(fields) >= 8 && fields[6].Text == "o" && fields[7].Text == "1"
	return e, e.At > 0 && e.Until > 0
}

// number is 0 for what is none.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
