package revocation

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/redis"
)

// fillScript writes entries as older replicas did, each of a key of its own.
const fillScript = `
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  redis.call('XADD', KEYS[1], '*', 'k', string.format('AAAAAAAAAA%08dAAAA', n), 'a', ARGV[3], 'u', ARGV[4])
end`

// fill writes n entries, all of now, for an hour.
func (g *rig) fill(n int) {
	g.t.Helper()
	now := g.clock.now()
	for from := 1; from <= n; from += 20000 {
		to := from + 19999
		if to > n {
			to = n
		}
		g.server.Command("EVAL", fillScript, "1", "test:revocations", strconv.Itoa(from), strconv.Itoa(to),
			strconv.FormatInt(now.UnixMilli(), 10), strconv.FormatInt(now.Add(time.Hour).Unix(), 10))
	}
}

func filled(t *testing.T, n int) Key {
	t.Helper()
	key, ok := ParseKey("AAAAAAAAAA" + strings.Repeat("0", 8-len(strconv.Itoa(n))) + strconv.Itoa(n) + "AAAA")
	if !ok {
		t.Fatal("no key")
	}
	return key
}

// commands is how often Redis has carried out this one.
func (g *rig) commands(name string) int {
	g.t.Helper()
	_, after, found := strings.Cut(g.server.Command("INFO", "commandstats"), "cmdstat_"+name+":calls=")
	if !found {
		return 0
	}
	digits, _, _ := strings.Cut(after, ",")
	n, err := strconv.Atoi(digits)
	if err != nil {
		g.t.Fatal(err)
	}
	return n
}

// A stream of 200,000 entries is read in pages, with the time-out of a request,
// and with the breaker closed: what is slow here is not Redis.
func TestManyEntries(t *testing.T) {
	g := newRig(t)
	const n = 200000
	g.fill(n)
	client := redis.New(redis.Config{Addresses: []string{g.server.Addr()}})
	defer client.Close()
	l := NewLog(Config{Client: client, Stream: "test:revocations", Tolerate: tolerated, Now: g.clock.now})
	defer l.Close()
	began := time.Now()
	before := g.clock.now().Add(-time.Hour).UnixMilli()
	for err := ErrUnavailable; err != nil && time.Since(began) < time.Minute; {
		_, err = l.Check(context.Background(), before, nil)
	}
	t.Logf("%d entries read in %s", n, time.Since(began))
	for _, i := range []int{1, 2, largestPage, largestPage + 1, n / 2, n - 1, n} {
		if revoked, err := l.Check(context.Background(), before, []Key{filled(t, i)}); err != nil || !revoked {
			t.Errorf("entry %d: revoked: %v, %v", i, revoked, err)
		}
	}
	if s := l.Stats(); s.Read != n || s.Entries != n || s.Bad != 0 {
		t.Errorf("got %+v", s)
	}
	if h := client.Health(); h.Breaker != "closed" || h.Failures != 0 {
		t.Errorf("the client's health is %+v", h)
	}
	if got := g.commands("eval"); got > 4*n/largestPage {
		t.Errorf("%d scripts for %d entries", got, n)
	}
}

// stepping is a log whose reader moves by hand.
func (g *rig) stepping() (*Log, *position) {
	l := g.replica()
	l.begin.Do(func() {
		close(l.read)
		close(l.wrote)
	})
	return l, &position{doubt: true, page: plainPage}
}

func (g *rig) step(l *Log, at *position) {
	g.t.Helper()
	if err := l.step(context.Background(), at); err != nil {
		g.t.Fatal(err)
	}
	l.answered(at)
}

// While a long log is being read, what was issued since the start is judged, and
// what is known to be revoked is refused; all else waits.
func TestJudgedMeanwhile(t *testing.T) {
	g := newRig(t)
	g.fill(3 * plainPage)
	l, at := g.stepping()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // nobody waits
	judged := func(issued time.Time) bool {
		_, err := l.Check(ctx, issued.UnixMilli(), nil)
		return err == nil
	}
	now := g.clock.now()
	if judged(now.Add(time.Hour)) {
		t.Error("judged before the stream was looked at")
	}
	g.step(l, at)
	if at.head == "" {
		t.Fatal("all of it was read at once")
	}
	for what, c := range map[string]struct {
		issued time.Time
		want   bool
	}{
		"later":            {now.Add(2 * clockGap), true},
		"at the start":     {now, false},
		"before the start": {now.Add(-time.Hour), false},
	} {
		if got := judged(c.issued); got != c.want {
			t.Errorf("issued %s: judged: %v, want %v", what, got, c.want)
		}
	}
	if _, err := l.Check(ctx, Undated, nil); err == nil {
		t.Error("an API token was judged")
	}
	// What is new is heard of meanwhile.
	g.mustRevoke(g.reading(), "new")
	g.step(l, at)
	if !l.Index().Revoked(now.UnixMilli(), []Key{Session("new")}) || at.head == "" {
		t.Error("what is new waits for what is old")
	}
	for at.head != "" {
		g.step(l, at)
	}
	g.step(l, at)
	if !judged(now.Add(-time.Hour)) || !judged(time.UnixMilli(Undated)) || l.since != math.MinInt64 {
		t.Error("not all is judged once all was read")
	}
}

// The stream is read back from its end: an hour beyond the place that was reached,
// what was issued later is judged, where the clocks agree.
func TestJudgedFromThePlaceReached(t *testing.T) {
	g := newRig(t)
	now := time.Now()
	for i := 0; i < 3; i++ {
		at := now.Add(time.Duration(i-12) * time.Hour).UnixMilli()
		g.server.Command("EVAL", `for n = 1, tonumber(ARGV[2]) do redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. n, 'k', 'AAAAAAAAAAAAAAAAAAAAAQ', 'a', ARGV[1], 'u', '99999999999') end`,
			"1", "test:revocations", strconv.FormatInt(at, 10), strconv.Itoa(plainPage))
	}
	for gap, want := range map[time.Duration]bool{0: true, 3 * time.Second: false, -3 * time.Second: false} {
		l, at := g.stepping()
		g.step(l, at)
		l.gap = gap
		l.since = math.MaxInt64
		g.step(l, at)
		reached := now.Add(-11 * time.Hour)
		if got := l.since <= reached.Add(time.Hour).UnixMilli()+1; got != want || l.since < reached.Add(time.Hour).UnixMilli()-1000 {
			t.Errorf("a gap of %s: judged from %s, the place is %s", gap, time.UnixMilli(l.since), reached)
		}
	}
}

// A page that does not come in time is asked for again, smaller.
func TestPagesShrink(t *testing.T) {
	at := &position{page: largestPage}
	for i := 0; i < 20; i++ {
		at.smaller()
	}
	if at.page != plainPage {
		t.Errorf("got %d, want %d", at.page, plainPage)
	}
}

// Where scripts are not allowed the log is read item by item.
func TestWithoutScripts(t *testing.T) {
	g := newRig(t)
	g.fill(2*plainPage + 50)
	g.server.Command("ACL", "SETUSER", "default", "-eval")
	l := g.reading()
	for _, i := range []int{1, plainPage, 2*plainPage + 50} {
		if !l.Index().Revoked(1, []Key{filled(t, i)}) {
			t.Errorf("entry %d was not read", i)
		}
	}
	g.mustRevoke(g.reading(), "a")
	eventually(t, "a new one", func() bool { return g.check(l, "a") == "revoked" })
}
