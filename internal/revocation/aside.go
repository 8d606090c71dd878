package revocation

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// asideScript renames a key that is no stream. It looks at the type and renames in
// one step: another replica may have done so, and begun a stream, a moment ago.
const asideScript = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'stream' or kind == 'none' then return 0 end
return redis.call('RENAMENX', KEYS[1], KEYS[2])
`

// setAside moves a key of another type out of the stream's way, at most once a
// second. Its value is kept: it may be somebody's. The log then begins anew, with
// what the replicas know.
func (g *Log) setAside(ctx context.Context, at *position, why error) {
	if !errors.Is(why, redis.ErrCommand) || !strings.Contains(why.Error(), "WRONGTYPE") || time.Since(at.aside) < patience {
		return
	}
	at.aside = time.Now()
	// The braces keep both names on one node of a cluster.
	name := g.stream + ":set-aside:{" + g.stream + "}:" + strconv.FormatInt(at.aside.UnixMilli(), 10)
	reply, err := g.client.Do(ctx, "EVAL", asideScript, "2", g.stream, name)
	if err != nil {
		g.say("the key of the revocation log has another type, and cannot be renamed", err.Error())
		return
	}
	if moved, err := reply.AsInteger(); err == nil && moved == 1 {
		g.say("the key of the revocation log had another type: it was renamed, and the log begins anew", name)
	}
}
