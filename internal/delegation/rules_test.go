package delegation

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestScope(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   string
		parent string
		asked  string
		want   string
	}{
		{"internal: what is asked for", Internal, "read:tap write:tap", "read:tap", "read:tap"},
		{"internal: sorted", Internal, "a b c", "c a", "a c"},
		{"internal: what the parent lacks is left out", Internal, "read:tap", "read:tap admin", "read:tap"},
		{"internal: none in common", Internal, "read:tap", "admin", ""},
		{"internal: nothing asked for", Internal, "read:tap", "", ""},
		{"internal: a parent without scopes", Internal, "", "read:tap", ""},
		{"internal: asked for twice", Internal, "a b", "b a b", "a b"},
		{"internal: the parent's twice", Internal, "a a b", "a", "a"},
		{"internal: a scope that begins alike", Internal, "read:tap", "read", ""},
		{"internal: other capitals", Internal, "read:tap", "Read:tap", ""},
		{"notebook: all of the parent's, sorted", Notebook, "write:tap read:tap", "", "read:tap write:tap"},
		{"notebook: whatever is asked for", Notebook, "read:tap", "admin", "read:tap"},
		{"notebook: each once", Notebook, "b a b", "", "a b"},
		{"notebook: a parent without scopes", Notebook, "", "", ""},
		{"no kind: not all of the parent's", "", "read:tap write:tap", "read:tap", "read:tap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked, has := strings.Fields(c.asked), strings.Fields(c.parent)
			found := Request{Kind: c.kind, Scopes: asked}.Scope(Parent{Scopes: has})
			if strings.Join(found, " ") != c.want {
				t.Errorf("found %q, wanted %q", found, c.want)
			}
			if strings.Join(asked, " ") != c.asked || strings.Join(has, " ") != c.parent {
				t.Errorf("the lists were changed: %q, %q", asked, has)
			}
		})
	}
}

func TestExpires(t *testing.T) {
	const now = 1700000000
	for _, c := range []struct {
		name     string
		lifetime time.Duration
		minimum  time.Duration
		left     int64 // of the parent
		want     int64 // from now
		ok       bool
	}{
		{"a parent that lasts longer", time.Hour, 5 * time.Minute, 86400, 3600, true},
		{"a parent that lasts as long", time.Hour, 5 * time.Minute, 3600, 3600, true},
		{"a parent that ends before", time.Hour, 5 * time.Minute, 1800, 1800, true},
		{"a second more than the minimum", time.Hour, 5 * time.Minute, 301, 301, true},
		{"the minimum", time.Hour, 5 * time.Minute, 300, 300, true},
		{"a second less", time.Hour, 5 * time.Minute, 299, 299, false},
		{"a minimum with part of a second", time.Hour, 300*time.Second + 1, 300, 300, false},
		{"and a second more", time.Hour, 300*time.Second + 1, 301, 301, true},
		{"no minimum, a second left", time.Hour, 0, 1, 1, true},
		{"no minimum, nothing left", time.Hour, 0, 0, 0, false},
		{"a parent that has ended", time.Hour, 0, -1, -1, false},
		{"a parent that never lived", time.Hour, 0, -now, -now, false},
		{"a parent without an end", time.Hour, 5 * time.Minute, math.MaxInt64 - now, 3600, true},
		{"a lifetime of the minimum", 5 * time.Minute, 5 * time.Minute, 86400, 300, true},
		{"a minimum above the lifetime", time.Minute, 5 * time.Minute, 86400, 60, false},
		{"a lifetime with part of a second", 90*time.Second + 999*time.Millisecond, 0, 86400, 90, true},
		{"no lifetime", 0, 0, 86400, 0, false},
		{"a negative lifetime", -time.Hour, 0, 86400, -3600, false},
		{"a negative minimum", time.Hour, -time.Hour, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Parent{Expires: now + c.left}
			exp, ok := Request{Lifetime: c.lifetime, Minimum: c.minimum}.Expires(p, now)
			if exp != now+c.want || ok != c.ok {
				t.Errorf("found %d from now, %v, wanted %d, %v", exp-now, ok, c.want, c.ok)
			}
			if exp > p.Expires {
				t.Errorf("the token ends at %d, its parent at %d", exp, p.Expires)
			}
		})
	}
}

