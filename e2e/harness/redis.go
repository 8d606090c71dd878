package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/latchkey-auth/latchkey/e2e/process"
)

// RedisOptions say how to start a redis-server; the zero value serves.
type RedisOptions struct {
	// Port is the port to listen on. 0: a free one.
	Port int
	// Args are added to the command.
	Args []string
	// Config is its configuration file, which a sentinel needs: it writes what it learns there. Empty: none.
	Config string
}

// Redis is a redis-server of its own that keeps nothing on disk: whoever restarts it finds it empty.
type Redis struct {
	// Address is where it listens, as host:port.
	Address string
	// Client is for looking inside.
	Client *redis.Client

	dir     string
	args    []string
	process *process.Process
}

// quiet is the library's logger: that a server which is down cannot be reached is no news in tests.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(quiet{}) }

// StartRedis starts a redis-server and waits until it answers.
func StartRedis(ctx context.Context, options RedisOptions) (*Redis, error) {
	listen, err := address(options.Port)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "latchkey-redis-")
	if err != nil {
		return nil, err
	}
	r := &Redis{Address: listen, dir: dir, args: options.Args}
	r.Client = redis.NewClient(&redis.Options{Addr: listen, DialTimeout: time.Second, MaxRetries: -1})
	if err := r.configure(options.Config); err != nil {
		r.Stop()
		return nil, err
	}
	if err := r.Restart(ctx); err != nil {
		r.Stop()
		return nil, err
	}
	return r, nil
}

func (r *Redis) configure(config string) error {
	if config == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(r.dir, "redis.conf"), []byte(config), 0o644)
}

// Restart starts a redis-server that was stopped or killed, on the same port and with no keys.
func (r *Redis) Restart(ctx context.Context) error {
	if err := r.launch(); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := Poll(ctx, "Redis to answer", func() error {
		select {
		case <-r.process.Done():
			cancel()
			return errors.New("it ended")
		default:
			return r.Client.Ping(ctx).Err()
		}
	})
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(r.dir, "redis.log"))
		return fmt.Errorf("start Redis: %w\n%s", err, log)
	}
	return nil
}

func (r *Redis) launch() error {
	host, port := split(r.Address)
	log, err := os.OpenFile(filepath.Join(r.dir, "redis.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("redis-server", append(r.files(), "--bind", host, "--port", port, "--dir", r.dir)...)
	cmd.Args = append(cmd.Args, "--save", "", "--appendonly", "no")
	cmd.Args = append(cmd.Args, r.args...)
	cmd.Stdout, cmd.Stderr = log, log
	r.process, err = process.Start(cmd)
	return err
}

// files is the configuration file, if there is one.
func (r *Redis) files() []string {
	path := filepath.Join(r.dir, "redis.conf")
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return []string{path}
}

// End asks it to end, and waits until it has.
func (r *Redis) End() {
	if r.process != nil {
		r.process.Stop(grace)
	}
}

// Kill ends it as kill -9 does.
func (r *Redis) Kill() { r.process.Kill() }

// Pause stops the process where it is: its connections stay open and nothing answers.
func (r *Redis) Pause() error { return r.process.Signal(syscall.SIGSTOP) }

// Resume has a paused process go on.
func (r *Redis) Resume() error { return r.process.Signal(syscall.SIGCONT) }

// Flush forgets all keys.
func (r *Redis) Flush(ctx context.Context) error { return r.Client.FlushAll(ctx).Err() }

// Stop kills it and removes its working directory.
func (r *Redis) Stop() {
	if r.process != nil {
		r.process.Kill()
	}
	_ = r.Client.Close()
	os.RemoveAll(r.dir)
}
