package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// requestTimeout bounds every request.
const requestTimeout = 10 * time.Second

// connection is one to Traefik, kept alive.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func dial(ctx context.Context, address string) (*connection, error) {
	dialer := net.Dialer{Timeout: requestTimeout}
	c, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{c, bufio.NewReader(c)}, nil
}

// do sends the request and returns what answers.
func (c *connection) do(request []byte) (status int, body string, err error) {
	if err := c.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, "", err
	}
	if _, err := c.Write(request); err != nil {
		return 0, "", err
	}
	res, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	return res.StatusCode, string(read), err
}

// workers is how many connections send what has to be sent once.
const workers = 8

// sendAll sends n requests, each of which must reach the upstream.
func sendAll(ctx context.Context, address string, n int, request func(int) ([]byte, error)) error {
	return inParallel(ctx, n, func(next <-chan int) error {
		c, err := dial(ctx, address)
		if err != nil {
			return err
		}
		defer c.Close()
		for i := range next {
			bytes, err := request(i)
			if err != nil {
				return err
			}
			status, body, err := c.do(bytes)
			if err != nil {
				return err
			}
			if status != http.StatusOK || body != answerBody {
				return fmt.Errorf("request %d: status %d, body %q", i, status, body)
			}
		}
		return nil
	})
}

// inParallel hands the numbers below n to some workers, until one of them fails.
func inParallel(ctx context.Context, n int, work func(next <-chan int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			if err := work(next); err != nil {
				cancel(err)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}
