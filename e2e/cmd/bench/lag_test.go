package main

import "testing"

func TestLateOf(t *testing.T) {
	if got := lateOf([]float64{3, 9999.9, 10000, 12345}); got != 2 {
		t.Errorf("%d tries were given up, want 2", got)
	}
}
