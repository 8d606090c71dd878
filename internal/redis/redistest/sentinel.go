package redistest

import (
	"strconv"
	"strings"
	"testing"
)

// MasterName is what the sentinels call the master.
const MasterName = "main"

// Sentinels are a master, its replica, and three sentinels.
type Sentinels struct {
	Master    *Server
	Replica   *Server
	Sentinels []*Server
}

// StartSentinel starts them, and waits until all know of each other.
func StartSentinel(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{Master: Start(t)}
	s.Master.Command("CONFIG", "SET", "repl-diskless-sync-delay", "0")
	s.Replica = start(t, func(r *Server) []string {
		return append(r.standard(), "--replicaof", "127.0.0.1 "+strconv.Itoa(s.Master.port))
	})
	await(t, "the replica to follow", func() bool {
		return strings.Contains(s.Replica.Command("INFO", "replication"), "master_link_status:up")
	})
	for i := 0; i < 3; i++ {
		sentinel := start(t, func(r *Server) []string {
			return []string{writeFile(t, r.dir, "sentinel.conf", s.configuration(r.port)), "--sentinel"}
		})
		// Talkative, so that nobody has to wait for them; and not confused by a
		// machine that is busy.
		sentinel.Command("SENTINEL", "DEBUG", "INFO-PERIOD", "1000", "PUBLISH-PERIOD", "100", "TILT-TRIGGER", "60000")
		s.Sentinels = append(s.Sentinels, sentinel)
	}
	for _, sentinel := range s.Sentinels {
		await(t, "the sentinels to know of each other", func() bool {
			known := "\n" + sentinel.Command("SENTINEL", "MASTER", MasterName) + "\n"
			return strings.Contains(known, "\nnum-other-sentinels\n2\n") && strings.Contains(known, "\nnum-slaves\n1\n")
		})
	}
	return s
}

// Failover kills the master, and waits until the replica has its place. It does
// not wait for a vote, which may have to be repeated: one sentinel is told to
// decide. The others learn it from that one, in their own time.
func (s *Sentinels) Failover() {
	t := s.Master.t
	t.Helper()
	s.Master.Stop()
	await(t, "the replica to be the master", func() bool {
		// A busy sentinel may refuse for a while, or give up.
		_, _ = s.Sentinels[0].ask("SENTINEL", "FAILOVER", MasterName)
		// The sentinel ends all connections of the server that it promotes.
		role, err := s.Replica.ask("ROLE")
		return err == nil && strings.HasPrefix(role, "master")
	})
}

// Name lets one sentinel name a server as the master, whether it is one or not.
func (s *Sentinels) Name(sentinel int, server *Server) {
	server.t.Helper()
	_, _ = s.Sentinels[sentinel].ask("SENTINEL", "REMOVE", MasterName)
	s.Sentinels[sentinel].Command("SENTINEL", "MONITOR", MasterName, "127.0.0.1", strconv.Itoa(server.port), "2")
}

// Swap lets the master and its replica change places while clients stay
// connected: the old master refuses what they write (READONLY).
func (s *Sentinels) Swap() {
	s.Master.t.Helper()
	for _, sentinel := range s.Sentinels {
		sentinel.Command("SENTINEL", "REMOVE", MasterName) // or they would set it right
	}
	s.Replica.Command("REPLICAOF", "NO", "ONE")
	s.Master.Command("REPLICAOF", "127.0.0.1", strconv.Itoa(s.Replica.port))
	old := s.Master
	s.Master = s.Replica
	s.Replica = old
	for i := range s.Sentinels {
		s.Name(i, s.Master)
	}
}

func (s *Sentinels) configuration(port int) string {
	return "port " + strconv.Itoa(port) + "\nbind 127.0.0.1\nlogfile redis.log\n" +
		"sentinel monitor " + MasterName + " 127.0.0.1 " + strconv.Itoa(s.Master.port) + " 2\n" +
		"sentinel down-after-milliseconds " + MasterName + " 3000\n" +
		"sentinel failover-timeout " + MasterName + " 3000\n"
}

// Addrs are the sentinels' addresses.
func (s *Sentinels) Addrs() []string {
	var addresses []string
	for _, sentinel := range s.Sentinels {
		addresses = append(addresses, sentinel.Addr())
	}
	return addresses
}
