package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// usage is how long whom has had a processor.
type usage struct {
	traefik time.Duration
	bench   time.Duration // this process, and the programs that it started and that have ended
	all     time.Duration // every program, and other machines on the same hardware
	idle    time.Duration
}

func readUsage(traefik int) (usage, error) {
	var u usage
	var err error
	if u.traefik, err = cpuTime(traefik); err != nil {
		return usage{}, err
	}
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var r unix.Rusage
		if err := unix.Getrusage(who, &r); err != nil {
			return usage{}, fmt.Errorf("read CPU time: %w", err)
		}
		u.bench += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return usage{}, err
	}
	u.all, u.idle, err = readStat(stat)
	return u, err
}

// readStat reads the first line of /proc/stat, see proc_stat(5).
func readStat(stat []byte) (busy, idle time.Duration, err error) {
	const tick = 10 * time.Millisecond
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	columns := bytes.Fields(line)
	if len(columns) < 9 || string(columns[0]) != "cpu" {
		return 0, 0, fmt.Errorf("read /proc/stat: %q", line)
	}
	for i, column := range columns[1:9] { // the rest is part of user and nice
		n, err := strconv.ParseInt(string(column), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read /proc/stat: %w", err)
		}
		if i == 3 || i == 4 { // idle, iowait
			idle += time.Duration(n) * tick
			continue
		}
		busy += time.Duration(n) * tick
	}
	return busy, idle, nil
}

func (u usage) since(before usage) usage {
	return usage{u.traefik - before.traefik, u.bench - before.bench, u.all - before.all, u.idle - before.idle}
}

// others is the share of the processors' time that went to other programs.
func (u usage) others() float64 {
	rest := u.all - u.traefik - u.bench
	return max(0, float64(rest)/float64(u.all+u.idle))
}

// cpuTime is how long a process has had a processor, all its threads together, to the nanosecond.
func cpuTime(pid int) (time.Duration, error) {
	const schedulerClock = 2 // CPUCLOCK_SCHED; the rest is clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &t); err != nil {
		return 0, fmt.Errorf("read CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}
