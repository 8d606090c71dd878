package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/process"
)

// wrk is the Debian package of that name.
type wrk struct{}

func (wrk) name() string { return "wrk -t1 -c16" }

func (wrk) run(ctx context.Context, r request, duration time.Duration) (load, error) {
	args := []string{"-t1", "-c" + strconv.Itoa(connections), "--timeout", "10s", "-d", strconv.Itoa(int(duration.Seconds())) + "s"}
	for _, f := range r.fields {
		args = append(args, "-H", f.name+": "+f.value)
	}
	cmd := exec.Command("wrk", append(args, r.url+r.path)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := process.Start(cmd)
	if err != nil {
		return load{}, fmt.Errorf("run wrk: %w", err)
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Stop(time.Second)
		return load{}, ctx.Err()
	case <-time.After(duration + 30*time.Second):
		p.Stop(time.Second)
		return load{}, fmt.Errorf("run wrk: it did not end after %s", duration)
	}
	if err := p.Wait(); err != nil {
		return load{}, fmt.Errorf("run wrk: %w\n%s", err, out.Bytes())
	}
	return readWrk(out.String())
}

var (
	wrkRequests = regexp.MustCompile(`(?m)^ *(\d+) requests in `)
	wrkRate     = regexp.MustCompile(`(?m)^Requests/sec: +([\d.]+)$`)
	wrkErrors   = regexp.MustCompile(`(?m)^ *Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)$`)
	wrkStatus   = regexp.MustCompile(`(?m)^ *Non-2xx or 3xx responses: (\d+)$`)
)

// readWrk reads wrk's own report.
func readWrk(text string) (load, error) {
	requests, rate := wrkRequests.FindStringSubmatch(text), wrkRate.FindStringSubmatch(text)
	if requests == nil || rate == nil || requests[1] == "0" {
		return load{}, fmt.Errorf("read wrk's report: no requests in\n%s", text)
	}
	l := load{}
	var err error
	if l.completed, err = strconv.Atoi(requests[1]); err != nil {
		return load{}, fmt.Errorf("read wrk's report: %w", err)
	}
	if l.perSecond, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return load{}, fmt.Errorf("read wrk's report: %w", err)
	}
	for _, found := range [][]string{wrkErrors.FindStringSubmatch(text), wrkStatus.FindStringSubmatch(text)} {
		for i := 1; i < len(found); i++ {
			n, err := strconv.Atoi(found[i])
			if err != nil {
				return load{}, fmt.Errorf("read wrk's report: %w", err)
			}
			l.failed += n
		}
	}
	return l, nil
}
