package redis

import (
	"testing"

	"github.com/latchkey-auth/latchkey/internal/redis/redistest"
)

func TestCluster(t *testing.T) {
	s := redistest.StartCluster(t)
	c := open1(t, Config{Mode: "cluster", Addresses: s.Addrs()[:1], Timeout: generous})
	do(t, c, "SET", "k", "v")
	expect(t, "k", do(t, c, "GET", "k"), `"v"`)
}
