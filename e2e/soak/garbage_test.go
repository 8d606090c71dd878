package soak

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	floodConnections = 16
	// rounds interleave what is compared, since the machine may be busier at one time than at another.
	rounds = 10
	// paced is how many seconds of a round the flood keeps to its rate.
	paced = 10

	// What Latchkey may keep of a flood: its last bad tokens, each as a hash and a time.
	badTokensKept = 2000
	badTokenSize  = 512
	// What it keeps of a good credential, at most.
	identitySize = 3 << 10
	// By how much of itself Traefik's heap may be larger at one time than at another.
	heapNoise = 0.05

	// slower is how many times as long a good client may wait beside garbage on Latchkey as beside the control.
	slower = 2
	// collection is what may come on top for one in a hundred. Interpreted code leaves much for Go's garbage collector:
	// with Latchkey refusing hundreds a second, one request in a hundred or more meets a collection, and waits for it.
	collection = 10 * time.Millisecond
)

// Unique bad tokens cost neither memory, nor the good clients beside them more than load as such does.
//
// The control for time is the same tokens at the same rate on a router without middleware, answered by Traefik itself:
// on few cores any load makes everybody slower. The rate is one that the machine answers with time to spare. Beyond it
// every request waits for all others, and tells how long a bad token takes, not whom it disturbs: most of the garbage
// comes that way, for the sake of memory, and who is good must get in, but how fast is only said.
func TestGarbage(t *testing.T) {
	needed(t)
	b := start(t, func(_ *harness.Site, d harness.Dynamic) harness.Dynamic {
		d.Routers["bare"] = harness.Router{Rule: "PathPrefix(`/bare`)", Service: "noop@internal"}
		return d
	})
	who, err := b.login(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, err := garbageOf(who.authorization)
	if err != nil {
		t.Fatal(err)
	}
	perRound := *garbage / rounds
	some := min(int(paced**rate), perRound/2)
	latchkey := flood{path: "/page", want: http.StatusUnauthorized, connections: floodConnections, rate: *rate, token: token}
	bare := latchkey
	bare.path, bare.want = "/bare", http.StatusTeapot
	phases := []*phase{
		{name: "nothing"},
		{name: "bare router, paced", flood: bare.of(some, *rate)},
		{name: "Latchkey, paced", flood: latchkey.of(some, *rate)},
		{name: "bare router, flat out", flood: bare.of(some, 0)},
		{name: "Latchkey, flat out", flood: latchkey.of(perRound-some, 0)},
	}
	for _, p := range phases { // warms everything up
		warm := phase{flood: p.flood.of(min(p.flood.count, 2000), 0)}
		if err := warm.add(t.Context(), b, who); err != nil {
			t.Fatal(err)
		}
	}
	before := b.memory()
	highest := before
	for range rounds {
		if who, err = b.login(t.Context()); err != nil { // tokens of this provider live for five minutes
			t.Fatal(err)
		}
		for _, p := range phases {
			if err := p.add(t.Context(), b, who); err != nil {
				t.Fatal(err)
			}
		}
		if m := b.memory(); m.HeapAlloc > highest.HeapAlloc {
			highest = m
		}
	}
	after := b.memory()
	bound := before.HeapAlloc + badTokensKept*badTokenSize + 2*rounds*identitySize + int64(heapNoise*float64(before.HeapAlloc))

	lines := []string{"good clients beside|tokens|per second|session ms|p99|bearer ms|p99"}
	for _, p := range phases {
		lines = append(lines, p.String())
	}
	t.Log(table(lines...))
	t.Log(table(
		"Traefik after a collection|heap MiB|in use|of the system|goroutines",
		memoryLine("before", before), memoryLine("highest of the rounds", highest), memoryLine("after", after),
		"bound|"+mib(bound)+"|||",
	))
	if highest.HeapAlloc > bound {
		t.Errorf("the heap grew to %s MiB, want at most %s", mib(highest.HeapAlloc), mib(bound))
	}
	phases[2].within(t, phases[1])
}

func memoryLine(name string, m harness.Memory) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d", name, mib(m.HeapAlloc), mib(m.HeapInuse), mib(m.HeapSys), m.Goroutines)
}

