package redis

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"strconv"
	"time"
)

// connection is an open, authenticated connection to one server.
type connection struct {
	address    string
	raw        net.Conn // closed directly: TLS would first say goodbye to a server that may hang
	stream     net.Conn // raw, or TLS over it
	from       *patient // reads from the stream
	in         *reader
	used       time.Time // when it was last put back, by the pool's clock
	reused     bool
	generation int // of the pool
}

// connect dials, and introduces us to the server, in at most the time-out.
func connect(ctx context.Context, config *Config, address string) (*connection, *failure) {
	c, f := open(ctx, config, address)
	if f != nil {
		return nil, f
	}
	if f := c.introduce(ctx, config); f != nil {
		c.close()
		return nil, f
	}
	return c, nil
}

// open dials, and nothing else. Nothing was said yet, so it is tried again where
// the machine was too slow.
func open(ctx context.Context, config *Config, address string) (*connection, *failure) {
	limit := config.Timeout
	for try := 1; ; try++ {
		due := time.Now().Add(limit)
		c, f := openOnce(ctx, config, limit, address)
		if f == nil || !f.timeout || try == dialTries || lateness(due, time.Now(), queued()) < slow {
			return c, f
		}
		limit = 2 * limit
	}
}

func openOnce(ctx context.Context, config *Config, limit time.Duration, address string) (*connection, *failure) {
	dialer := &net.Dialer{Timeout: limit}
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, broken(ctx, err)
	}
	c := &connection{address: address, raw: raw, stream: raw}
	if config.TLS != nil {
		if f := c.secure(ctx, config, limit); f != nil {
			c.close()
			return nil, f
		}
	}
	c.from = &patient{stream: c.stream}
	c.in = newReader(c.from)
	return c, nil
}

func (c *connection) secure(ctx context.Context, config *Config, limit time.Duration) *failure {
	settings := config.TLS.Clone()
	if settings.ServerName == "" {
		host, _, err := net.SplitHostPort(c.address)
		if err != nil {
			return &failure{code: "address", err: err}
		}
		settings.ServerName = host
	}
	stream := tls.Client(c.raw, settings)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := stream.HandshakeContext(limited); err != nil {
		f := broken(ctx, err)
		if f.code == "network" {
			f.code = "tls"
		}
		return f
	}
	c.stream = stream
	return nil
}

// introduce sends AUTH, SELECT and PING, as needed. The PING finds a server that
// takes no more clients, or is not ready.
func (c *connection) introduce(ctx context.Context, config *Config) *failure {
	commands := c.authentication(config)
	if config.Database > 0 {
		commands = append(commands, []string{"SELECT", strconv.Itoa(config.Database)})
	}
	commands = append(commands, []string{"PING"})
	replies, f := c.exchange(ctx, config.Timeout, commands)
	if f != nil {
		return f
	}
	if f := welcome(replies); f != nil {
		f.barred = f.code == "WRONGPASS" || f.code == "NOAUTH"
		return f
	}
	return misfit(commands, replies)
}

// authentication asks for the password, and keeps it out of error texts.
func (c *connection) authentication(config *Config) [][]string {
	if config.Password != nil {
		c.in.password = config.Password()
	}
	if config.Username != "" {
		return [][]string{{"AUTH", config.Username, c.in.password}}
	}
	if c.in.password != "" {
		return [][]string{{"AUTH", c.in.password}}
	}
	return nil
}

func welcome(replies []Reply) *failure {
	last := len(replies) - 1
	for i := range replies {
		// A user may have no right to PING, which is an answer all the same.
		if replies[i].Err != nil && !(i == last && errorCode(replies[i].Text) == "NOPERM") {
			return refused(replies[i])
		}
	}
	if replies[last].Err == nil && replies[last].Text != "PONG" {
		return &failure{code: "protocol", err: protocolError("an answer to PING", replies[last].Text)}
	}
	return nil
}

// exchange sends the commands and reads as many replies. After a failure the
// connection is to be closed.
func (c *connection) exchange(ctx context.Context, limit time.Duration, commands [][]string) ([]Reply, *failure) {
	if ctx.Done() == nil {
		replies, err := c.converse(limit, commands)
		if err != nil {
			return nil, c.broken(ctx, err)
		}
		return replies, nil
	}
	stop := context.AfterFunc(ctx, func() {
		defer func() { _ = recover() }()
		_ = c.raw.Close()
	})
	replies, err := c.converse(limit, commands)
	if !stop() {
		// It is closed by now, or at any moment, whatever was read.
		return nil, &failure{code: "canceled", err: ctx.Err(), caller: true, spared: true}
	}
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	return replies, nil
}

func (c *connection) broken(ctx context.Context, err error) *failure {
	f := broken(ctx, err)
	f.lost = c.reused && !c.in.started && !f.caller && isClosed(err)
	return f
}

func (c *connection) converse(limit time.Duration, commands [][]string) ([]Reply, error) {
	c.in.started = false
	if err := c.write(limit, commands); err != nil {
		return nil, err
	}
	if err := c.from.begin(limit); err != nil {
		return nil, err
	}
	replies := make([]Reply, len(commands))
	for i := range commands {
		reply, err := c.in.read()
		if err != nil {
			c.in.started = c.in.started || i > 0
			return nil, err
		}
		replies[i] = reply
	}
	if c.in.in.Buffered() > 0 {
		return nil, protocolError("more replies than commands", len(commands))
	}
	return replies, nil
}

// write ends at once, but for a server that takes nothing any more. There is no
// second try after a part was written, so it has its time and all that can be
// spared.
func (c *connection) write(limit time.Duration, commands [][]string) error {
	var b []byte
	for _, args := range commands {
		b = appendCommand(b, args)
	}
	if err := c.stream.SetWriteDeadline(time.Now().Add(limit + maxSpare)); err != nil {
		return err
	}
	_, err := c.stream.Write(b)
	return err
}

// quiet says that the server has said nothing since the last reply, and has not
// closed the connection. It takes a moment: for connections that were idle.
func (c *connection) quiet() bool {
	if err := c.from.strict(quietFor); err != nil {
		return false
	}
	_, err := c.in.in.Peek(1)
	return os.IsTimeout(err)
}

func (c *connection) close() { _ = c.raw.Close() }
