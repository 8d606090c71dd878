package redistest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// credentials are how the tests' administrator enters.
type credentials struct {
	tls            *tls.Config
	user, password string
}

// ask sends one command on a connection of its own. It is no client to test
// with: the one under test cannot be used to look after it.
func (s *Server) ask(args ...string) (string, error) {
	dialer := &net.Dialer{Timeout: time.Second}
	conn, err := dialer.Dial("tcp", s.Addr())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if s.admin.tls != nil {
		settings := s.admin.tls.Clone()
		settings.ServerName = "localhost"
		conn = tls.Client(conn, settings)
	}
	in := bufio.NewReader(conn)
	if s.admin.user != "" {
		if _, err := converse(conn, in, []string{"AUTH", s.admin.user, s.admin.password}); err != nil {
			return "", err
		}
	}
	return converse(conn, in, args)
}

func converse(out io.Writer, in *bufio.Reader, args []string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return "", err
	}
	text, err := read(in)
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return text, nil
}

func read(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return "", errors.New("an empty line")
	}
	rest := line[1:]
	switch line[0] {
	case '-':
		return "", errors.New(rest)
	case '$':
		return readString(in, rest)
	case '*':
		return readList(in, rest)
	}
	return rest, nil
}

func readString(in *bufio.Reader, length string) (string, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return "", err
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(in, b); err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

func readList(in *bufio.Reader, length string) (string, error) {
	n, err := strconv.Atoi(length)
	if err != nil {
		return "", err
	}
	var lines []string
	for i := 0; i < n; i++ {
		text, err := read(in)
		if err != nil {
			return "", err
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n"), nil
}
