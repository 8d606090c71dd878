package main

import (
	"math"
	"slices"
)

// spread sums up the samples of the rounds.
type spread struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Rounds []float64 `json:"rounds"`
}

// spreadOf returns the zero spread if there is no sample.
func spreadOf(samples []float64) spread {
	if len(samples) == 0 {
		return spread{}
	}
	return spread{Median: median(samples), Min: slices.Min(samples), Max: slices.Max(samples), Rounds: samples}
}

// percentile is the smallest sample that so large a share of them does not exceed; there must be one.
func percentile(samples []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

// median is the middle one, or the mean of the middle two; the samples keep their order.
func median(samples []float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
