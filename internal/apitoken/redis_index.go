package apitoken

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/redis"
)

// page is about how many ids of an index are read at a time.
const page = 500

func (r *Redis) allKey() string { return r.prefix + "apitokens" }

// ownerKey says nothing of the owner, which may be a name.
func (r *Redis) ownerKey(owner string) string { return r.prefix + "apitokens:" + hashOf(owner) }

// enlist adds the token to the lists. One that is there keeps its place.
func (r *Redis) enlist(ctx context.Context, t Token) error {
	created := strconv.FormatInt(t.Created, 10)
	replies, err := r.client.DoAll(ctx, [][]string{
		{"ZADD", r.allKey(), "NX", created, t.ID},
		{"ZADD", r.ownerKey(t.Owner), "NX", created, t.ID},
	})
	if err != nil {
		return err
	}
	for _, reply := range replies {
		if reply.Err != nil {
			return reply.Err
		}
	}
	return nil
}

// makeRoom refuses the token, and takes it out of the lists again, where with it
// the owner would have too many. It is in the list by now, as are all that are
// being made at the same time: of two for whom there is one place neither may get
// it, but never both.
func (r *Redis) makeRoom(ctx context.Context, t Token, most int) error {
	if most == 0 {
		return nil
	}
	n, err := r.countOwned(ctx, t.Owner)
	if err == nil && n > most {
		// Some may be in the list only: List clears those away.
		if _, err = r.List(ctx, t.Owner); err == nil {
			n, err = r.countOwned(ctx, t.Owner)
		}
	}
	if err == nil && n <= most {
		return nil
	}
	r.delist(ctx, t.Owner, t.ID)
	if err != nil {
		return unavailable("create token", err)
	}
	return fmt.Errorf("%w: %d", ErrTooMany, most)
}

func (r *Redis) countOwned(ctx context.Context, owner string) (int, error) {
	reply, err := r.client.Do(ctx, "ZCARD", r.ownerKey(owner))
	if err != nil {
		return 0, err
	}
	n, err := reply.AsInteger()
	return int(n), err
}

// fetchAll reads the records of all that are good in few round trips. What is
// not among them has to be looked at closely.
func (r *Redis) fetchAll(ctx context.Context, ids map[string]bool) (map[string]Token, error) {
	tokens := map[string]Token{}
	var keys []string
	for id := range ids {
		keys = append(keys, recordKey(id))
	}
	for begin := 0; begin < len(keys); begin += page {
		end := begin + page
		if end > len(keys) {
			end = len(keys)
		}
		values, err := r.sealed.GetAll(ctx, keys[begin:end])
		if err != nil {
			return nil, err
		}
		for key, value := range values {
			id := key[len(recordKey("")):]
			if t, ok := decode(id, value, true); ok {
				tokens[id] = t
			}
		}
	}
	return tokens, nil
}

// delist may fail: List passes over what has no record.
func (r *Redis) delist(ctx context.Context, owner, id string) {
	_, err := r.client.DoAll(ctx, [][]string{
		{"ZREM", r.allKey(), id},
		{"ZREM", r.ownerKey(owner), id},
		{"DEL", r.usedKey(id)},
	})
	if err != nil && r.log != nil {
		r.log.Debug("a deleted token stays in a list", "error", err.Error())
	}
}

// List implements Store. It asks Redis for each record, so that all replicas see
// the same, and leaves in memory what is there.
func (r *Redis) List(ctx context.Context, owner string) ([]Token, error) {
	key := r.allKey()
	if owner != "" {
		key = r.ownerKey(owner)
	}
	ids, err := r.members(ctx, key)
	if err != nil {
		return nil, unavailable("list tokens", err)
	}
	ready, err := r.fetchAll(ctx, ids)
	if err != nil {
		return nil, unavailable("list tokens", err)
	}
	list := make([]Token, len(ids))
	n, unreadable := 0, 0
	for id := range ids {
		t, found := ready[id]
		if !found {
			t, found, err = r.listed(ctx, key, id)
		}
		if errors.Is(err, cache.ErrUnreadable) {
			unreadable++
			err = nil
			continue
		}
		if err != nil {
			return nil, unavailable("list tokens", err)
		}
		if found && (owner == "" || t.Owner == owner) {
			list[n] = t
			n++
		}
	}
	list = list[:n]
	oldestFirst(list)
	if unreadable > 0 {
		return list, fmt.Errorf("list tokens: %d of %d records are %w", unreadable, len(ids), cache.ErrUnreadable)
	}
	return list, nil
}

// members are the ids in a list. A scan has all that are there from its beginning
// to its end, some of them twice; places in the list would move while others are
// removed.
func (r *Redis) members(ctx context.Context, key string) (map[string]bool, error) {
	ids := map[string]bool{}
	cursor := "0"
	for {
		reply, err := r.client.Do(ctx, "ZSCAN", key, cursor, "COUNT", strconv.Itoa(page))
		if err != nil {
			return nil, err
		}
		cursor, err = addScanned(ids, reply)
		if err != nil {
			return nil, err
		}
		if cursor == "0" {
			return ids, nil
		}
	}
}

// addScanned takes the answer to ZSCAN, and returns where to go on.
func addScanned(ids map[string]bool, reply redis.Reply) (string, error) {
	if len(reply.Items) != 2 {
		return "", fmt.Errorf("scan: %d items, want 2: %w", len(reply.Items), redis.ErrUnavailable)
	}
	cursor, found, err := reply.Items[0].AsText()
	if err != nil || !found {
		return "", fmt.Errorf("scan: no cursor: %w", redis.ErrUnavailable)
	}
	items, err := reply.Items[1].AsList()
	if err != nil {
		return "", fmt.Errorf("scan: %w", err)
	}
	addMembers(ids, items)
	return cursor, nil
}

// addMembers reads members and scores in turn.
func addMembers(ids map[string]bool, items []redis.Reply) {
	for i := 0; i < len(items); i += 2 {
		ids[items[i].Text] = true
	}
}

// listed reads a record, and clears away an id that has none: its token expired,
// or was deleted by somebody who could not clear it away. A record that does not
// open stays, and so does its id.
func (r *Redis) listed(ctx context.Context, key, id string) (Token, bool, error) {
	value, found, err := r.sealed.Get(ctx, recordKey(id))
	if err != nil {
		return Token{}, false, err
	}
	t, ok := decode(id, value, found)
	if !found && r.gone(ctx, id) {
		r.forget(ctx, key, id)
	}
	return t, ok, nil
}

// gone says whether there surely is no record, not even one that does not open.
func (r *Redis) gone(ctx context.Context, id string) bool {
	reply, err := r.client.Do(ctx, "EXISTS", r.prefix+recordKey(id))
	if err != nil {
		return false
	}
	n, err := reply.AsInteger()
	return err == nil && n == 0
}

// forget takes an id out of a list if it has no record. A writer may be about to
// make one, who has put it in the list before: hence the lease, without which it
// would be in no list.
func (r *Redis) forget(ctx context.Context, key, id string) {
	holder := randomHex(16)
	defer r.client.ReturnLease(r.leaseKey(id), holder)
	if got, err := r.client.TakeLease(ctx, r.leaseKey(id), holder, leaseFor); err != nil || !got {
		return
	}
	if r.gone(ctx, id) {
		_, _ = r.client.Do(ctx, "ZREM", key, id)
	}
}
