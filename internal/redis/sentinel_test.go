package redis

import (
	"testing"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

func TestFailover(t *testing.T) {
	s := redistest.StartSentinel(t)
	c := open1(t, Config{Mode: "sentinel", Addresses: s.Addrs(), MasterName: redistest.MasterName})
	do(t, c, "SET", "k", "v")
	expect(t, "the master has it", s.Master.Command("GET", "k"), "v")
	waitFor(t, "the replica to have it", func() bool { return s.Replica.Command("GET", "k") == "v" })

	s.Failover()
	waitFor(t, "commands to succeed again", func() bool {
		_, err := c.Do(background, "SET", "k", "after")
		if err != nil {
			expectError(t, "meanwhile", err, ErrUnavailable)
		}
		return err == nil
	})
	expect(t, "the new master has it", s.Replica.Command("GET", "k"), "after")
}
