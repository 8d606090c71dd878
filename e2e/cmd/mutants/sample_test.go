package main

import (
	"math/rand/v2"
	"strings"
	"testing"
)

const sampled = `package p

import "errors"

var limit = 10 * 2

func f(a, b int) (int, error) {
	if err := g(); err != nil && a < b {
		return 0, errors.New("x")
	}
	for a > 0 {
		a--
		continue
	}
	switch {
	case a == b:
		limit = 0x10
		g()
	}
	return 1, func() error { return nil }()
}

func g() error { defer f(1, 2); return nil }

func h() (ok bool) { ok = true; return }
`

// Each kind of fault is found, and written so that it says something else.
func TestSites(t *testing.T) {
	found, err := sites("p.go", []byte(sampled), rand.New(rand.NewPCG(1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, s := range found {
		old := sampled[s.from:s.to]
		if old == s.new {
			t.Errorf("%q stays as it is", old)
		}
		all[s.kind] = append(all[s.kind], strings.ReplaceAll(old, "\n", " ")+" -> "+s.new)
	}
	for kind, want := range map[string][]string{
		negated:    {"err != nil && a < b -> !(err != nil && a < b)", "a > 0 -> !(a > 0)", "a == b -> !(a == b)"},
		dropped:    {"a-- -> ", "continue -> ", "limit = 0x10 -> ", "g() -> ", "defer f(1, 2) -> ", "ok = true -> ", "return -> "},
		errorGone:  {`errors.New("x") -> nil`, "err != nil -> (err != nil && false)", "func() error { return nil }() -> nil"},
		constant:   {"true -> false"},
		comparison: {"a < b -> a <= b", "a > 0 -> a >= 0", "a == b -> a != b", "err != nil -> err == nil"},
		logic:      {"err != nil && a < b -> (err != nil || a < b)"},
	} {
		for _, w := range want {
			if !strings.Contains(strings.Join(all[kind], "\n")+"\n", w+"\n") {
				t.Errorf("%s: no %q among\n%s", kind, w, strings.Join(all[kind], "\n"))
			}
		}
	}
	if n := len(all[constant]); n != 9 {
		t.Errorf("%d constants are moved, want 9: %q", n, all[constant])
	}
}

func TestDiff(t *testing.T) {
	if got := diff("a\n\tb\nc", "a\nc"); got != "\t- b\n" {
		t.Errorf("dropped: %q", got)
	}
	if got := diff("a\nb\nc", "a\nx\nc"); got != "\t- b\n\t+ x\n" {
		t.Errorf("changed: %q", got)
	}
}
