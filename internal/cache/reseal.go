package cache

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
	"github.com/latchkey-auth/latchkey/internal/seal"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// resealPage is about how many keys are looked at in one go.
	resealPage = 50
	// resealRest is how many times as long as a page took nothing is done after it:
	// requests come first.
	resealRest = 3
)

// resealScript puts a value in place of the one that it was made of, for as long
// as that has left, and of no other.
const resealScript = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`

// Reseal seals anew all values under prefix that a secret sealed which does not
// seal any more, whatever they are kept for. When it is through, that secret may
// go. It returns how many it sealed. What names a key that the ring does not have
// stays as it is, and so does what does not open.
func Reseal(ctx context.Context, client *redis.Client, prefix string, keys func() *seal.Ring) (int, error) {
	sealed := 0
	err := client.Scan(ctx, pattern(prefix), resealPage, func(names []string) error {
		began := time.Now()
		n, err := resealAll(ctx, client, keys(), names)
		sealed += n
		if err != nil {
			return err
		}
		return wait.Pause(ctx, resealRest*time.Since(began))
	})
	if err != nil {
		return sealed, fmt.Errorf("seal anew: %w", err)
	}
	return sealed, nil
}

// pattern matches all that begins with the prefix, to the letter.
func pattern(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(prefix) + "*"
}

func resealAll(ctx context.Context, client *redis.Client, ring *seal.Ring, names []string) (int, error) {
	commands := make([][]string, len(names))
	for i, name := range names {
		commands[i] = []string{"GET", name}
	}
	replies, err := client.DoAll(ctx, commands)
	if err != nil {
		return 0, err
	}
	sealed := 0
	for i, reply := range replies {
		// A list, say, is refused: none of ours is sealed.
		if reply.Err != nil || reply.Kind != redis.Text || !ring.Stale(reply.Text) {
			continue
		}
		done, err := reseal(ctx, client, ring, names[i], reply.Text)
		if err != nil {
			return sealed, err
		}
		if done {
			sealed++
		}
	}
	return sealed, nil
}

// reseal says whether it put another text in place of this one.
func reseal(ctx context.Context, client *redis.Client, ring *seal.Ring, name, text string) (bool, error) {
	value, err := ring.Open(bound(name), text)
	if err != nil {
		return false, nil
	}
	next, err := ring.Seal(bound(name), value)
	if err != nil {
		return false, err
	}
	reply, err := client.Do(ctx, "EVAL", resealScript, "1", name, text, next)
	if err != nil {
		return false, err
	}
	outcome, err := reply.AsInteger()
	return outcome == 1, err
}
