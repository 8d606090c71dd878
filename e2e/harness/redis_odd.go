package harness

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
)

// OddRedis is a server that answers each command as it is told to: with these bytes, or by closing the connection.
type OddRedis struct {
	// Address is where it listens, as host:port.
	Address string

	listener net.Listener
	answer   atomic.Value // func(command []string) (answer string, goOn bool)
	asked    atomic.Int64
}

// StartOddRedis starts one that closes every connection at its first command.
func StartOddRedis() (*OddRedis, error) {
	listen, err := address(0)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	o := &OddRedis{Address: listen, listener: listener}
	o.Answer(func([]string) (string, bool) { return "", false })
	go o.accept()
	return o, nil
}

// Answer says what commands are answered with from now on, and whether the connection goes on.
func (o *OddRedis) Answer(answer func(command []string) (string, bool)) { o.answer.Store(answer) }

// Asked is how many commands have come.
func (o *OddRedis) Asked() int64 { return o.asked.Load() }

// Stop accepts no more connections.
func (o *OddRedis) Stop() { _ = o.listener.Close() }

func (o *OddRedis) accept() {
	for {
		conn, err := o.listener.Accept()
		if err != nil {
			return
		}
		go o.serve(conn)
	}
}

func (o *OddRedis) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		command, err := readCommand(in)
		if err != nil {
			return
		}
		o.asked.Add(1)
		answer, goOn := o.answer.Load().(func([]string) (string, bool))(command)
		if _, err := io.WriteString(conn, answer); err != nil || !goOn {
			return
		}
	}
}

func readCommand(in *bufio.Reader) ([]string, error) {
	n, err := readCount(in, '*')
	if err != nil {
		return nil, err
	}
	command := make([]string, n)
	for i := range command {
		size, err := readCount(in, '$')
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(in, text); err != nil {
			return nil, err
		}
		command[i] = string(text[:size])
	}
	return command, nil
}

func readCount(in *bufio.Reader, kind byte) (int, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("read a command: %q", line)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
	if err != nil || n < 0 || n > 1<<20 {
		return 0, fmt.Errorf("read a command: %q", line)
	}
	return n, nil
}
