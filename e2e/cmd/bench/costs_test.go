package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestCostTable(t *testing.T) {
	costs := []cost{
		{Input: "anonymous", Bytes: 30, Status: 401, Compiled: spreadOf([]float64{0.003}), Interpreted: spreadOf([]float64{0.09}), KB: spreadOf([]float64{47}), Goal: 0.1},
		{Input: "deep", Bytes: 16000, Status: 401, Compiled: spreadOf([]float64{1, 2, 3}), Interpreted: spreadOf([]float64{4, 5, 9}), KB: spreadOf([]float64{100}), Goal: 1},
	}
	want := `
What a request without a good credential takes in ServeHTTP: ms of CPU, and KB allocated
input      bytes  answer  ms compiled  ms interpreted  (min-max)      goal  KB interpreted
anonymous  30     401     0.003        0.090           -              0.10  47.0
deep       16000  401     2.000        5.000           (4.000-9.000)  1.00  100             over
`
	var b strings.Builder
	if err := costTable(&b, costs); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("table is%s\nwant%s", b.String(), want)
	}
	if n := overGoal(costs); n != 1 {
		t.Errorf("%d are over their goal, want 1", n)
	}
	b.Reset()
	if err := costTable(&b, nil); err != nil || b.String() != "" {
		t.Errorf("without costs the table is %q", b.String())
	}
}

// No two requests of a row have the same token, or what is measured is that it is known to be bad.
func TestCostRows(t *testing.T) {
	for _, r := range costRows("http://issuer.test") {
		one, other := r.request(1).Header.Get("Authorization"), r.request(2).Header.Get("Authorization")
		if one != "" && one == other {
			t.Errorf("%s: two requests have the same token", r.input)
		}
		h := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
		m, err := r.measure(h, 3)
		if err != nil || m.status != http.StatusTeapot || m.ms < 0 || m.kb < 0 {
			t.Errorf("%s: measured %+v, %v", r.input, m, err)
		}
		if size := sizeOf(r.request(1)); size < 20 {
			t.Errorf("%s: %d bytes", r.input, size)
		}
	}
}
