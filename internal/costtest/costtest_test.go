package costtest

import "testing"

func TestFaster(t *testing.T) {
	for _, c := range []struct {
		took [3]uint64
		want bool
	}{
		{[3]uint64{10, 10, 10}, false},
		{[3]uint64{10_000, 20_000, 40_000}, false},
		{[3]uint64{10_000, 22_000, 48_000}, false},
		{[3]uint64{10_000, 40_000, 160_000}, true},
		{[3]uint64{500_000, 510_000, 550_000}, true},
		{[3]uint64{500, 400, 300}, false},
		{[3]uint64{0, 0, 900}, false},
		{[3]uint64{0, 0, 1001}, true},
	} {
		if got := faster(c.took, 1000); got != c.want {
			t.Errorf("%v: got %v, want %v", c.took, got, c.want)
		}
	}
}

var kept [][]byte

func TestLeast(t *testing.T) {
	bytes, objects := least(func() { kept = append(kept, make([]byte, 1<<20)) }, 4)
	if bytes < 1<<20 || bytes > 2<<20 || objects == 0 {
		t.Errorf("found %d bytes and %d allocations", bytes, objects)
	}
}
