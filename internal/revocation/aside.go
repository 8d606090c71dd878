package revocation

import (
	"context"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// setAside moves a key of another type out of the stream's way, at most once a
// second. The log then begins anew, with what the replicas know.
func (g *Log) setAside(ctx context.Context, at *position, why error) {
	if !redis.IsWrongType(why) || time.Since(at.aside) < patience {
		return
	}
	at.aside = time.Now()
	name, err := g.client.SetAside(ctx, g.stream, "stream")
	if err != nil {
		g.say("the key of the revocation log has another type, and cannot be renamed", err.Error())
		return
	}
	if name != "" {
		g.say("the key of the revocation log had another type: it was renamed, and the log begins anew", name)
	}
}
