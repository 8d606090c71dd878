package latchkey

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/redis"
)

// maxSessionsPerUser bounds what is remembered of one user, the newest.
const maxSessionsPerUser = 1000

// userSessions knows which sessions a user has, so that a login can end others
// and the user can.
type userSessions interface {
	// add notes a session that lasts until then, and returns the IDs of the user's
	// others, the oldest first. Times are Unix milliseconds: logins may be quick.
	add(ctx context.Context, user, id string, until, now int64) ([]string, error)
	// list returns the sessions that last beyond now, the oldest first.
	list(ctx context.Context, user string, now int64) ([]listed, error)
	// listAll is list for several users, in their order.
	listAll(ctx context.Context, users []string, now int64) ([][]listed, error)
	// remove forgets a session.
	remove(ctx context.Context, user, id string, now int64) error
}

// redisUsers keeps them in a sorted set for each user, ordered by their end,
// which is their order of beginning too.
type redisUsers struct {
	client *redis.Client
	prefix string
}

func (u *redisUsers) key(user string) string { return u.prefix + "user:" + user }

// add begins a list anew where a key of another type is in its place: the user could
// never log in again.
func (u *redisUsers) add(ctx context.Context, user, id string, until, now int64) ([]string, error) {
	others, err := u.addOnce(ctx, user, id, until, now)
	if !redis.IsWrongType(err) {
		return others, err
	}
	if _, err := u.client.SetAside(ctx, u.key(user), "zset"); err != nil {
		return nil, fmt.Errorf("note a user's session: %w", err)
	}
	others, err = u.addOnce(ctx, user, id, until, now)
	return others, err
}

func (u *redisUsers) addOnce(ctx context.Context, user, id string, until, now int64) ([]string, error) {
	key := u.key(user)
	left := strconv.FormatInt(until-now, 10) // by no clock: Redis' may be wrong
	replies, err := u.client.DoAll(ctx, [][]string{
		{"ZREMRANGEBYSCORE", key, "-inf", strconv.FormatInt(now, 10)},
		{"ZADD", key, strconv.FormatInt(until, 10), id},
		{"ZREMRANGEBYRANK", key, "0", strconv.Itoa(-maxSessionsPerUser - 1)},
		{"ZRANGE", key, "0", "-1"},
		{"PEXPIRE", key, left, "NX"},
		{"PEXPIRE", key, left, "GT"},
	})
	if err != nil {
		return nil, fmt.Errorf("note a user's session: %w", err)
	}
	for _, reply := range replies[:4] {
		if reply.Err != nil {
			return nil, fmt.Errorf("note a user's session: %w", reply.Err)
		}
	}
	if replies[4].Err != nil || replies[5].Err != nil {
		if err := u.lengthen(ctx, key, left); err != nil {
			return nil, err
		}
	}
	var others []string
	for _, item := range replies[3].Items {
		if item.Text != id {
			others = append(others, item.Text)
		}
	}
	return others, nil
}

// lengthen does for a Redis before version 7 what NX and GT do: the list lives for
// as long as the last of its sessions.
func (u *redisUsers) lengthen(ctx context.Context, key, left string) error {
	const longer = `if redis.call("pttl", KEYS[1]) < tonumber(ARGV[1]) then return redis.call("pexpire", KEYS[1], ARGV[1]) end return 0`
	if _, err := u.client.Do(ctx, "EVAL", longer, "1", key, left); err != nil {
		return fmt.Errorf("note a user's session: %w", err)
	}
	return nil
}

func (u *redisUsers) list(ctx context.Context, user string, now int64) ([]listed, error) {
	lists, err := u.listAll(ctx, []string{user}, now)
	if err != nil {
		return nil, err
	}
	return lists[0], nil
}

// listsAtOnce is how many lists are asked for in one round trip.
const listsAtOnce = 500