// phase is how good clients fared beside a flood.
type phase struct {
	name            string
	flood           flood // without tokens: three seconds of nothing
	session, bearer times
	tokens          int
	took            time.Duration
}

// add adds a round.
func (p *phase) add(ctx context.Context, b *bench, who credentials) error {
	done := make(chan struct{})
	return all(ctx,
		func(ctx context.Context) error {
			defer close(done)
			if p.flood.count == 0 {
				return sleep(ctx, 3*time.Second)
			}
			took, err := p.flood.run(ctx, b)
			p.tokens += p.flood.count
			p.took += took
			return err
		},
		func(ctx context.Context) error { return b.probe(ctx, done, "alice", "Cookie", who.cookie, &p.session) },
		func(ctx context.Context) error {
			return b.probe(ctx, done, "bob", "Authorization", who.authorization, &p.bearer)
		},
	)
}

func (p *phase) String() string {
	perSecond := 0.0
	if p.took > 0 {
		perSecond = float64(p.tokens) / p.took.Seconds()
	}
	return fmt.Sprintf("%s|%d|%.0f|%s|%s", p.name, p.tokens, perSecond, p.session, p.bearer)
}

// within checks that nobody waited much longer than in the control.
func (p *phase) within(t *testing.T, control *phase) {
	t.Helper()
	for _, c := range []struct {
		name        string
		here, there times
	}{{"session", p.session, control.session}, {"bearer token", p.bearer, control.bearer}} {
		if here, there := c.here.quantile(0.5), c.there.quantile(0.5); here > slower*there {
			t.Errorf("%s: the median is %v, want at most %d times the control's %v", c.name, here, slower, there)
		}
		if here, there := c.here.quantile(0.99), c.there.quantile(0.99); here > slower*there+collection {
			t.Errorf("%s: the 99th percentile is %v, want at most %d times the control's %v and %v", c.name, here, slower, there, collection)
		}
	}
}

// garbageOf returns what makes bad tokens, each different: a third any characters, a third three parts that decode to
// nothing, and a third good tokens but for the signature, which cost most to refuse.
func garbageOf(authorization string) (func(*rand.Rand) string, error) {
	parts := strings.Split(strings.TrimPrefix(authorization, "Bearer "), ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("garbage: the good token has %d parts", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("garbage: %w", err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, fmt.Errorf("garbage: %w", err)
	}
	claims["exp"] = time.Now().Add(24 * time.Hour).Unix()
	claims["jti"] = "JTI"
	if payload, err = json.Marshal(claims); err != nil {
		return nil, fmt.Errorf("garbage: %w", err)
	}
	before, after, _ := strings.Cut(string(payload), `"JTI"`)
	return func(r *rand.Rand) string {
		length := 20 + r.IntN(2048-20)
		switch r.IntN(3) {
		case 0:
			return visible(r, length)
		case 1:
			part := func() string { return encoded(r, length/4) }
			return part() + "." + part() + "." + part()
		}
		jti := rest(r, 2048*3/4-len(parts[0])-len(payload)-256)
		return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(before+`"`+jti+`"`+after)) + "." + encoded(r, 256)
	}, nil
}

// visible is text of visible ASCII.
func visible(r *rand.Rand, length int) string {
	text := make([]byte, length)
	for i := range text {
		text[i] = byte('!' + r.IntN('~'-'!'+1))
	}
	return string(text)
}

// encoded is so many random bytes in base64url.
func encoded(r *rand.Rand, length int) string {
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// rest is text of at least 16 characters, and at most as many more as there is room for.
func rest(r *rand.Rand, room int) string { return encoded(r, 16+r.IntN(max(1, room*3/4))) }
