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

// response is what answers a request, read to its end.
type response struct {
	status int
	header http.Header
	body   string
}

// fromUpstream says whether the request reached the upstream.
func (r response) fromUpstream() bool { return r.status == http.StatusOK && r.body == answerBody }

// do sends the request and returns what answers.
func (c *connection) do(request []byte) (response, error) { return c.wait(request, requestTimeout) }

// wait is do for a request that may take longer.
func (c *connection) wait(request []byte, patience time.Duration) (response, error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return response{}, err
	}
	if _, err := c.Write(request); err != nil {
		return response{}, err
	}
	res, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return response{res.StatusCode, res.Header, string(body)}, err
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
			res, err := c.do(bytes)
			if err != nil {
				return err
			}
			if !res.fromUpstream() {
				return fmt.Errorf("request %d: status %d, body %q", i, res.status, res.body)
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
