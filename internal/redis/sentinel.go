package redis

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"
)

// sentinels know which server is the master. They are asked when a connection
// is made and the master is not known, or was lost.
//
// A sentinel may be wrong for a while after a failover, and so may a master that
// was cut off: each new connection must say by ROLE that it is one.
//
// Sentinels are asked without a password, and get it when they want one.
type sentinels struct {
	config *Config

	mu        sync.Mutex
	addresses []string // the one that answered last comes first
	master    string   // host:port; "": to be asked for
	previous  string   // the master before, for the log
}

func newSentinels(config *Config) *sentinels {
	return &sentinels{config: config, addresses: append([]string(nil), config.Addresses...)}
}

// connect returns a connection to the master.
func (s *sentinels) connect(ctx context.Context) (*connection, *failure) {
	s.mu.Lock()
	master := s.master
	s.mu.Unlock()
	if master != "" {
		c, f := s.enter(ctx, master)
		if f == nil || f.caller {
			return c, f
		}
		s.forget()
	}
	return s.discover(ctx)
}

// discover asks one sentinel after the other, for at most about twice the
// time-out.
func (s *sentinels) discover(ctx context.Context) (*connection, *failure) {
	s.mu.Lock()
	addresses := s.addresses
	s.mu.Unlock()
	began := time.Now()
	last := &failure{code: "no sentinel"}
	for i, address := range addresses {
		c, master, f := s.through(ctx, address)
		if f == nil {
			s.remember(i, master)
			return c, nil
		}
		last = f
		if f.caller || time.Since(began) > 2*s.config.Timeout {
			break
		}
	}
	return nil, last
}

// through enters the master that one sentinel names.
func (s *sentinels) through(ctx context.Context, sentinel string) (*connection, string, *failure) {
	master, f := s.ask(ctx, sentinel)
	if f != nil {
		return nil, "", f
	}
	c, f := s.enter(ctx, master)
	return c, master, f
}

// ask asks one sentinel for the master's address.
func (s *sentinels) ask(ctx context.Context, address string) (string, *failure) {
	c, f := open(ctx, s.config, address)
	if f != nil {
		return "", f
	}
	defer c.close()
	question := [][]string{{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.config.MasterName}}
	replies, f := c.exchange(ctx, s.config.Timeout, question)
	if f != nil {
		return "", f
	}
	answer := replies[0]
	if answer.Err != nil && errorCode(answer.Text) == "NOAUTH" {
		commands := append(c.authentication(s.config), question...)
		replies, f = c.exchange(ctx, s.config.Timeout, commands)
		if f != nil {
			return "", f
		}
		answer = replies[len(replies)-1]
	}
	return masterAddress(answer)
}

func masterAddress(r Reply) (string, *failure) {
	if r.Err != nil {
		return "", refused(r)
	}
	if r.Kind == Nil {
		return "", &failure{code: "unknown master"}
	}
	if r.Kind != List || len(r.Items) != 2 || r.Items[0].Text == "" || r.Items[1].Text == "" {
		return "", &failure{code: "protocol", err: protocolError("a master's address of", len(r.Items))}
	}
	return net.JoinHostPort(r.Items[0].Text, r.Items[1].Text), nil
}

// enter connects to a server, which must be a master.
func (s *sentinels) enter(ctx context.Context, address string) (*connection, *failure) {
	c, f := connect(ctx, s.config, address)
	if f != nil {
		return nil, f
	}
	replies, f := c.exchange(ctx, s.config.Timeout, [][]string{{"ROLE"}})
	if f == nil {
		f = isMaster(replies[0])
	}
	if f != nil {
		c.close()
		return nil, f
	}
	return c, nil
}

func isMaster(r Reply) *failure {
	if r.Err != nil {
		return refused(r)
	}
	if len(r.Items) == 0 || r.Items[0].Text != "master" {
		return &failure{code: "not a master"}
	}
	return nil
}

func (s *sentinels) remember(answered int, master string) {
	s.mu.Lock()
	changed := s.previous != "" && s.previous != master
	s.master = master
	s.previous = master
	if answered > 0 && answered < len(s.addresses) {
		// Another slice: the old one is being read.
		order := append([]string{s.addresses[answered]}, s.addresses[:answered]...)
		s.addresses = append(order, s.addresses[answered+1:]...)
	}
	s.mu.Unlock()
	if changed && s.config.Log != nil {
		s.config.Log.Log(context.Background(), slog.LevelWarn, "redis has another master", "address", master)
	}
}

func (s *sentinels) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.master = ""
}
