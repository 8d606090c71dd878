// Package redistest starts real redis-servers for tests.
//
//	s := redistest.Start(t)         // ends with the test
//	s.Addr()                        // 127.0.0.1:port
//	s.Command("FLUSHALL")           // as an administrator, past any client under test
//	s.Stop(); s.Restart()           // kill -9; the same port, and empty
//	s.Pause(); s.Resume()           // it hangs, and goes on
//	redistest.StartSecure(t)        // TLS and a user with a password; nobody else may enter
//	redistest.StartSentinel(t)      // a master, a replica, three sentinels
//	redistest.StartCluster(t)       // three nodes
//
// redis-server must be installed. It is killed with the test's process, however
// that ends.
package redistest

import (
	"math/rand"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const patience = 20 * time.Second

// Server is a running redis-server.
type Server struct {
	t       testing.TB
	port    int
	dir     string
	args    []string
	admin   credentials
	process *process
}

// Start starts a server that keeps nothing on disk and ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t, func(s *Server) []string { return s.standard() })
}

// start starts a server on a free port. Somebody else may take the port
// meanwhile: then it is another one, with other arguments.
func start(t testing.TB, arguments func(*Server) []string) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir()}
	t.Cleanup(s.end)
	for i := 0; i < 5; i++ {
		s.port = freePort(t)
		s.args = arguments(s)
		if s.launch() {
			return s
		}
	}
	t.Fatalf("redis-server does not start; its log ends with:\n%s", s.log())
	return nil
}

func (s *Server) standard() []string {
	return []string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--save", "", "--appendonly", "no", "--logfile", "redis.log",
	}
}

// launch starts the process and waits until it answers.
func (s *Server) launch() bool {
	s.t.Helper()
	p, err := startProcess("redis-server", s.args, s.dir)
	if err != nil {
		s.t.Fatalf("start redis-server, which must be installed: %v", err)
	}
	s.process = p
	for began := time.Now(); time.Since(began) < patience; time.Sleep(5 * time.Millisecond) {
		if p.ended() {
			return false
		}
		if text, err := s.ask("PING"); err == nil && text == "PONG" {
			return true
		}
	}
	p.kill()
	return false
}

// Addr is the server's host:port.
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// Stop kills the server: all it knew is lost, and its clients see closed
// connections.
func (s *Server) Stop() { s.process.kill() }

// Restart stops the server, if it runs, and starts it on the same port.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.launch() {
		s.t.Fatalf("redis-server does not start again; its log ends with:\n%s", s.log())
	}
}

// Pause lets the server hang: connections open, and nothing is answered.
func (s *Server) Pause() {
	s.t.Helper()
	if err := s.process.signal(sigSTOP); err != nil {
		s.t.Fatalf("pause redis-server: %v", err)
	}
}

// Resume lets a paused server go on.
func (s *Server) Resume() {
	s.t.Helper()
	if err := s.process.signal(sigCONT); err != nil {
		s.t.Fatalf("resume redis-server: %v", err)
	}
}

// Command sends one command on a connection of its own. The test fails when the
// server refuses it. The items of a list come line by line.
func (s *Server) Command(args ...string) string {
	s.t.Helper()
	text, err := s.ask(args...)
	if err != nil {
		s.t.Fatalf("redis at %s: %v", s.Addr(), err)
	}
	return text
}

// Refused is how often the server has answered with this code of an error.
func (s *Server) Refused(code string) int {
	s.t.Helper()
	_, after, found := strings.Cut(s.Command("INFO", "errorstats"), "errorstat_"+code+":count=")
	if !found {
		return 0
	}
	digits, _, _ := strings.Cut(after, "\r")
	n, err := strconv.Atoi(digits)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *Server) end() {
	if s.process != nil {
		s.process.kill()
	}
}

func (s *Server) log() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "redis.log"))
	if err != nil {
		return err.Error()
	}
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return string(b)
}

// freePort is below those that the kernel gives to outgoing connections: a
// client that dials a server which is down could otherwise get that very port,
// and be connected with itself.
func freePort(t testing.TB) int {
	t.Helper()
	for i := 0; i < 100; i++ {
		port := 20000 + rand.Intn(12000)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return 0
}

// await asks until the condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s: not within %s", what, patience)
}
