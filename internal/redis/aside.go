package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// asideScript renames a key of another type. It looks at the type and renames in one
// step: another process may have done so, and begun anew, a moment ago.
const asideScript = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == ARGV[1] or kind == 'none' then return 0 end
return redis.call('RENAMENX', KEYS[1], KEYS[2])
`

// IsWrongType says whether a command was refused since its key has another type.
func IsWrongType(err error) bool {
	return errors.Is(err, ErrCommand) && strings.Contains(err.Error(), ": WRONGTYPE ")
}

// SetAside moves a key that is not of this type out of the way. Its value is kept: it
// may be somebody's. The name that it has then is returned; "": it is of the type.
func (c *Client) SetAside(ctx context.Context, key, kind string) (string, error) {
	// The braces keep both names on one node of a cluster.
	name := key + ":set-aside:{" + key + "}:" + strconv.FormatInt(c.config.Now().UnixNano(), 10)
	reply, err := c.Do(ctx, "EVAL", asideScript, "2", key, name, kind)
	if err != nil {
		return "", fmt.Errorf("set a key of another type aside: %w", err)
	}
	moved, err := reply.AsInteger()
	if err != nil {
		return "", fmt.Errorf("set a key of another type aside: %w", err)
	}
	if moved == 0 {
		return "", nil
	}
	return name, nil
}
