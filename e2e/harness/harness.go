// Package harness is the bench that Latchkey is tried on, made of real parts: Traefik built from its own source with
// the working tree as a local plugin, zitadel's OpenID provider, upstream apps, and Debian's Chromium.
//
// Everything listens on loopback only, and nothing outlives the process that started it.
package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

// address is the loopback address with this port, or with a free one if the port is 0.
//
// Free ports are taken from below the range that outgoing connections use, since the port is bound a moment later,
// by another process, and again when a server that was stopped comes back.
func address(port int) (string, error) {
	if port != 0 {
		return loopback(port), nil
	}
	port, err := FreePort()
	return loopback(port), err
}

// FreePort is a port of the loopback address that nothing listens on.
func FreePort() (int, error) {
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		if free(loopback(port)) {
			return port, nil
		}
	}
	return 0, errors.New("find a free port: 100 tries failed")
}

// Prefer is port if that can be listened on, else a free one.
func Prefer(port int) (int, error) {
	if free(loopback(port)) {
		return port, nil
	}
	return FreePort()
}

func free(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// split is the host and the port of an address that loopback made.
func split(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		panic(err) // made by this package
	}
	return host, port
}

// localURL is the URL of a loopback address as a user would type it.
func localURL(scheme, address string) string {
	_, port := split(address)
	return scheme + "://localhost:" + port
}

// Poll calls ready every 20 ms until it returns nil. When ctx ends first, what ready said last is the error.
func Poll(ctx context.Context, what string, ready func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w", what, ctx.Err(), err)
		case <-tick.C:
		}
	}
}
