package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	figures := []figure{
		{Row: "bare", Measure: "requests/s", Value: spreadOf([]float64{12000, 10000, 11000})},
		{Row: "bare", Measure: "CPU µs", Value: spreadOf([]float64{61.24, 60, 70})},
		{Row: "session", Measure: "requests/s", Value: spreadOf([]float64{9000, 9500, 8000}), Ratios: []ratio{
			{"bare", spreadOf([]float64{0.75, 0.95, 0.7})},
			{"empty", spreadOf([]float64{0.8, 0.96, 0.85})},
			{"empty-cookie", spreadOf([]float64{0.9, 0.98, 0.95})},
		}},
		{Row: "storm", Measure: "grants", Value: spreadOf([]float64{1}), whole: true},
		{Row: "storm", Measure: "s", Value: spreadOf([]float64{2.3})},
		{Row: "start", Measure: "seconds", Value: spreadOf([]float64{1.5}), Note: "once"},
	}
	want := `
row      measure     median  (min-max)      of bare           of empty          of others
bare     requests/s  11000   (10000-12000)
         CPU µs      61.2    (60.0-70.0)
session  requests/s  9000    (8000-9500)    0.75 (0.70-0.95)  0.85 (0.80-0.96)  0.95 (0.90-0.98) of empty-cookie
storm    grants      1
         s           2.30
start    seconds     1.50
start: once
`
	var b strings.Builder
	if err := table(&b, figures); err != nil {
		t.Fatal(err)
	}
	if got := "\n" + b.String(); got != want {
		t.Errorf("table is%s\nwant%s", got, want)
	}
}