func (u *redisUsers) listAll(ctx context.Context, users []string, now int64) ([][]listed, error) {
	lists := make([][]listed, 0, len(users))
	for begin := 0; begin < len(users); begin += listsAtOnce {
		end := begin + listsAtOnce
		if end > len(users) {
			end = len(users)
		}
		var commands [][]string
		for _, user := range users[begin:end] {
			commands = append(commands, []string{"ZRANGEBYSCORE", u.key(user), "(" + strconv.FormatInt(now, 10), "+inf", "WITHSCORES"})
		}
		replies, err := u.client.DoAll(ctx, commands)
		if err != nil {
			return nil, fmt.Errorf("list a user's sessions: %w", err)
		}
		for _, reply := range replies {
			list, err := readListed(reply)
			if err != nil {
				return nil, fmt.Errorf("list a user's sessions: %w", err)
			}
			lists = append(lists, list)
		}
	}
	return lists, nil
}

// readListed reads IDs and ends in turn.
func readListed(reply redis.Reply) ([]listed, error) {
	if reply.Err != nil {
		return nil, reply.Err
	}
	if len(reply.Items)%2 != 0 {
		return nil, fmt.Errorf("%d items, IDs and ends: %w", len(reply.Items), redis.ErrUnavailable)
	}
	var list []listed
	for i := 0; i < len(reply.Items); i += 2 {
		until, err := strconv.ParseInt(reply.Items[i+1].Text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("its end %q is not a number", reply.Items[i+1].Text)
		}
		list = append(list, listed{ID: reply.Items[i].Text, Until: until})
	}
	return list, nil
}

func (u *redisUsers) remove(ctx context.Context, user, id string, _ int64) error {
	if _, err := u.client.Do(ctx, "ZREM", u.key(user), id); err != nil {
		return fmt.Errorf("forget a user's session: %w", err)
	}
	return nil
}

// memoryUsers keeps them in this process.
type memoryUsers struct {
	mu    sync.Mutex
	lists *cache.Memory // of listed, by user
}

// listed is a session of a list. Only its fields are exported, for JSON.
type listed struct {
	ID    string `json:"i"`
	Until int64  `json:"u"`
}

func (u *memoryUsers) add(ctx context.Context, user, id string, until, now int64) ([]string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	list, err := u.read(ctx, user)
	if err != nil {
		return nil, err
	}
	var others []string
	var kept []listed
	last := until
	for _, e := range list {
		if e.Until > now && e.ID != id {
			kept = append(kept, e)
			others = append(others, e.ID)
			last = later(last, e.Until)
		}
	}
	kept = append(kept, listed{ID: id, Until: until})
	if len(kept) > maxSessionsPerUser {
		kept = kept[len(kept)-maxSessionsPerUser:]
	}
	err = u.write(ctx, user, kept, time.Duration(last-now)*time.Millisecond)
	return others, err
}

func (u *memoryUsers) listAll(ctx context.Context, users []string, now int64) ([][]listed, error) {
	lists := make([][]listed, 0, len(users))
	for _, user := range users {
		list, err := u.list(ctx, user, now)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	return lists, nil
}

func (u *memoryUsers) list(ctx context.Context, user string, now int64) ([]listed, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	all, err := u.read(ctx, user)
	if err != nil {
		return nil, err
	}
	var list []listed
	for _, e := range all {
		if e.Until > now {
			list = append(list, e)
		}
	}
	return list, nil
}

func (u *memoryUsers) remove(ctx context.Context, user, id string, now int64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	list, err := u.read(ctx, user)
	if err != nil {
		return err
	}
	var kept []listed
	last := now
	for _, e := range list {
		if e.ID != id {
			kept = append(kept, e)
			last = later(last, e.Until)
		}
	}
	return u.write(ctx, user, kept, time.Duration(last-now)*time.Millisecond)
}

func later(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

func (u *memoryUsers) read(ctx context.Context, user string) ([]listed, error) {
	value, found, err := u.lists.Get(ctx, user)
	if err != nil || !found {
		return nil, err
	}
	var list []listed
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, fmt.Errorf("read a user's sessions: %w", err)
	}
	return list, nil
}

func (u *memoryUsers) write(ctx context.Context, user string, list []listed, ttl time.Duration) error {
	value, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("keep a user's sessions: %w", err)
	}
	return u.lists.Set(ctx, user, value, ttl)
}