// What is left of it would overflow.
func TestExpiresOfParentFromBeforeAllTime(t *testing.T) {
	if exp, ok := (Request{Lifetime: time.Hour}).Expires(Parent{Expires: math.MinInt64}, 1700000000); ok {
		t.Errorf("found %d, wanted none", exp)
	}
}

// What may have another's token, and what may not.
func TestKey(t *testing.T) {
	parent := Parent{ID: "session-1", Subject: "alice", Scopes: []string{"a", "b"}, Expires: 1700003600}
	request := Request{Kind: Internal, Service: "tap", Scopes: []string{"a", "b"}, Lifetime: time.Hour, Minimum: time.Minute}
	key := request.Key(parent)
	if len(key) != 43 || strings.Contains(key, "session") {
		t.Errorf("found %q, wanted a hash", key)
	}
	for _, c := range []struct {
		name   string
		change func(r *Request, p *Parent)
		same   bool
	}{
		{"the same again", func(r *Request, p *Parent) {}, true},
		{"scopes in another order", func(r *Request, p *Parent) { r.Scopes = []string{"b", "a"} }, true},
		{"a scope twice", func(r *Request, p *Parent) { r.Scopes = []string{"a", "b", "a"} }, true},
		{"a scope besides that the parent lacks", func(r *Request, p *Parent) { r.Scopes = []string{"a", "b", "c"} }, true},
		{"a scope of the parent that is not asked for", func(r *Request, p *Parent) { p.Scopes = []string{"a", "b", "c"} }, true},
		{"another minimum", func(r *Request, p *Parent) { r.Minimum = time.Second }, true},
		{"another kind", func(r *Request, p *Parent) { r.Kind = Notebook }, false},
		{"another parent", func(r *Request, p *Parent) { p.ID = "session-2" }, false},
		{"a parent that was given longer", func(r *Request, p *Parent) { p.Expires++ }, false},
		{"another service", func(r *Request, p *Parent) { r.Service = "portal" }, false},
		{"fewer scopes asked for", func(r *Request, p *Parent) { r.Scopes = []string{"a"} }, false},
		{"a parent that lost a scope", func(r *Request, p *Parent) { p.Scopes = []string{"a"} }, false},
		{"another lifetime", func(r *Request, p *Parent) { r.Lifetime = time.Minute }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, p := request, parent
			c.change(&r, &p)
			if found := r.Key(p); (found == key) != c.same {
				t.Errorf("found the same key = %v, wanted %v", found == key, c.same)
			}
		})
	}
}

func TestKeyOfNotebook(t *testing.T) {
	r := Request{Kind: Notebook, Lifetime: time.Hour}
	less := r.Key(Parent{ID: "1", Scopes: []string{"a"}})
	more := r.Key(Parent{ID: "1", Scopes: []string{"b", "a"}})
	if less == more {
		t.Errorf("a parent that has more scopes has the key of one that has fewer")
	}
	if again := r.Key(Parent{ID: "1", Scopes: []string{"a", "b"}}); again != more {
		t.Errorf("the order of the scopes makes another key")
	}
}

// Values that are made to look like others when they stand side by side.
func TestKeyOfForgedValues(t *testing.T) {
	seen := map[string]string{}
	for _, c := range []struct {
		id, service string
		scopes      []string
	}{
		{"1", "tap", []string{"a", "b"}},
		{"1", "tap", []string{"ab"}},
		{"1", "tap", []string{"a b"}},
		{"1", "tap", []string{"a1:b"}},
		{"1", "tapa", []string{"b"}},
		{"1", "tap1:a", []string{"b"}},
		{"1", "tap1:a1:b", nil},
		{"1", "tap", nil},
		{"1", "", []string{"tap", "a", "b"}},
		{"1tap", "", []string{"a", "b"}},
		{"1", "", nil},
		{"", "1", nil},
		{"", "", []string{"1"}},
	} {
		name := strings.Join(append([]string{c.id, c.service}, c.scopes...), "|")
		key := Request{Kind: Internal, Service: c.service, Scopes: c.scopes}.Key(Parent{ID: c.id, Scopes: c.scopes})
		if other, taken := seen[key]; taken {
			t.Errorf("%q and %q have one key", name, other)
		}
		seen[key] = name
	}
}

