package main

import (
	"math"
	"os"
	"testing"
	"time"
)

func TestOthers(t *testing.T) {
	read := func(line string, traefik, bench time.Duration) usage {
		all, idle, err := readStat([]byte(line + "\ncpu0 1 2 3 4 5 6 7 8 9 10\n"))
		if err != nil {
			t.Fatal(err)
		}
		return usage{traefik, bench, all, idle}
	}
	// user nice system idle iowait irq softirq steal guest guest_nice: 2 s busy, 1 s of it Traefik's and 0.5 s ours, 2 s idle.
	before := read("cpu  1000 0 1000 5000 100 0 0 0 0 0", 10*time.Second, 0)
	after := read("cpu  1100 10 1040 5150 150 10 20 20 7 7", 11*time.Second, 500*time.Millisecond)
	if got := after.since(before).others(); math.Abs(got-0.125) > 1e-9 {
		t.Errorf("others took %v, want 0.125", got)
	}
	for _, line := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8 9 10", "cpu  a 0 1000 5000 100 0 0 0 0 0"} {
		if _, _, err := readStat([]byte(line)); err == nil {
			t.Errorf("%q is read, want an error", line)
		}
	}
}

func TestCPUTimeOfThisProcess(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		after, err := cpuTime(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if after > before {
			return
		}
	}
	t.Errorf("no CPU time passed in a second of work")
}
