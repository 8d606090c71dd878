package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// report is what a run prints.
type report struct {
	Date      string `json:"date"`
	Plugin    string `json:"plugin"`  // version by git
	Traefik   string `json:"traefik"` // "" when none was needed
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	// Others is the share of the processors that went to other programs, over the loads on rows.
	Others    spread   `json:"others"`
	Generator string   `json:"generator"`
	Rounds    int      `json:"rounds"`
	Duration  string   `json:"duration"`
	Figures   []figure `json:"figures"`
	// Costs are those of requests without a good credential.
	Costs []cost `json:"costs,omitempty"`
}

func newReport(b *bench) *report {
	r := &report{
		Date:      time.Now().UTC().Format(time.RFC3339),
		Plugin:    described(b.latchkeyDir),
		Processor: processor(),
		Cores:     runtime.NumCPU(),
		Generator: b.generator.name(),
		Rounds:    b.rounds,
		Duration:  b.duration.String(),
	}
	return r
}

// finish adds what is known at the end only.
func (r *report) finish(b *bench) {
	r.Others = spreadOf(b.others)
	r.Traefik = b.version
	r.Costs = b.unauthenticated
}

func (r *report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *report) text(w io.Writer) error {
	fmt.Fprintf(w, "Latchkey %s, Traefik %s, %s\n", r.Plugin, cmp.Or(r.Traefik, "not needed"), r.Date)
	fmt.Fprintf(w, "%d cores of %s", r.Cores, r.Processor)
	if len(r.Others.Rounds) > 0 {
		fmt.Fprintf(w, ", of which other programs took %.0f %% (%.0f-%.0f %%)", 100*r.Others.Median, 100*r.Others.Min, 100*r.Others.Max)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "%s, %d rounds of %s, medians over the rounds; a ratio is taken within a round\n\n", r.Generator, r.Rounds, r.Duration)
	if err := table(w, r.Figures); err != nil {
		return err
	}
	return costTable(w, r.Costs)
}

// described is the version of a checkout, as git tells it.
func described(dir string) string {
	out, err := exec.Command("git", "-C", dir, "describe", "--always", "--tags", "--dirty").Output()
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(out))
}

// traefikVersion reads the version that the running program was built of.
func traefikVersion(pid int) string {
	info, err := buildinfo.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "exe"))
	if err != nil {
		return ""
	}
	return info.Main.Version + " (" + info.GoVersion + ")"
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown make"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown make"
}
