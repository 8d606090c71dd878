package main

import (
	"slices"
	"testing"
)

func TestPercentile(t *testing.T) {
	var hundreds []float64
	for i := range 200 {
		hundreds = append(hundreds, float64(200-i))
	}
	for _, c := range []struct {
		samples     []float64
		share, want float64
	}{
		{hundreds, 0.5, 100},
		{hundreds, 0.99, 198},
		{hundreds, 1, 200},
		{hundreds, 0, 1},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{7}, 0.99, 7},
	} {
		if got := percentile(c.samples, c.share); got != c.want {
			t.Errorf("percentile %v of %d samples is %v, want %v", c.share, len(c.samples), got, c.want)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		name             string
		samples          []float64
		median, min, max float64
	}{
		{"odd", []float64{3, 1, 2}, 2, 1, 3},
		{"even", []float64{4, 1, 3, 2}, 2.5, 1, 4},
		{"one", []float64{7}, 7, 7, 7},
		{"none", nil, 0, 0, 0},
	} {
		before := slices.Clone(c.samples)
		got := spreadOf(c.samples)
		if got.Median != c.median || got.Min != c.min || got.Max != c.max {
			t.Errorf("%s: median %v, min %v, max %v, want %v, %v, %v", c.name, got.Median, got.Min, got.Max, c.median, c.min, c.max)
		}
		if !slices.Equal(c.samples, before) || !slices.Equal(got.Rounds, before) {
			t.Errorf("%s: the rounds lost their order: %v", c.name, got.Rounds)
		}
	}
}