// chain is an act claim of that many services, the first of which acts.
func chain(services ...string) map[string]interface{} {
	var act map[string]interface{}
	for i := len(services) - 1; i >= 0; i-- {
		next := map[string]interface{}{"sub": services[i]}
		if act != nil {
			next["act"] = act
		}
		act = next
	}
	return act
}

func TestAct(t *testing.T) {
	for _, c := range []struct {
		name   string
		parent Parent
		want   string
		deep   bool
	}{
		{"a person or a program", Parent{Subject: "alice"}, `null`, false},
		{"a service that acts for a person", Parent{Audience: "portal"}, `{"sub":"portal"}`, false},
		{"one behind another", Parent{Audience: "s0", Act: chain("s1")}, `{"act":{"sub":"s1"},"sub":"s0"}`, false},
		{"three", Parent{Audience: "s0", Act: chain("s1", "s2")}, `{"act":{"act":{"sub":"s2"},"sub":"s1"},"sub":"s0"}`, false},
		{"four", Parent{Audience: "s0", Act: chain("s1", "s2", "s3")}, `{"act":{"act":{"act":{"sub":"s3"},"sub":"s2"},"sub":"s1"},"sub":"s0"}`, false},
		{"five", Parent{Audience: "s0", Act: chain("s1", "s2", "s3", "s4")}, `null`, true},
		{"six", Parent{Audience: "s0", Act: chain("s1", "s2", "s3", "s4", "s5")}, `null`, true},
		{"an act that is no object", Parent{Audience: "s0", Act: map[string]interface{}{"sub": "s1", "act": "s2"}}, `{"act":{"act":"s2","sub":"s1"},"sub":"s0"}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _ := json.Marshal(c.parent.Act)
			act, err := Request{Kind: Internal, Service: "tap"}.Act(c.parent)
			if errors.Is(err, ErrDepth) != c.deep || (err != nil) != c.deep {
				t.Errorf("found error %v, wanted ErrDepth = %v", err, c.deep)
			}
			if found, _ := json.Marshal(act); string(found) != c.want {
				t.Errorf("found %s, wanted %s", found, c.want)
			}
			if after, _ := json.Marshal(c.parent.Act); !reflect.DeepEqual(before, after) {
				t.Errorf("the parent's act was changed: %s", after)
			}
		})
	}
}

func TestReusableUntil(t *testing.T) {
	const created = 1700000000
	for _, c := range []struct {
		name    string
		life    int64
		minimum time.Duration
		want    int64 // from creation
	}{
		{"half of the life", 3600, 5 * time.Minute, 1800},
		{"an odd life: the second before half is reused", 7, 0, 4},
		{"one second", 1, 0, 1},
		{"two", 2, 0, 1},
		{"no minimum", 600, 0, 300},
		{"the minimum comes first", 600, 400 * time.Second, 200},
		{"both at once", 600, 300 * time.Second, 300},
		{"a minimum with part of a second", 600, 400*time.Second + 1, 199},
		{"a minimum of the whole life", 600, 600 * time.Second, 0},
		{"a minimum above it: not once", 600, 601 * time.Second, -1},
		{"no life", 0, 0, 0},
		{"a token that ended before it was made", -10, 0, -10},
	} {
		t.Run(c.name, func(t *testing.T) {
			if found := ReusableUntil(created, created+c.life, c.minimum) - created; found != c.want {
				t.Errorf("found %d, wanted %d", found, c.want)
			}
		})
	}
}

// While it is reused: less than half of the life is over, the minimum is left.
func TestReuseSecondBySecond(t *testing.T) {
	const created = 1700000000
	for life := int64(1); life <= 12; life++ {
		for minimum := int64(0); minimum <= life; minimum++ {
			until := ReusableUntil(created, created+life, time.Duration(minimum)*time.Second)
			for age := int64(0); age <= life; age++ {
				want := 2*age < life && life-age > minimum
				if found := created+age < until; found != want {
					t.Errorf("life %d, minimum %d, age %d: reused = %v, wanted %v", life, minimum, age, found, want)
				}
			}
		}
	}
}
