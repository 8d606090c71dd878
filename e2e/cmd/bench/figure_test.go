package main

import "testing"

func TestFiguresCompareWithinARound(t *testing.T) {
	got, err := figures([]series{
		{row: "empty", measure: "requests/s", samples: []float64{100, 200, 400}},
		{row: "empty", measure: "seconds", samples: []float64{1, 1, 1}},
		{row: "session", measure: "requests/s", samples: []float64{90, 160, 400}, against: []string{"empty"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := got[2].Ratios
	if len(r) != 1 || r[0].Of != "empty" || r[0].Median != 0.9 || r[0].Min != 0.8 || r[0].Max != 1 {
		t.Errorf("ratios are %+v, want 0.9 (0.8-1) of empty", r)
	}
	if len(got[0].Ratios) != 0 {
		t.Errorf("empty is compared with %+v, want with nothing", got[0].Ratios)
	}
}

func TestFiguresRefuseABaseThatIsNotThere(t *testing.T) {
	for name, base := range map[string]series{
		"another row":     {row: "bare", measure: "requests/s", samples: []float64{1}},
		"another measure": {row: "empty", measure: "seconds", samples: []float64{1}},
		"other rounds":    {row: "empty", measure: "requests/s", samples: []float64{1, 2}},
	} {
		_, err := figures([]series{base, {row: "session", measure: "requests/s", samples: []float64{1}, against: []string{"empty"}}})
		if err == nil {
			t.Errorf("%s serves as the base", name)
		}
	}
}
