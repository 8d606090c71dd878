package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// MasterName is what the sentinels call their master.
const MasterName = "main"

// Sentinels are three sentinels that watch a master and its replica.
type Sentinels struct {
	Master, Replica *Redis
	Sentinels       []*Redis
}

// StartSentinels starts the five and waits until they know one another.
func StartSentinels(ctx context.Context) (*Sentinels, error) {
	s := &Sentinels{}
	if err := s.start(ctx); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start sentinels: %w", err)
	}
	return s, nil
}

func (s *Sentinels) start(ctx context.Context) error {
	var err error
	if s.Master, err = StartRedis(ctx, RedisOptions{Args: []string{"--repl-diskless-sync-delay", "0"}}); err != nil {
		return err
	}
	host, port := split(s.Master.Address)
	if s.Replica, err = StartRedis(ctx, RedisOptions{Args: []string{"--replicaof", host, port}}); err != nil {
		return err
	}
	config := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]s 2\nsentinel down-after-milliseconds %[1]s 1000\nsentinel failover-timeout %[1]s 5000\n",
		MasterName, host, port)
	for range 3 {
		r, err := StartRedis(ctx, RedisOptions{Config: config, Args: []string{"--sentinel"}})
		if err != nil {
			return err
		}
		s.Sentinels = append(s.Sentinels, r)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return Poll(ctx, "the sentinels to know one another", func() error {
		for _, r := range s.Sentinels {
			if err := acquainted(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func acquainted(ctx context.Context, r *Redis) error {
	client := redis.NewSentinelClient(&redis.Options{Addr: r.Address})
	defer client.Close()
	master, err := client.Master(ctx, MasterName).Result()
	if err == nil && (master["num-other-sentinels"] != "2" || master["num-slaves"] != "1" || master["flags"] != "master") {
		err = fmt.Errorf("%s knows of %s others and %s replicas", r.Address, master["num-other-sentinels"], master["num-slaves"])
	}
	return err
}

// Addresses are those of the sentinels.
func (s *Sentinels) Addresses() []string {
	var addresses []string
	for _, r := range s.Sentinels {
		addresses = append(addresses, r.Address)
	}
	return addresses
}

// Failover kills the master, once the replica has all it has, and waits until the sentinels have made the replica the
// new one.
func (s *Sentinels) Failover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if n, err := s.Master.Client.Wait(ctx, 1, 5*time.Second).Result(); err != nil || n != 1 {
		return errors.Join(err, errors.New("failover: the replica lags behind"))
	}
	s.Master.Kill()
	return Poll(ctx, "the failover", func() error {
		for _, r := range s.Sentinels {
			client := redis.NewSentinelClient(&redis.Options{Addr: r.Address})
			address, err := client.GetMasterAddrByName(ctx, MasterName).Result()
			_ = client.Close()
			if err != nil {
				return err
			}
			if got := net.JoinHostPort(address[0], address[1]); got != s.Replica.Address {
				return fmt.Errorf("%s says the master is %s", r.Address, got)
			}
		}
		return nil
	})
}

// Stop kills all of them.
func (s *Sentinels) Stop() {
	for _, r := range append(s.Sentinels, s.Replica, s.Master) {
		if r != nil {
			r.Stop()
		}
	}
}
