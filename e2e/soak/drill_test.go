package soak

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// drill is two replicas that share a Redis behind a relay, and what they were asked.
type drill struct {
	*harness.Replicas
	t     *testing.T
	redis *harness.Redis // nil: another server's address was given
	relay *harness.Relay
	app   *app
}

// drillPlan says what the replicas of a drill are; the zero value serves.
type drillPlan struct {
	replicas int      // 0: two
	store    string   // "": redis
	address  []string // Redis; nil: one of its own, behind the relay
	env      []string
	settings func(harness.Settings) harness.Settings
}

func startDrill(t *testing.T, p drillPlan) *drill {
	t.Helper()
	d := &drill{t: t, app: startApp()}
	t.Cleanup(d.app.server.Close)
	if p.address == nil {
		d.startRedis()
		p.address = []string{d.relay.Address}
	}
	options := harness.TraefikOptions{LogLevel: "INFO", Debug: true, Env: p.env}
	replicas, err := harness.StartReplicas(t.Context(), cmp.Or(p.replicas, 2), harness.ProviderOptions{}, options, func(s *harness.Site) harness.Dynamic {
		settings := s.Settings().
			With("provider", "scopes", []string{"openid", "profile", "email", "offline_access"}).
			With("session", "store", cmp.Or(p.store, "redis")).With("session", "cookie", "secure", false).
			With("redis", "addresses", p.address).With("redis", "timeout", "500ms")
		if p.settings != nil {
			settings = p.settings(settings)
		}
		dynamic := s.Dynamic(settings)
		dynamic.Services["app"] = d.app.server.URL
		return dynamic
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Replicas = replicas
	t.Cleanup(func() {
		if t.Failed() {
			for i, traefik := range replicas.Traefiks {
				log := traefik.Log()
				t.Logf("the end of replica %d's log:\n%s", i, log[max(0, len(log)-4000):])
			}
		}
		replicas.Stop()
	})
	return d
}

func (d *drill) startRedis() {
	d.t.Helper()
	redis, err := harness.StartRedis(d.t.Context(), harness.RedisOptions{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(redis.Stop)
	relay, err := harness.StartRelay(redis.Address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(relay.Stop)
	d.redis, d.relay = redis, relay
}

// known is somebody with a session.
type known struct {
	user, cookie string
	since        time.Time
}

func (d *drill) login(replica int, user string) (*known, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	client := harness.Client()
	defer client.CloseIdleConnections()
	client.CheckRedirect = nil
	k := &known{user: user, since: time.Now()}
	landing := d.Traefiks[replica].URL + "/landing"
	where, err := d.Provider.Login(ctx, client, landing, user)
	if err != nil {
		return nil, err
	}
	if where.String() != landing {
		return nil, fmt.Errorf("a login ended at %q", where)
	}
	var pairs []string
	for _, c := range client.Jar.Cookies(where) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	k.cookie = strings.Join(pairs, "; ")
	return k, nil
}

// logins logs so many people in, at the replicas in turn.
func (d *drill) logins(n int) []*known {
	d.t.Helper()
	var people []*known
	for i := range n {
		k, err := d.login(i%len(d.Traefiks), fmt.Sprintf("user-%d", i))
		if err != nil {
			d.t.Fatal(err)
		}
		people = append(people, k)
	}
	return people
}

var asker = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// ask asks a replica for a page, in the manner of a script, with one header.
func (d *drill) ask(replica int, path, name, value string) (answer, error) {
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.Traefiks[replica].URL+path, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set(name, value)
	res, err := asker.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return answer{res.StatusCode, res.Header.Get(toldUser)}, err
}

// logout ends a session at one replica.
func (d *drill) logout(replica int, k *known) (int, error) {
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.Traefiks[replica].URL+"/oauth2/logout", nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Cookie", k.cookie)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "none")
	res, err := asker.Do(r)
	if err != nil {
		return 0, err
	}
	res.Body.Close()
	return res.StatusCode, nil
}

// score counts answers.
type score struct {
	mu       sync.Mutex
	statuses map[int]int
	answers  int
	wrong    int // other than was wanted
	others   int // that told the app of another person: never
	lost     int // no answer at all
	first    error
}

func (s *score) add(a answer, err error, user string, want int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.statuses == nil {
		s.statuses = map[int]int{}
	}
	if err != nil {
		s.lost++
		s.first = cmp.Or(s.first, err)
		return
	}
	s.answers++
	s.statuses[a.status]++
	if a.user != "" && a.user != user {
		s.others++
	}
	if a.status != want || a.status == http.StatusOK && a.user != user {
		s.wrong++
		if s.first == nil {
			s.first = fmt.Errorf("%+v, want %d for %q", a, want, user)
		}
	}
}

func (s *score) String() string {
	return fmt.Sprintf("%d|%d|%d|%d|%v", s.answers, s.wrong, s.others, s.lost, s.statuses)
}

const scoreColumns = "answers|wrong|another's|lost|by status"

// good wants no wrong answer, none lost, and nobody ever taken for another.
func (s *score) good(t *testing.T, what string) {
	t.Helper()
	if s.answers == 0 || s.wrong > 0 || s.others > 0 || s.lost > 0 {
		t.Errorf("%s: %d answers, %d wrong, %d of another person, %d lost; the first: %v", what, s.answers, s.wrong, s.others, s.lost, s.first)
	}
}

// load asks on behalf of everybody at every replica, one after the other each, until stop is closed.
func (d *drill) load(people []*known, s *score, stop <-chan struct{}) *sync.WaitGroup {
	var running sync.WaitGroup
	for _, k := range people {
		for i := range d.Traefiks {
			running.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(10 * time.Millisecond):
					}
					a, err := d.ask(i, "/page", "Cookie", k.cookie)
					s.add(a, err, k.user, http.StatusOK)
				}
			})
		}
	}
	return &running
}

// within polls until ready returns nil, and says how long that took.
func (d *drill) within(most time.Duration, what string, ready func() error) time.Duration {
	d.t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(d.t.Context(), most)
	defer cancel()
	if err := harness.Poll(ctx, what, ready); err != nil {
		d.t.Fatal(err)
	}
	return time.Since(began)
}

// everywhere is nil once a session is answered with this status at every replica.
func (d *drill) everywhere(k *known, status int) error {
	for i := range d.Traefiks {
		a, err := d.ask(i, "/page", "Cookie", k.cookie)
		if err != nil {
			return err
		}
		if a.status != status {
			return fmt.Errorf("status %d at replica %d, want %d", a.status, i, status)
		}
	}
	return nil
}

// works is nil once a login is good at every replica.
func (d *drill) works() error {
	k, err := d.login(0, "bob")
	if err != nil {
		return err
	}
	return d.everywhere(k, http.StatusOK)
}

// descriptors are the files and sockets that a replica has open.
func (d *drill) descriptors(replica int) int {
	d.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.Traefiks[replica].PID()))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(list)
}

func (d *drill) memory(replica int) harness.Memory {
	d.t.Helper()
	m, err := d.Traefiks[replica].Memory(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// alive says whether the replicas' processes run.
func (d *drill) alive() error {
	for i, traefik := range d.Traefiks {
		select {
		case <-traefik.Done():
			return fmt.Errorf("replica %d has ended", i)
		default:
		}
	}
	return nil
}

var errStill = errors.New("not yet")
