package soak

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// app is the upstream. It keeps nothing, and answers with the user that it was told of.
type app struct{ server *httptest.Server }

const toldUser = "Told-User"

func startApp() *app {
	return &app{httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(toldUser, strings.Join(r.Header["X-Auth-Request-User"], "|"))
	}))}
}

// hangUp closes the connections that Traefik keeps for later.
func (a *app) hangUp() {
	a.server.Config.SetKeepAlivesEnabled(false)
	a.server.Config.SetKeepAlivesEnabled(true)
}

// connection is one to Traefik, kept alive. It costs less than http.Client, which would be measured with what it sends.
type connection struct {
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
	host string
}

func (b *bench) connect() (*connection, error) {
	u, err := url.Parse(b.Traefik.URL)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return &connection{conn: conn, r: bufio.NewReader(conn), w: bufio.NewWriter(conn), host: u.Host}, nil
}

func (c *connection) close() { c.conn.Close() }

// answer is a response, read to its end.
type answer struct {
	status int
	user   string // that the app was told of
}

// get asks for a path, with one header more if it has a name. It gives Traefik half a minute.
func (c *connection) get(path, name, value string) (answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return answer{}, err
	}
	fmt.Fprintf(c.w, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n", path, c.host)
	if name != "" {
		fmt.Fprintf(c.w, "%s: %s\r\n", name, value)
	}
	c.w.WriteString("\r\n")
	if err := c.w.Flush(); err != nil {
		return answer{}, fmt.Errorf("ask for %s: %w", path, err)
	}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return answer{}, fmt.Errorf("ask for %s: %w", path, err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return answer{}, fmt.Errorf("ask for %s: %w", path, err)
	}
	return answer{res.StatusCode, res.Header.Get(toldUser)}, nil
}

// credentials are what a good client shows: alice her session cookie, bob his access token.
type credentials struct{ cookie, authorization string }

func (b *bench) login(ctx context.Context) (credentials, error) {
	client := harness.Client()
	defer client.CloseIdleConnections()
	client.CheckRedirect = nil
	if _, err := b.Provider.Login(ctx, client, b.Traefik.TLSURL+"/landing", "alice"); err != nil {
		return credentials{}, err
	}
	site, err := url.Parse(b.Traefik.TLSURL)
	if err != nil {
		return credentials{}, err
	}
	var cookies []string
	for _, cookie := range client.Jar.Cookies(site) {
		cookies = append(cookies, cookie.Name+"="+cookie.Value)
	}
	tokens, err := b.Provider.Tokens(ctx, "bob")
	if err != nil {
		return credentials{}, err
	}
	return credentials{strings.Join(cookies, "; "), "Bearer " + tokens.AccessToken}, nil
}

// times are how long answers took, round by round.
type times [][]time.Duration

// quantile is that of a round, in the middle of the rounds: what else the machine did meanwhile spoils a few rounds only.
func (t times) quantile(q float64) time.Duration {
	var each []time.Duration
	for _, round := range t {
		if len(round) > 0 {
			each = append(each, quantile(round, q))
		}
	}
	if len(each) == 0 {
		return 0
	}
	return quantile(each, 0.5)
}

// quantile sorts what it is given.
func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}

func (t times) String() string {
	ms := func(q float64) float64 { return float64(t.quantile(q)) / float64(time.Millisecond) }
	return fmt.Sprintf("%.2f|%.2f", ms(0.5), ms(0.99))
}

// goodRate is how often a good client asks in a second.
const goodRate = 100

// probe asks as user, with a header that proves it, until done is closed, and adds a round to the times. An answer's
// time counts from when its request was due: a slow one does not hide those that it held up.
func (b *bench) probe(ctx context.Context, done <-chan struct{}, user, name, value string, took *times) error {
	var round []time.Duration
	defer func() { *took = append(*took, round) }()
	c, err := b.connect()
	if err != nil {
		return err
	}
	defer c.close()
	tick := time.NewTicker(time.Second / goodRate)
	defer tick.Stop()
	for warm := false; ; warm = true {
		due := time.Now()
		if warm {
			select {
			case <-ctx.Done():
				return nil
			case <-done:
				return nil
			case due = <-tick.C:
			}
		}
		a, err := c.get("/page", name, value)
		if err != nil {
			return fmt.Errorf("good client %s: %w", user, err)
		}
		if a != (answer{http.StatusOK, user}) {
			return fmt.Errorf("good client %s: status %d, and the app was told of %q", user, a.status, a.user)
		}
		if warm {
			round = append(round, time.Since(due))
		}
	}
}
